"""Tests of the local stack and of hubctl."""
