"""Generated stubs of integration."""
