"""Generated stubs of integration.payments."""
