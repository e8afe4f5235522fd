"""A database that is away, or has too much to do."""

import asyncio
import time
from collections.abc import Mapping

import pytest
from google.rpc import code_pb2, error_details_pb2
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.ext.asyncio import AsyncEngine

from hub.database.engine import open_engine, single
from hub.errors import StoreUnavailable
from hub.jobs.store import PostgresJobStore
from hub.statuses import DOMAIN, STATUSES
from mesh.errors import to_status
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


def answer(error: Exception) -> tuple[str, bool]:
    """The status that a caller sees, and whether it is told when to come back."""
    status = to_status(error, STATUSES, DOMAIN)
    is_told = any(detail.Is(error_details_pb2.RetryInfo.DESCRIPTOR) for detail in status.details)
    return code_pb2.Code.Name(status.code), is_told


async def trouble(engine: AsyncEngine, *statements: str) -> tuple[str, bool]:
    """What a caller sees of statements, one transaction, the last of which fails."""
    async with engine.connect() as connection:
        for statement in statements[:-1]:
            await connection.execute(text(statement))
        with pytest.raises(Exception) as failed:
            await connection.execute(text(statements[-1]))
    return answer(failed.value)  # type: ignore[arg-type]


@pytest.fixture
async def a_lane(hub_engine: AsyncEngine) -> AsyncEngine:
    """A database that holds two lanes."""
    async with single(hub_engine).connect() as connection:
        await connection.execute(
            text("INSERT INTO lane (lane_id, provider, account) VALUES ('a/x', 'a', 'x'), ('b/x', 'b', 'x')")
        )
    return hub_engine


async def test_a_statement_that_takes_too_long_is_overload(hub_engine: AsyncEngine) -> None:
    seen = await trouble(hub_engine, "SET LOCAL statement_timeout = 20", "SELECT pg_sleep(5)")
    assert seen == ("RESOURCE_EXHAUSTED", True)


async def test_a_lock_that_is_waited_for_too_long_is_overload(a_lane: AsyncEngine) -> None:
    async with a_lane.connect() as holder:
        await holder.execute(text("UPDATE lane SET mode = 1"))
        seen = await trouble(a_lane, "SET LOCAL lock_timeout = 20", "UPDATE lane SET mode = 1")
    assert seen == ("RESOURCE_EXHAUSTED", True)


async def test_a_deadlock_can_be_tried_again(a_lane: AsyncEngine) -> None:
    touch = text("UPDATE lane SET mode = 1 WHERE lane_id = :lane")
    async with a_lane.connect() as first, a_lane.connect() as second:
        await first.execute(touch, {"lane": "a/x"})
        await second.execute(touch, {"lane": "b/x"})
        crossing = [first.execute(touch, {"lane": "b/x"}), second.execute(touch, {"lane": "a/x"})]
        outcomes = await asyncio.gather(*crossing, return_exceptions=True)
    failures = [answer(outcome) for outcome in outcomes if isinstance(outcome, Exception)]
    assert failures == [("UNAVAILABLE", True)]


async def test_a_transaction_that_another_overtook_can_be_tried_again(a_lane: AsyncEngine) -> None:
    async with a_lane.connect() as late:
        await late.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
        await late.execute(text("SELECT * FROM lane"))
        async with a_lane.begin() as early:
            await early.execute(text("UPDATE lane SET mode = 2"))
        with pytest.raises(StoreUnavailable) as failed:
            await late.execute(text("UPDATE lane SET mode = 3"))
    assert answer(failed.value) == ("UNAVAILABLE", True)


async def test_who_finds_all_connections_in_use_is_told_so_within_seconds(
    hub_database: Mapping[str, str],
) -> None:
    engine = open_engine(hub_database["hub_rw"], connections=1)
    began = time.monotonic()
    async with engine.connect():
        with pytest.raises(Exception) as refused:
            await PostgresJobStore(engine).get(new_job(1).job_id)
    assert answer(refused.value) == ("RESOURCE_EXHAUSTED", True)  # type: ignore[arg-type]
    assert time.monotonic() - began < 5
    await engine.dispose()


async def test_a_task_that_is_cancelled_in_a_statement_ends_and_tells_of_no_outage(
    hub_engine: AsyncEngine,
) -> None:
    async with single(hub_engine).connect() as connection:
        waiting = asyncio.create_task(connection.execute(text("SELECT pg_sleep(10)")))
        async with single(hub_engine).connect() as other:
            sleeps = text("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'")
            while not (await other.execute(sleeps)).scalar():
                pass
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
