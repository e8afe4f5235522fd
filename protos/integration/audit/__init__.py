"""Generated stubs of integration.audit."""
