"""What the bench lets wait beside its load is what a lane would find there, and is taken away again."""

from collections.abc import Mapping
from urllib.parse import urlsplit

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from hub.jobs.decision import Decision
from hub.jobs.model import JobState
from local import waiting
from local.stack.postgres import Server
from tests.hub.test_operations_store import Desk

FOUND = text(
    "SELECT count(*), count(DISTINCT tenant), min(state), bool_and(due_at <= now()) "
    "FROM job JOIN job_body USING (job_id)"
)
COUNTED = text("SELECT COALESCE(sum(jobs), 0) FROM job_count")


async def found(engine: AsyncEngine) -> tuple[object, ...]:
    """The jobs that wait, with their bodies."""
    async with engine.connect() as connection:
        return tuple((await connection.execute(FOUND)).one())


@pytest.mark.parametrize(
    ("way", "state", "is_due"), [("paused", 1, True), ("working", 1, True), ("retry", 4, False)]
)
async def test_so_many_jobs_wait_as_they_are_said_to_and_are_gone_afterwards(
    hub_database: Mapping[str, str], postgres_server: Server, way: str, state: int, is_due: bool
) -> None:
    engine = create_async_engine(hub_database["hub_rw"])
    database = urlsplit(hub_database["hub_rw"]).path.lstrip("/")
    desk = Desk(engine)
    await desk.settled(Decision(JobState.SUCCEEDED))
    many = waiting.BATCH + 1
    waiting.put(postgres_server, desk.job.job_id, many, way, database=database)
    assert await found(engine) == (many, 10, state, is_due)
    waiting.take_away(postgres_server, database=database)
    assert (await found(engine))[0] == 0
    async with engine.connect() as connection:
        assert (await connection.execute(COUNTED)).scalar_one() == 0
    await engine.dispose()
