"""The hub's database, for the comparison of the store with its model."""

from tests.hub.conftest import hub_engine

__all__ = ["hub_engine"]
