"""Calls out: the audit service and the spokes."""
