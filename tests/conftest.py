"""Fixtures that tests of every part share."""

from hypothesis import settings

from tests.postgres import audit_database, hub_database, postgres_server

__all__ = ["audit_database", "hub_database", "postgres_server"]

# Where CI is set, Hypothesis would try the same examples every time, and take as long as it likes.
settings.load_profile("default")
