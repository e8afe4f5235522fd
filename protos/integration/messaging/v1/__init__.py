"""Generated stubs of integration.messaging.v1."""
