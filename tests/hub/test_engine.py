"""A database that is away."""

from collections.abc import Mapping

import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.ext.asyncio import AsyncEngine

from hub.database.engine import open_engine, single
from hub.errors import StoreUnavailable
from hub.jobs.store import PostgresJobStore
from tests.hub.jobs import new_job
from tests.spokes.harness import free_port


async def test_a_database_that_cannot_be_reached_is_away() -> None:
    engine = open_engine(f"postgresql+asyncpg://hub_rw:x@127.0.0.1:{free_port()}/hub")
    with pytest.raises(StoreUnavailable):
        await PostgresJobStore(engine).accept([new_job(1)])
    await engine.dispose()


async def test_a_connection_that_is_cut_is_away_once_and_then_made_anew(
    hub_engine: AsyncEngine, hub_database: Mapping[str, str]
) -> None:
    other = open_engine(hub_database["hub_rw"])
    async with hub_engine.connect() as held:
        pid = (await held.execute(text("SELECT pg_backend_pid()"))).scalar_one()
    async with single(other).connect() as connection:
        await connection.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})
    await other.dispose()
    store = PostgresJobStore(hub_engine)
    with pytest.raises(StoreUnavailable):
        await store.accept([new_job(1)])
    assert (await store.accept([new_job(1)]))[0].created_at is not None


async def test_a_mistake_of_ours_is_not_taken_for_an_outage(hub_engine: AsyncEngine) -> None:
    async with single(hub_engine).connect() as connection:
        with pytest.raises(ProgrammingError):
            await connection.execute(text("SELECT * FROM nothing"))
