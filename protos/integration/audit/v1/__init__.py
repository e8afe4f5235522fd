"""Generated stubs of integration.audit.v1."""
