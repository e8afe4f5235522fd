"""Reads: questions of Core to a provider, answered at once. No job, no queue, nothing in the database."""
