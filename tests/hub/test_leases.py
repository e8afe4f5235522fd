"""Leases beside everything else that goes on in a lane."""

import asyncio
from collections.abc import Mapping
from contextlib import AsyncExitStack
from datetime import datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from hub.database.engine import Pools, single
from hub.errors import Overloaded
from hub.jobs.decision import Decision
from hub.jobs.model import JobState
from hub.jobs.statements import reader
from hub.jobs.store import PostgresJobStore
from hub.lanes.breaker import BreakerState
from hub.lanes.model import LaneMode
from hub.lanes.ports import Settlement
from hub.lanes.rows import settlement_columns
from hub.lanes.store import PostgresLaneLeases
from tests.hub.jobs import new_job

STATEMENT = reader("hub.lanes", LaneMode, BreakerState)
LANE, OTHER = "echo/default", "echo/other"
LEASE = timedelta(seconds=30)


async def owned(engine: AsyncEngine, owner: str = "a") -> int:
    """Takes both lanes; the term of the first."""
    leases = PostgresLaneLeases(engine)
    await leases.acquire(owner, [LANE, OTHER], LEASE)
    return (await leases.acquire(owner, [LANE, OTHER], LEASE))[LANE].term


async def lease_of(engine: AsyncEngine, lane: str) -> datetime:
    """Until when a lane is leased."""
    async with single(engine).connect() as connection:
        until = await connection.execute(
            text("SELECT lease_until FROM lane WHERE lane_id = :lane"), {"lane": lane}
        )
        return until.scalar_one()  # type: ignore[no-any-return]


async def adopts(connection: AsyncConnection, term: int) -> None:
    """Adopts what an older owner has claimed."""
    await connection.execute(STATEMENT("adopt"), {"lane": LANE, "term": term})


async def settles(connection: AsyncConnection, term: int) -> None:
    """Settles an attempt that there is not."""
    nothing = Settlement(
        new_job(1).job_id, 1, Decision(JobState.SUCCEEDED), "x", new_job(1).job_id, b"evidence"
    )
    columns = settlement_columns([nothing])
    await connection.execute(STATEMENT("settle"), {"lane": LANE, "term": term, **columns})


async def claims(connection: AsyncConnection, term: int) -> None:
    """Claims the job that waits."""
    await connection.execute(STATEMENT("claim"), {"lane": LANE, "term": term, "limit": 9, "served": []})


@pytest.mark.parametrize("work", [adopts, claims, settles])
async def test_a_lease_is_renewed_beside_a_commit_under_way_and_cannot_be_taken_from_it(  # type: ignore[no-untyped-def]
    hub_engine: AsyncEngine, work
) -> None:
    await PostgresJobStore(hub_engine).accept([new_job(1)])
    term, leases = await owned(hub_engine), PostgresLaneLeases(hub_engine)
    before = await lease_of(hub_engine, LANE)
    async with hub_engine.begin() as under_way, asyncio.timeout(5):
        await work(under_way, term)
        assert (await leases.acquire("a", [LANE, OTHER], LEASE))[LANE].term == term
        assert await lease_of(hub_engine, LANE) > before
        await leases.release("a", [LANE, OTHER])
        # What is under way may still write something that the next owner has to adopt.
        assert set(await leases.acquire("b", [LANE, OTHER], LEASE)) == {OTHER}
    assert (await leases.acquire("b", [LANE, OTHER], LEASE))[LANE].term == term + 1


async def test_a_lane_that_somebody_holds_keeps_no_other_from_being_renewed(hub_engine: AsyncEngine) -> None:
    term, leases = await owned(hub_engine), PostgresLaneLeases(hub_engine)
    before = {lane: await lease_of(hub_engine, lane) for lane in (LANE, OTHER)}
    async with hub_engine.begin() as person, asyncio.timeout(5):
        await person.execute(text("UPDATE lane SET mode = 1 WHERE lane_id = :lane"), {"lane": LANE})
        grants = await leases.acquire("a", [LANE, OTHER], LEASE)
        assert await lease_of(hub_engine, OTHER) > before[OTHER]
    assert grants[LANE].term == term
    assert await lease_of(hub_engine, LANE) == before[LANE]
    await leases.acquire("a", [LANE, OTHER], LEASE)
    assert await lease_of(hub_engine, LANE) > before[LANE]


async def test_callers_that_use_up_their_connections_delay_no_renewal(
    hub_engine: AsyncEngine, hub_database: Mapping[str, str]
) -> None:
    pools = Pools.open(hub_database["hub_rw"])
    term, leases, reads = (
        await owned(hub_engine),
        PostgresLaneLeases(pools.leases),
        PostgresJobStore(pools.edge),
    )
    async with AsyncExitStack() as stack:
        for _ in range(4):
            await stack.enter_async_context(pools.edge.connect())
        callers = [
            asyncio.create_task(reads.page("acme", before="", limit=1, request_id="x")) for _ in range(40)
        ]
        assert (await leases.acquire("a", [LANE, OTHER], LEASE))[LANE].term == term
        await PostgresJobStore(pools.lanes).accept([new_job(1)])
        assert not any(caller.done() for caller in callers)
        refused = await asyncio.gather(*callers, return_exceptions=True)
    assert all(isinstance(error, Overloaded) for error in refused)
    await pools.dispose()
