"""Failures at size, on the real stack: each campaign is a story with its figures."""
