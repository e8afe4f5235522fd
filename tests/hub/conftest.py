"""The hub's database, and its edge."""

from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from hub.database.engine import open_engine
from tests.hub.edge import Edge, serving


@pytest.fixture
async def hub_engine(hub_database: Mapping[str, str]) -> AsyncIterator[AsyncEngine]:
    """A connection pool of the running hub's role, on a fresh database of the newest schema."""
    engine = open_engine(hub_database["hub_rw"])
    yield engine
    await engine.dispose()


@pytest.fixture
async def edge(hub_engine: AsyncEngine, tmp_path: Path) -> AsyncIterator[Edge]:
    """The edge; its client may act for `acme` and `beta`."""
    async with serving(hub_engine, tmp_path) as edge:
        yield edge
