"""Generated stubs of integration.payments.v1."""
