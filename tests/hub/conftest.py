"""The hub's database."""

from collections.abc import AsyncIterator, Mapping

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from hub.database.engine import open_engine
from hub.database.migrate import migrate


@pytest.fixture
async def hub_engine(hub_database: Mapping[str, str]) -> AsyncIterator[AsyncEngine]:
    """A connection pool of the running hub's role, on a fresh database of the newest schema."""
    await migrate(hub_database["hub_owner"])
    engine = open_engine(hub_database["hub_rw"])
    yield engine
    await engine.dispose()
