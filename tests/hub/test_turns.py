"""Tenants of a lane take turns, priorities age, and what is in doubt is looked up before bulk work."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from hub.jobs.model import Claimed, JobState
from hub.jobs.statements import reader
from hub.jobs.store import PostgresJobStore
from hub.lanes.model import LaneMode
from hub.lanes.store import PostgresLaneLeases, PostgresLaneStore
from hub.lanes.turns import REMEMBERED, Turns, turn_of
from tests.fakes import FakeNotary
from tests.hub.jobs import new_job

LANE = "echo/default"


class Owner:
    """A lane's owner, who claims as the lane does."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._jobs = PostgresJobStore(engine)
        self._lanes = PostgresLaneStore(engine)
        self._turns = Turns()
        self._term = 0

    async def own(self) -> None:
        """Takes the lane."""
        leases = PostgresLaneLeases(self._engine)
        await leases.acquire("h1", [LANE], timedelta(minutes=1))  # makes the lane
        grants = await leases.acquire("h1", [LANE], timedelta(minutes=1))
        self._term = grants[LANE].term

    async def accept(self, first: int, count: int, *, tenant: str, priority: int = 0) -> None:
        """Jobs of a tenant, numbered on from the first."""
        numbers = range(first, first + count)
        await self._jobs.accept([replace(new_job(n, tenant=tenant), priority=priority) for n in numbers])

    async def claim(self, limit: int) -> list[str]:
        """The tenants of the jobs that one claim takes."""
        return [job.tenant for job in await self.claimed(limit)]

    async def claimed(self, limit: int) -> Sequence[Claimed]:
        """What one claim takes."""
        served = self._turns.order()
        got = await self._lanes.claim(LANE, self._term, limit, FakeNotary().intents, served=served)
        jobs = [orphan.claimed for orphan in got]
        self._turns.served(turn_of(job) for job in jobs)
        return jobs

    async def say(self, statement: str, **values: object) -> None:
        """Changes rows."""
        async with self._engine.begin() as connection:
            await connection.execute(text(statement), values)


async def owner(engine: AsyncEngine) -> Owner:
    """An owner of the lane, which there is."""
    one = Owner(engine)
    await one.own()
    return one


async def test_a_tenants_one_job_does_not_wait_behind_anothers_thousands(hub_engine: AsyncEngine) -> None:
    lane = await owner(hub_engine)
    await lane.accept(1, 500, tenant="bulk")
    await lane.claim(10)
    await lane.accept(1001, 1, tenant="small")
    assert "small" in await lane.claim(1)


async def test_tenants_share_a_claim_evenly_however_much_each_has_waiting(hub_engine: AsyncEngine) -> None:
    lane = await owner(hub_engine)
    for first, count, tenant in ((1, 300, "a"), (1001, 30, "b"), (2001, 30, "c")):
        await lane.accept(first, count, tenant=tenant)
    assert Counter(await lane.claim(30)) == {"a": 10, "b": 10, "c": 10}


async def test_where_one_job_is_claimed_at_a_time_tenants_alternate(hub_engine: AsyncEngine) -> None:
    lane = await owner(hub_engine)
    for first, tenant in ((1, "a"), (1001, "b"), (2001, "c")):
        await lane.accept(first, 20, tenant=tenant)
    taken = [(await lane.claim(1))[0] for _ in range(12)]
    assert Counter(taken) == {"a": 4, "b": 4, "c": 4}
    assert all(Counter(taken[i : i + 3]) == {"a": 1, "b": 1, "c": 1} for i in range(0, 12, 3))


async def test_room_that_one_tenant_leaves_is_anothers(hub_engine: AsyncEngine) -> None:
    lane = await owner(hub_engine)
    await lane.accept(1, 50, tenant="a")
    await lane.accept(1001, 2, tenant="b")
    assert Counter(await lane.claim(20)) == {"a": 18, "b": 2}


