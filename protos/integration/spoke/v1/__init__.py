"""Generated stubs of integration.spoke.v1."""
