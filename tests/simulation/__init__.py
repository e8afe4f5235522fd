"""The durable job in a simulated world, in virtual time: a seed is a run, bit for bit."""
