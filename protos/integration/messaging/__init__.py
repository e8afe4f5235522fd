"""Generated stubs of integration.messaging."""
