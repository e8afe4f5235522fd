"""The providers' stand-ins: one folder each, and the environment that those not written here run in."""
