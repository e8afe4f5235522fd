"""The checks catch what they are there for."""
