"""What waits is counted by what changes it: to know how much there is costs the same, however much it is."""

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from hub.database.migrate import migrate
from hub.housekeeping.folding import Folding
from hub.housekeeping.store import PostgresHousekeepingStore
from hub.intake.store import PostgresIntakeStore
from hub.jobs.decision import Decision
from hub.jobs.letters import Cause
from hub.jobs.model import JobState
from hub.jobs.statements import reader
from hub.lanes.breaker import BreakerState
from hub.lanes.model import LaneMode
from hub.lanes.ports import Orphan, Settlement
from hub.operators.store import PostgresOperationsStore
from hub.plans.model import PlanState
from tests.fakes import FakeNotary
from tests.hub.jobs import new_job
from tests.hub.test_expiring import MANY, pages, waiting
from tests.hub.test_migrations import bring_to
from tests.hub.test_operations_store import PARKED, Desk

LANE = "echo/default"
PAUSED = "echo/paused"
NO_FILTER: Mapping[str, Any] = {
    **dict.fromkeys(("provider", "account", "tenant", "operation", "reason"), ""),
    **dict.fromkeys(("start", "end", "before", "before_job")),
    "cause": 0,
}
COUNTED = text(
    "SELECT lane_id, tenant, state, is_claimed, CAST(sum(jobs) AS bigint) FROM job_count "
    "GROUP BY 1, 2, 3, 4 HAVING sum(jobs) <> 0 ORDER BY 1, 2, 3, 4"
)
STANDING = text(
    "SELECT lane_id, tenant, state, claimed_term <> 0, count(*) FROM job "
    "GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4"
)
LETTERS_COUNTED = text(
    "SELECT lane_id, CAST(sum(letters) AS bigint) FROM letter_count "
    "GROUP BY 1 HAVING sum(letters) <> 0 ORDER BY 1"
)
LETTERS_OPEN = text("SELECT lane_id, count(*) FROM dead_letter WHERE left_at IS NULL GROUP BY 1 ORDER BY 1")
_LETTERS = text(
    "INSERT INTO dead_letter (job_id, seq, lane_id, tenant, operation, cause, reason, alert_key, entered_at, "
    "left_at) SELECT gen_random_uuid(), 1, :lane, 'acme', 'o', 1, 'r', '', now() - n * interval '1 s', "
    "CASE WHEN n % 2 = 0 THEN now() END FROM generate_series(1, :many) AS n"
)
_PAUSED = text("INSERT INTO lane (lane_id, provider, account) VALUES (:lane, 'echo', 'paused')")


async def rows(engine: AsyncEngine, statement: Any) -> list[tuple[Any, ...]]:
    """What a statement finds."""
    async with engine.connect() as connection:
        return [tuple(row) for row in await connection.execute(statement)]


async def settle(desk: Desk, orphan: Orphan, decision: Decision) -> None:
    """Lets an attempt end in a decision."""
    claimed = orphan.claimed
    end = Settlement(claimed.job_id, claimed.seq, decision, "unknown", claimed.job_id, b"evidence")
    await desk.lanes.settle(LANE, desk.term, [end])


async def agrees(engine: AsyncEngine) -> bool:
    """Whether the counts are those of what stands."""
    jobs = await rows(engine, COUNTED) == await rows(engine, STANDING)
    return jobs and await rows(engine, LETTERS_COUNTED) == await rows(engine, LETTERS_OPEN)


@pytest.fixture
async def full(hub_engine: AsyncEngine, hub_database: Mapping[str, str]) -> AsyncEngine:
    """Many jobs wait in a lane beside another that works, and many dead letters are and were there."""
    await Desk(hub_engine).settled(PARKED)
    await waiting(hub_engine, MANY, timedelta(hours=1), PAUSED)
    async with hub_engine.begin() as connection:
        await connection.execute(_PAUSED, {"lane": PAUSED})
        await connection.execute(_LETTERS, {"lane": PAUSED, "many": MANY})
    await PostgresHousekeepingStore(hub_engine).fold()
    owner = create_async_engine(hub_database["hub_owner"], isolation_level="AUTOCOMMIT")
    async with owner.connect() as connection:
        await connection.execute(text("VACUUM (ANALYZE)"))
    await owner.dispose()
    return hub_engine


async def test_counting_the_backlog_does_not_read_what_waits(full: AsyncEngine) -> None:
    assert await pages(full, reader("hub.intake")("backlog"), {}) < 20
    assert await PostgresIntakeStore(full).count() == {(PAUSED, "acme"): MANY}, (
        "what is parked counts for nothing"
    )


