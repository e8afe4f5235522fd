"""The durable job; needs only the standard library."""
