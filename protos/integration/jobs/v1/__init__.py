"""Generated stubs of integration.jobs.v1."""