async def test_a_lower_number_goes_first_and_a_higher_one_does_not_wait_for_ever(
    hub_engine: AsyncEngine,
) -> None:
    lane = await owner(hub_engine)
    await lane.accept(1, 1, tenant="a", priority=3)
    await lane.accept(2, 1, tenant="a", priority=0)
    assert [job.job_id for job in await lane.claimed(1)] == [new_job(2).job_id]
    await lane.accept(3, 1, tenant="a", priority=0)
    await lane.say("UPDATE job SET due_at = due_at - interval '4 minutes' WHERE priority = 3")
    assert [job.job_id for job in await lane.claimed(1)] == [new_job(1).job_id]


async def test_half_of_the_room_is_first_for_what_is_in_doubt(hub_engine: AsyncEngine) -> None:
    lane = await owner(hub_engine)
    await lane.accept(1, 40, tenant="a")
    doubtful = [new_job(n).job_id for n in range(21, 41)]
    await lane.say(
        "UPDATE job SET state = :state, due_at = now() WHERE job_id = ANY(CAST(:ids AS uuid[]))",
        state=int(JobState.IN_DOUBT),
        ids=doubtful,
    )
    assert Counter(job.state for job in await lane.claimed(10)) == {JobState.IN_DOUBT: 5, JobState.RUNNING: 5}


async def test_where_one_job_is_claimed_at_a_time_doubts_and_work_alternate(hub_engine: AsyncEngine) -> None:
    lane = await owner(hub_engine)
    await lane.accept(1, 20, tenant="a")
    await lane.say("UPDATE job SET state = :state WHERE job_id > :id", state=5, id=UUID(new_job(10).job_id))
    taken = [(await lane.claimed(1))[0].state for _ in range(20)]
    assert taken == [JobState.IN_DOUBT, JobState.RUNNING] * 10


async def test_a_claim_reads_no_more_when_a_hundred_thousand_wait_for_later(hub_engine: AsyncEngine) -> None:
    lane = await owner(hub_engine)
    await lane.accept(1, 1, tenant="a")
    await lane.say(
        """
        INSERT INTO job (job_id, created_at, updated_at, expire_at, due_at, state, priority, lane_id, tenant,
                         operation, request_id)
        SELECT gen_random_uuid(), now(), now(), now() + interval '1 day',
               now() + CASE WHEN n % 2 = 0 THEN interval '1 hour' ELSE interval '-1 hour' END,
               4, n % 10, :lane, 'tenant-' || n % 5, 'x', n::text
        FROM generate_series(1, 100000) AS n
        """,
        lane=LANE,
    )
    await lane.say("ANALYZE job")
    async with hub_engine.connect() as connection:
        for statement in ("claim", "next_due"):
            assert await _buffers(connection, statement) < 3_000, statement


async def _buffers(connection: AsyncConnection, statement: str) -> int:
    wanted = {"lane": LANE, "term": 1, "limit": 64, "served": ["a"]}
    said = str(reader("hub.lanes", LaneMode)(statement))
    used = {name: value for name, value in wanted.items() if f":{name}" in said}
    plan = (
        await connection.execute(text(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {said}"), used)
    ).scalar_one()
    top = plan[0]["Plan"]
    await connection.rollback()
    return int(top["Shared Hit Blocks"] + top["Shared Read Blocks"])


@given(st.lists(st.lists(st.sampled_from("abcdef"), max_size=5), max_size=40))
def test_the_order_is_that_of_the_last_service(batches: list[list[str]]) -> None:
    turns = Turns()
    last: dict[str, int] = {}
    for number, tenant in enumerate(tenant for batch in batches for tenant in batch):
        last[tenant] = number
    for batch in batches:
        turns.served(batch)
    assert turns.order() == sorted(last, key=last.__getitem__)


def test_no_more_tenants_are_remembered_than_there_is_room_for() -> None:
    turns = Turns()
    turns.served(str(n) for n in range(2 * REMEMBERED))
    assert turns.order() == [str(n) for n in range(REMEMBERED, 2 * REMEMBERED)]
