"""What operators ask for costs what is answered, not what the tables hold."""

from collections.abc import Awaitable
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from hub.jobs.letters import Cause
from hub.jobs.model import JobState
from hub.lanes.model import LaneMode
from hub.operators.store import PostgresOperationsStore
from hub.plans.model import Filter
from hub.plans.store import PostgresPlanStore

MANY = 2_000
JOB = "01890000-0000-7000-8000-000000000007"
MADE = "CAST('01890000-0000-7000-8000-' || lpad(CAST(n AS text), 12, '0') AS uuid)"
SUCCEEDED = f"""
INSERT INTO job_done SELECT {MADE}, now(), now(), now(), 1, {JobState.SUCCEEDED:d}, 'echo/default', 'acme',
    'service/Charge', 'key-' || n, 'ref', '', '', '', '' FROM generate_series(1, {MANY}) AS n
"""
WAITING = f"""
INSERT INTO job (job_id, created_at, updated_at, expire_at, due_at, state, priority, lane_id, tenant,
                 operation, request_id)
SELECT {MADE}, now(), now(), now() + interval '1 hour', now(), {JobState.QUEUED:d}, 0,
       CASE WHEN n <= 3 THEN 'echo/default' ELSE 'echo/other' END, 'acme', 'service/Charge', 'key-' || n
FROM generate_series(1, {MANY}) AS n
"""
LETTERS = f"""
INSERT INTO dead_letter (job_id, seq, lane_id, tenant, operation, cause, reason, entered_at, alert_key,
                         left_at)
SELECT {MADE}, 1, 'echo/default', 'acme', 'service/Charge', {Cause.POISON:d}, '',
       now() - n * interval '1 second', '', CASE WHEN n % 400 = 7 THEN NULL ELSE now() END
FROM generate_series(1, {MANY}) AS n
"""


class Store:
    """A full store, and how many rows of a table are read."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self.plans = PostgresPlanStore(engine)
        self.operators = PostgresOperationsStore(engine)

    async def fill(self, *statements: str) -> None:
        """Puts rows in; the planner gets no figures of them that a running hub would not have."""
        async with self._engine.begin() as connection:
            for statement in statements:
                await connection.execute(text(statement))

    async def rows_read(self, table: str, asking: Awaitable[object]) -> int:
        """How many rows of a table an answer took, as the database counts them."""
        before = await self._read(table)
        await asking
        return await self._read(table) - before

    async def _read(self, table: str) -> int:
        # One connection serves whoever asks in turn, so this flushes what the one before has counted.
        async with self._engine.connect() as connection:
            await connection.execute(text("SELECT pg_stat_force_next_flush()"))
            await connection.commit()
            counted = (
                "SELECT seq_tup_read + COALESCE(idx_tup_fetch, 0) FROM pg_stat_user_tables WHERE relname = :t"
            )
            return int((await connection.execute(text(counted), {"t": table})).scalar_one())


@pytest.fixture
async def store(hub_engine: AsyncEngine) -> Store:
    """A store with nothing in it."""
    return Store(hub_engine)


async def test_a_rollback_of_named_jobs_reads_only_those(store: Store) -> None:
    await store.fill(SUCCEEDED)
    asking = store.plans.succeeded_jobs(Filter(job_ids=(JOB,)), 10)
    assert 1 <= await store.rows_read("job_done", asking) <= 5


@pytest.mark.parametrize("asks", ["plan", "page", "page of all", "count"])
async def test_letters_of_named_jobs_are_the_only_ones_read(store: Store, asks: str) -> None:
    await store.fill(LETTERS.replace("n % 400 = 7", "n > 0"), WAITING)
    wanted, operators = Filter(job_ids=(JOB,)), store.operators
    asking: Awaitable[object] = {
        "plan": lambda: store.plans.open_letters(wanted, 10),
        "page": lambda: operators.letters(wanted, also_left=False, before=None, limit=10),
        "page of all": lambda: operators.letters(wanted, also_left=True, before=None, limit=10),
        "count": lambda: operators.letter_groups(wanted),
    }[asks]()
    assert 1 <= await store.rows_read("dead_letter", asking) <= 5


async def test_a_page_of_open_letters_reads_none_that_have_left(store: Store) -> None:
    await store.fill(LETTERS)
    asking = store.operators.letters(Filter(), also_left=False, before=None, limit=10)
    assert 1 <= await store.rows_read("dead_letter", asking) <= 10


async def test_one_lane_is_shown_without_reading_the_jobs_of_others(store: Store) -> None:
    lanes = "INSERT INTO lane (lane_id, provider, account) VALUES ('echo/default', 'echo', 'default')"
    await store.fill(WAITING, lanes)
    assert 1 <= await store.rows_read("job", store.operators.lane("echo/default")) <= 10
    lane = await store.operators.lane("echo/default")
    assert (lane.waiting, lane.running, lane.mode) == (3, 0, LaneMode.WORKING)
    (same,) = await store.operators.lanes()
    assert abs((same.oldest_seconds or 0) - (lane.oldest_seconds or 0)) < timedelta(minutes=1).total_seconds()


async def test_a_provider_is_matched_by_its_whole_name(store: Store) -> None:
    await store.fill(SUCCEEDED, LETTERS, WAITING)
    for provider, found in (("echo", True), ("ech_", False), ("%", False)):
        wanted = Filter(provider=provider)
        assert bool(await store.plans.succeeded_jobs(wanted, 10)) is found
        assert bool(await store.plans.open_letters(wanted, 10)) is found
