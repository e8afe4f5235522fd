"""Faults on purpose: what breaks, where, and what must hold all the same."""
