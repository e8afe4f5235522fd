"""Generated stubs of integration.events.v1."""
