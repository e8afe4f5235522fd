"""Generated stubs of integration.events."""
