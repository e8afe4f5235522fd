"""The mail system's stand-in."""
