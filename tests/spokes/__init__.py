"""Tests of the spokes and their kit."""
