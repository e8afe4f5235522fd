"""Generated stubs of integration.common."""
