"""Fixtures that tests of every part share."""

from tests.postgres import audit_database, hub_database, postgres_server

__all__ = ["audit_database", "hub_database", "postgres_server"]
