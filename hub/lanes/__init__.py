"""Lanes: who owns one, what it may begin now, and how its attempts are carried out."""