async def test_lanes_are_shown_without_reading_what_waits_or_what_is_dead(full: AsyncEngine) -> None:
    read = reader("hub.operators", LaneMode, BreakerState, PlanState)
    assert await pages(full, read("lanes"), {}) < 120
    assert await pages(full, read("lane_get"), {"lane": PAUSED}) < 120
    store = PostgresOperationsStore(full)
    seen = {view.lane: view for view in await store.lanes()}
    assert (seen[PAUSED].waiting, seen[PAUSED].letters) == (MANY, MANY // 2)
    assert (seen[LANE].waiting, seen[LANE].in_doubt, seen[LANE].letters) == (0, 0, 1)
    assert seen[PAUSED].oldest_seconds is not None
    assert seen[LANE].oldest_seconds is None
    one = await store.lane(PAUSED)
    assert (one.waiting, one.letters) == (MANY, MANY // 2)


async def generic_pages(engine: AsyncEngine, statement: Any, values: Mapping[str, str]) -> int:
    """How many pages a statement looks at with the plan that the hub runs, which knows no values."""
    names = list(values)
    said = str(statement)
    for number, name in enumerate(names, 1):
        said = said.replace(f":{name}", f"${number}")
    given = f"({', '.join(values.values())})" if names else ""
    async with engine.connect() as connection:
        await connection.exec_driver_sql("SET LOCAL plan_cache_mode = force_generic_plan")
        await connection.exec_driver_sql(f"PREPARE asked AS {said}")
        explained = f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) EXECUTE asked{given}"
        plan = (await connection.exec_driver_sql(explained)).scalar_one()[0]["Plan"]
        await connection.exec_driver_sql("DEALLOCATE asked")
        await connection.rollback()
        return int(plan["Shared Hit Blocks"] + plan["Shared Read Blocks"])


async def test_what_a_lane_does_beside_a_full_one_does_not_read_what_waits_there(
    full: AsyncEngine,
) -> None:
    claim = {"lane": f"'{LANE}'", "term": "2", "limit": "64", "served": "'{}'"}
    lanes = reader("hub.lanes", LaneMode, BreakerState)
    assert await generic_pages(full, reader("hub.housekeeping")("lanes_at_work"), {}) < 100
    assert await generic_pages(full, lanes("claim"), claim) < 100
    assert await generic_pages(full, lanes("next_due"), {"lane": f"'{LANE}'"}) < 100


async def test_a_page_of_all_letters_does_not_read_the_others(full: AsyncEngine) -> None:
    read = reader("hub.operators", LaneMode, BreakerState, PlanState)
    values = {**NO_FILTER, "limit": 51}
    assert await pages(full, read("letters_any"), values) < 120
    assert await pages(full, read("letters_page"), values) < 120


async def test_the_counts_are_those_of_what_stands_wherever_a_job_goes(hub_engine: AsyncEngine) -> None:
    desk = Desk(hub_engine)
    await desk.settled(PARKED)
    assert await agrees(hub_engine)
    await desk.jobs.accept([new_job(n, tenant=f"t{n % 3}") for n in range(10, 30)])
    claimed = await desk.lanes.claim(LANE, desk.term, 5, FakeNotary().intents)
    assert await agrees(hub_engine)
    states = (JobState.SUCCEEDED, JobState.RETRY_WAIT, JobState.WAITING_CONFIRMATION, JobState.IN_DOUBT)
    for orphan, state in zip(claimed, states, strict=False):
        await settle(desk, orphan, Decision(state, timedelta(), "R"))
    await settle(desk, claimed[4], Decision(JobState.DEAD, None, "R", letter=Cause.POISON))
    assert await agrees(hub_engine)
    async with hub_engine.begin() as connection:
        await connection.execute(text("UPDATE job SET expire_at = now()"))
    await desk.house.expire(100)
    assert await agrees(hub_engine)


async def test_folding_beside_writers_loses_no_count(hub_engine: AsyncEngine) -> None:
    desk = Desk(hub_engine)
    await desk.settled(PARKED)
    fold = Folding(desk.house.fold)
    for n in range(100, 120):
        await asyncio.gather(
            desk.jobs.accept([new_job(10 * n)]),
            desk.jobs.accept([new_job(10 * n + 1)]),
            fold.run_once(),
            fold.run_once(),
        )
    assert await agrees(hub_engine)
    await fold.run_once()
    assert len(await rows(hub_engine, text("SELECT * FROM job_count"))) == len(
        await rows(hub_engine, COUNTED)
    )


async def test_what_stood_before_counts_were_kept_is_counted(empty_hub_database: Mapping[str, str]) -> None:
    engine = create_async_engine(empty_hub_database["hub_owner"])
    async with engine.begin() as connection:
        await connection.run_sync(bring_to, "0018")
    await waiting(engine, 10, timedelta(hours=1))
    async with engine.begin() as connection:
        await connection.execute(_LETTERS, {"lane": LANE, "many": 10})
    await migrate(empty_hub_database["hub_owner"])
    assert await rows(engine, COUNTED)
    assert await agrees(engine)
    await engine.dispose()
