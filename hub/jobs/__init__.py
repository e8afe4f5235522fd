"""The durable job: what it is, what follows from an outcome, how it is kept and shown."""
