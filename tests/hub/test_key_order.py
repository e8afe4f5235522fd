"""Replicas that take the same keys at the same time, and what the database undoes for another's sake."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from datetime import timedelta

import grpc
import pytest
from sqlalchemy import event, text
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from hub.database.engine import open_engine
from hub.errors import StoreConflict
from hub.jobs.model import NewJob
from hub.jobs.store import PostgresJobStore
from hub.lanes.store import PostgresLaneLeases
from hub.statuses import DOMAIN, STATUSES
from mesh.errors import to_status
from tests.hub.jobs import new_job

TAKE = text("INSERT INTO request_key VALUES ('acme', :key, gen_random_uuid(), '')")
WAITING = text(
    "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
)


@pytest.fixture
async def stranger(
    hub_database: Mapping[str, str], hub_engine: AsyncEngine
) -> AsyncIterator[AsyncConnection]:
    """Somebody else's transaction; undone at its end."""
    engine = open_engine(hub_database["hub_rw"])
    async with engine.connect() as connection:
        yield connection
        await connection.rollback()
    await engine.dispose()


@pytest.fixture
def undone(hub_engine: AsyncEngine) -> list[str]:
    """The SQLSTATEs of what the database has undone for the hub's pool."""
    states: list[str] = []

    def note(context: ExceptionContext) -> None:
        states.append(getattr(context.original_exception, "sqlstate", ""))

    event.listen(hub_engine.sync_engine, "handle_error", note)
    return states


async def until_waiting(engine: AsyncEngine, sessions: int) -> None:
    """Returns when so many sessions wait for a lock."""
    async with asyncio.timeout(5), engine.connect() as connection:
        while (await connection.execute(WAITING)).scalar_one() < sessions:
            await connection.rollback()
            await asyncio.sleep(0.01)


def requests(*names: str, replica: int) -> list[NewJob]:
    """A request under each key."""
    return [new_job(10 * replica + n, request_id=name) for n, name in enumerate(names)]


async def test_replicas_that_take_the_same_keys_in_opposite_order_wait_for_each_other_one_way_round(
    hub_engine: AsyncEngine, stranger: AsyncConnection, undone: list[str]
) -> None:
    store = PostgresJobStore(hub_engine)
    await stranger.execute(TAKE, {"key": "b"})
    one = asyncio.create_task(store.accept(requests("c", "b", "a", replica=1)))
    await until_waiting(hub_engine, 1)
    two = asyncio.create_task(store.accept(requests("a", "c", replica=2)))
    await until_waiting(hub_engine, 2)
    await stranger.rollback()
    first, second = await asyncio.gather(one, two)
    assert [a.created_at is not None for a in first] == [True] * 3
    assert [a.job_id for a in second] == [first[2].job_id, first[0].job_id]
    assert undone == []


async def test_requests_that_a_deadlock_has_undone_are_accepted_all_the_same(
    hub_engine: AsyncEngine, stranger: AsyncConnection, undone: list[str]
) -> None:
    await stranger.execute(TAKE, {"key": "b"})
    accepting = asyncio.create_task(PostgresJobStore(hub_engine).accept(requests("a", "b", replica=1)))
    await until_waiting(hub_engine, 1)
    # Who has waited longest finds the deadlock first, and is undone.
    await stranger.execute(TAKE, {"key": "a"})
    await stranger.rollback()
    assert [a.created_at is not None for a in await accepting] == [True] * 2
    assert undone == ["40P01"]


async def test_a_serialization_that_failed_is_the_callers_to_send_again(
    hub_engine: AsyncEngine, stranger: AsyncConnection
) -> None:
    await PostgresLaneLeases(hub_engine).acquire("hub", ["echo/default"], timedelta(seconds=30))
    touch = text("UPDATE lane SET owner = owner")
    await stranger.execution_options(isolation_level="REPEATABLE READ")
    await stranger.execute(text("SELECT FROM lane"))
    async with hub_engine.begin() as connection:
        await connection.execute(touch)
    with pytest.raises(StoreConflict) as refused:
        await stranger.execute(touch)
    status = to_status(refused.value, STATUSES, DOMAIN)
    assert status.code == grpc.StatusCode.UNAVAILABLE.value[0]
    assert any(detail.type_url.endswith("RetryInfo") for detail in status.details)
