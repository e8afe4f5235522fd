"""Jobs end when their time is over, whatever their lanes are at; what merely waits costs nothing."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from hub.housekeeping.expiring import BATCH, LONGEST_SECONDS, Expiring
from hub.housekeeping.store import PostgresHousekeepingStore
from hub.jobs.board import wait_for
from hub.jobs.model import JobState
from hub.jobs.statements import reader
from hub.lanes.breaker import BreakerState
from hub.lanes.model import LaneMode
from mesh.clock import SystemClock
from tests.fakes import FakeNotary
from tests.hub.jobs import NOW, new_job
from tests.hub.test_lane import LANE, Bench

MANY = 20_000
_MANY = text(
    "INSERT INTO job (job_id, created_at, updated_at, expire_at, due_at, state, priority, lane_id, tenant, "
    "operation, request_id) SELECT gen_random_uuid(), now(), now(), now() + CAST(:left AS interval), now(), "
    "1, 0, :lane, 'acme', 'Charge', CAST(n AS text) FROM generate_series(1, :many) AS n"
)
_BODIES = text(
    "INSERT INTO job_body (job_id, request_type, request, salt, provider_key, max_attempts, initial_backoff, "
    "max_backoff, actor, principal, trace, labels) "
    "SELECT job_id, '', '', '', '', 3, '1s', '1s', '', '', '{}', '{}' FROM job"
)


@pytest.fixture
async def bench(hub_engine: AsyncEngine) -> AsyncIterator[Bench]:
    """A bench; whatever runs on it is stopped."""
    bench = Bench(hub_engine)
    yield bench
    for loops in bench.running:
        await loops.stop()


def expiring(bench: Bench, engine: AsyncEngine) -> Expiring:
    """The duty, on the bench's board."""
    store = PostgresHousekeepingStore(engine)
    return Expiring(store.expire, store.next_expiry, bench.board.post)


async def waiting(engine: AsyncEngine, many: int, left: timedelta, lane: str = LANE) -> None:
    """Lets so many jobs wait that have so long to live."""
    async with engine.begin() as connection:
        await connection.execute(_MANY, {"many": many, "left": left, "lane": lane})


@asynccontextmanager
async def counted(engine: AsyncEngine) -> AsyncIterator[Any]:
    """A connection on which `EXPLAIN ANALYZE` changes nothing, on tables that are known to the planner."""
    async with engine.connect() as connection:
        yield connection
        await connection.rollback()


async def pages(engine: AsyncEngine, statement: Any, values: dict[str, Any]) -> int:
    """How many pages of the database a statement looks at."""
    explain = text(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {statement}")
    async with counted(engine) as connection:
        plan = (await connection.execute(explain, values)).scalar_one()[0]["Plan"]
        return int(plan["Shared Hit Blocks"] + plan["Shared Read Blocks"])


@pytest.mark.parametrize("trouble", ["no owner", "silent spoke", "log away", "every attempt in use"])
async def test_what_is_over_expires_whatever_keeps_its_lane_from_working(
    bench: Bench, hub_engine: AsyncEngine, trouble: str
) -> None:
    bench.spokes.ready = trouble != "silent spoke"
    bench.log.down = trouble in ("log away", "every attempt in use")
    others = [new_job(n) for n in {"log away": [2], "every attempt in use": range(2, 10)}.get(trouble, [])]
    await bench.jobs.accept(others)
    if trouble != "no owner":
        bench.run(await bench.own())
    if others:
        await bench.until(others[-1], {JobState.RUNNING})
        await wait_for(bench.log.asked, 5)
    job = new_job(1, expire_at=SystemClock().now() + timedelta(seconds=0.2))
    await bench.jobs.accept([job])
    duty = expiring(bench, hub_engine)
    while (found := await bench.jobs.get(job.job_id)) and found.state is not JobState.EXPIRED:
        assert await duty.run_once()
        assert datetime.now(UTC) < job.expire_at + timedelta(seconds=2)
    assert (await bench.until(job, {JobState.EXPIRED})).reason == "EXPIRED"


async def test_who_waits_for_a_job_is_told_that_it_is_over(bench: Bench, hub_engine: AsyncEngine) -> None:
    job = new_job(1, expire_at=NOW)
    ticket = bench.board.ticket(job.job_id)
    await bench.jobs.accept([job])
    await expiring(bench, hub_engine).run_once()
    assert ticket.done()


async def test_a_full_batch_is_followed_by_the_next_at_once(bench: Bench, hub_engine: AsyncEngine) -> None:
    await waiting(hub_engine, BATCH + 1, timedelta())
    duty = expiring(bench, hub_engine)
    assert await duty.run_once() == 0
    assert await duty.run_once() == LONGEST_SECONDS
    assert await PostgresHousekeepingStore(hub_engine).next_expiry() is None


async def test_the_next_look_is_when_the_next_job_is_over(bench: Bench, hub_engine: AsyncEngine) -> None:
    await waiting(hub_engine, 1, timedelta(hours=1))
    duty = expiring(bench, hub_engine)
    assert await duty.run_once() == LONGEST_SECONDS
    await waiting(hub_engine, 1, timedelta(seconds=0.8))
    seconds = await duty.run_once()
    assert seconds
    assert 0.1 <= seconds <= 0.8


async def test_looking_for_what_is_over_does_not_walk_over_what_waits(hub_engine: AsyncEngine) -> None:
    await waiting(hub_engine, MANY, timedelta(hours=1))
    read = reader("hub.housekeeping")
    assert await pages(hub_engine, read("expire"), {"limit": BATCH}) < 20
    assert await pages(hub_engine, read("next_expiry"), {}) < 20


async def test_a_claim_does_not_walk_over_what_is_over(bench: Bench, hub_engine: AsyncEngine) -> None:
    await waiting(hub_engine, MANY, timedelta())
    await waiting(hub_engine, 64, timedelta(hours=1))
    async with hub_engine.begin() as connection:
        await connection.execute(_BODIES)
    duty = expiring(bench, hub_engine)
    while await duty.run_once() == 0:
        pass
    term = await bench.own()
    read = reader("hub.lanes", LaneMode, BreakerState)
    values = {"lane": LANE, "term": term, "limit": 64, "served": []}
    await pages(hub_engine, read("claim"), values)
    assert await pages(hub_engine, read("claim"), values) < 5_000
    assert len(await bench.lanes.claim(LANE, term, 64, FakeNotary().intents)) == 64
