"""Generated stubs of integration.operations.v1."""
