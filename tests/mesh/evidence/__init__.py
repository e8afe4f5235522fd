"""Tests of the evidence bytes."""
