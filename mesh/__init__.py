"""What being a service of this mesh means: identity, server, channel, errors, telemetry, clock, duties."""
