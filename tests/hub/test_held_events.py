"""Events that wait for a job: those that are nobody's cost nothing, and none waits for ever."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from hub.events.model import ArrivedEvent
from hub.events.reconciling import HELD_FOR, LAPSE_BATCH, LAPSE_SECONDS, Lapsing
from hub.events.store import PostgresEventStore
from hub.jobs.decision import Decision
from hub.jobs.model import JobState
from hub.jobs.statements import reader
from hub.plans.model import PlanState
from tests.hub.jobs import agreed
from tests.hub.test_expiring import pages
from tests.hub.test_operations_store import LANE, OUTCOMES, Desk

MANY = 20_000
EARLIER, LATER = (datetime(2026, 1, day, tzinfo=UTC) for day in (1, 2))
_FOREIGN = text(
    "INSERT INTO webhook_event "
    "(lane_id, event_id, type, confirmation, job_id, outcome, received_at, has_job) "
    "SELECT :lane, 'foreign-' || n, 'paid', '', gen_random_uuid(), 'yes', now() - CAST(:age AS interval), "
    "false FROM generate_series(1, CAST(:many AS integer)) AS n"
)
_HANDLED = text("SELECT handled, count(*) AS events FROM webhook_event GROUP BY handled")


async def foreign(engine: AsyncEngine, many: int, age: timedelta) -> None:
    """Lets so many events be held that are about nobody's jobs."""
    async with engine.begin() as connection:
        await connection.execute(_FOREIGN, {"lane": LANE, "many": many, "age": age})


async def handled(engine: AsyncEngine) -> dict[str, int]:
    """How many events have been handled how."""
    async with engine.connect() as connection:
        return {row.handled: row.events for row in await connection.execute(_HANDLED)}


async def happened(engine: AsyncEngine) -> dict[str, datetime]:
    """When each event happened, as its provider says."""
    async with engine.connect() as connection:
        rows = await connection.execute(text("SELECT event_id, happened_at FROM webhook_event"))
        return {row.event_id: row.happened_at for row in rows}


def event(number: int, job_id: str, lane: str = LANE) -> ArrivedEvent:
    """An event about a job."""
    return ArrivedEvent(lane, f"evt-{number}", "paid", job_id, b"yes", b"signed")


@pytest.mark.parametrize(
    ("slice_", "name", "values"),
    [
        ("events", "held_jobs", {}),
        ("events", "lapse_events", {"age": HELD_FOR, "limit": LAPSE_BATCH}),
        ("operators", "alert_reconcile", {"patience": timedelta(minutes=5)}),
    ],
)
async def test_what_is_nobodys_is_not_walked_over(
    hub_engine: AsyncEngine, slice_: str, name: str, values: dict[str, Any]
) -> None:
    await foreign(hub_engine, MANY, timedelta(hours=30))
    assert await pages(hub_engine, reader(f"hub.{slice_}", PlanState)(name), values) < 30


async def test_an_event_about_a_job_of_ours_is_applied_although_many_are_nobodys(
    hub_engine: AsyncEngine,
) -> None:
    desk, events = Desk(hub_engine), PostgresEventStore(hub_engine, OUTCOMES.get, agreed)
    await desk.settled(Decision(JobState.WAITING_CONFIRMATION))
    job_id = desk.job.job_id
    await foreign(hub_engine, 200, timedelta(minutes=1))
    await events.keep(event(1, job_id))
    await events.keep(event(2, job_id, "other/default"))
    async with hub_engine.begin() as connection:
        await connection.execute(text("UPDATE webhook_event SET received_at = now() - interval '3 seconds'"))
    assert await events.held_jobs() == [(job_id, LANE)]


async def test_an_event_that_is_understood_only_later_is_about_a_job_from_then_on(
    hub_engine: AsyncEngine,
) -> None:
    desk, events = Desk(hub_engine), PostgresEventStore(hub_engine, OUTCOMES.get, agreed)
    await desk.settled(Decision(JobState.WAITING_CONFIRMATION))
    await events.keep(ArrivedEvent(LANE, "evt-1", "paid", "", b"", b""))
    assert await events.keep(event(1, desk.job.job_id))
    async with hub_engine.begin() as connection:
        await connection.execute(text("UPDATE webhook_event SET received_at = now() - interval '3 seconds'"))
    assert await events.held_jobs() == [(desk.job.job_id, LANE)]


async def test_an_event_that_is_understood_only_later_keeps_when_it_happened(hub_engine: AsyncEngine) -> None:
    desk, events = Desk(hub_engine), PostgresEventStore(hub_engine, OUTCOMES.get, agreed)
    await desk.settled(Decision(JobState.WAITING_CONFIRMATION))
    for number in (1, 2):
        await events.keep(ArrivedEvent(LANE, f"evt-{number}", "paid", "", b"", b"", happened_at=EARLIER))
    assert await events.keep(replace(event(1, desk.job.job_id), happened_at=LATER))
    assert await events.keep(event(2, desk.job.job_id))
    assert await happened(hub_engine) == {"evt-1": LATER, "evt-2": EARLIER}


async def test_what_has_been_held_for_a_month_lapses_batch_after_batch_and_nothing_younger(
    hub_engine: AsyncEngine,
) -> None:
    await foreign(hub_engine, LAPSE_BATCH + 1, HELD_FOR + timedelta(minutes=1))
    events = PostgresEventStore(hub_engine, OUTCOMES.get, agreed)
    await events.keep(event(1, "01890000-0000-7000-8000-000000000001"))
    duty = Lapsing(events.lapse)
    assert await duty.run_once() == 0
    assert await duty.run_once() == LAPSE_SECONDS
    assert await handled(hub_engine) == {"lapsed": LAPSE_BATCH + 1, "": 1}
