"""The suite that every spoke must pass."""
