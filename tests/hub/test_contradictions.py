"""An event that contradicts its job settles nothing, is kept, and is told to people."""

import logging
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from hub.alerts.store import PostgresAlertStore
from hub.events.store import PostgresEventStore
from hub.jobs.agreeing import Task
from hub.jobs.model import JobState, NewJob
from hub.lanes.store import PostgresLaneStore
from hub.operators.store import PostgresOperationsStore
from tests.hub.jobs import OPERATION, WORK, new_job
from tests.hub.test_store import LANE, OUTCOMES, event, settle, state_of


def only_no(task: Task, outcome: bytes) -> str | None:
    """A job that a yes contradicts."""
    assert task == Task(OPERATION, "", WORK.request_type, WORK.request)
    return "amount" if outcome == b"yes" else None


async def contradicted(engine: AsyncEngine, job: NewJob) -> PostgresEventStore:
    """A waiting job after an event that contradicts it."""
    events = PostgresEventStore(engine, OUTCOMES.get, only_no)
    await settle(engine, job, JobState.WAITING_CONFIRMATION)
    await events.keep(event(job, "evt_1"))
    assert not await events.apply(job.job_id)
    return events


async def handled(engine: AsyncEngine) -> dict[str, str]:
    """What was done with each event."""
    async with engine.connect() as connection:
        rows = await connection.execute(text("SELECT event_id, handled FROM webhook_event"))
        return {row[0]: row[1] for row in rows}


async def test_it_settles_nothing_is_kept_and_its_confirmation_goes_to_the_log(
    hub_engine: AsyncEngine, caplog: pytest.LogCaptureFixture
) -> None:
    job = new_job(1)
    await contradicted(hub_engine, job)
    assert await state_of(hub_engine, job) is JobState.WAITING_CONFIRMATION
    assert await handled(hub_engine) == {"evt_1": "mismatch"}
    outbox = await PostgresLaneStore(hub_engine).read_outbox(LANE, 10)
    assert [s.envelope for s in outbox].count(b"confirmation") == 1
    (told,) = [r for r in caplog.records if r.levelno == logging.ERROR]
    assert (told.lane, told.job, told.what) == (LANE, job.job_id, "amount")  # type: ignore[attr-defined]


async def test_it_fires_an_alert_that_names_lane_and_job(hub_engine: AsyncEngine) -> None:
    job = new_job(1)
    await contradicted(hub_engine, job)
    (state,) = await PostgresAlertStore(hub_engine).firing()
    assert (state.alert.name, state.alert.severity) == ("EventContradicts", "SEV1")
    assert state.alert.labels == {"provider": "echo", "account": "default", "job": job.job_id}
    assert state.alert.summary == f"An event of {LANE} contradicts job {job.job_id}"


async def test_a_later_event_that_agrees_settles_the_job_still(hub_engine: AsyncEngine) -> None:
    job = new_job(1)
    events = await contradicted(hub_engine, job)
    await events.keep(event(job, "evt_2", b"no"))
    assert await events.apply(job.job_id)
    assert await state_of(hub_engine, job) is JobState.DECLINED
    assert await handled(hub_engine) == {"evt_1": "mismatch", "evt_2": "applied"}


async def test_the_alert_ends_when_the_event_is_a_day_old(hub_engine: AsyncEngine) -> None:
    await contradicted(hub_engine, new_job(1))
    alerts, causes = PostgresAlertStore(hub_engine), PostgresOperationsStore(hub_engine)
    for age, firing in ((timedelta(hours=23), 1), (timedelta(hours=25), 0)):
        async with hub_engine.begin() as connection:
            await connection.execute(
                text("UPDATE alert SET seen_at = now() - CAST(:age AS interval)"), {"age": age}
            )
        await causes.reconcile_alerts(timedelta(minutes=5))
        assert len(await alerts.firing()) == firing
