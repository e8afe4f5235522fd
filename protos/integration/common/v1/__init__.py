"""Generated stubs of integration.common.v1."""
