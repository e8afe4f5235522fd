"""Reads: questions that are answered at once."""
