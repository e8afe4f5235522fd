"""Generated stubs of integration.jobs."""
