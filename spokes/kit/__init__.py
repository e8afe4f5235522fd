"""What every spoke shares: server, manifest, pool, provider HTTP, conformance."""
