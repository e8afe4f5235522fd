"""Generated stubs of integration.operations."""
