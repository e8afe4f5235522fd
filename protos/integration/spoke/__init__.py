"""Generated stubs of integration.spoke."""
