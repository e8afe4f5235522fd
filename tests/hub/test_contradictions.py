"""An event that contradicts its job settles nothing, is kept, and is told to people and to Core."""

import logging
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from hub.alerts.store import PostgresAlertStore
from hub.events.store import PostgresEventStore
from hub.events.told import EventKind, Told
from hub.jobs.agreeing import Compared, Sum, Task
from hub.jobs.contradicting import Proposal
from hub.jobs.model import JobState, NewJob
from hub.jobs.store import PostgresJobStore
from hub.lanes.store import PostgresLaneStore
from hub.operators.store import PostgresOperationsStore
from tests.hub.jobs import NOW, OPERATION, WORK, new_job, withdrawal
from tests.hub.test_store import LANE, OUTCOMES, event, settle, state_of
from tests.hub.told import told_to


def only_no(task: Task, outcome: bytes) -> Compared:
    """A job that a yes contradicts."""
    assert task == Task(OPERATION, "", WORK.request_type, WORK.request)
    return Compared("amount" if outcome == b"yes" else None, Sum(1250, "EUR"), Sum(1, "EUR"))


async def contradicted(engine: AsyncEngine, job: NewJob) -> PostgresEventStore:
    """A waiting job after an event that contradicts it."""
    events = PostgresEventStore(engine, OUTCOMES.get, only_no)
    await settle(engine, job, JobState.WAITING_CONFIRMATION)
    await events.keep(event(job, "evt_1"))
    assert not await events.apply(job.job_id)
    return events


async def only(engine: AsyncEngine) -> Told:
    """The one event that the tenant is told."""
    told = await told_to(engine)
    assert len(told) == 1
    return told[0]


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


def never(task: Task, outcome: bytes) -> Compared:
    """Events that name what their jobs asked for."""
    return Compared(None, Sum(1250, "EUR"), Sum(1250, "EUR"))


@pytest.mark.parametrize(
    ("ended", "word", "proposal"),
    [
        (JobState.SUCCEEDED, b"no", Proposal.REPEAT),
        (JobState.DECLINED, b"yes", Proposal.ROLL_BACK),
    ],
)
async def test_a_word_against_the_end_is_told_with_both_sides_and_alarms(
    hub_engine: AsyncEngine, ended: JobState, word: bytes, proposal: Proposal
) -> None:
    job, events = new_job(1), PostgresEventStore(hub_engine, OUTCOMES.get, never)
    await settle(hub_engine, job, ended)
    await events.keep(replace(event(job, "evt_1", word), happened_at=NOW))
    assert not await events.apply(job.job_id)
    assert await state_of(hub_engine, job) is ended
    told = await only(hub_engine)
    assert (told.kind, told.lane, told.event_id, told.type) == (
        EventKind.CONTRADICTION,
        LANE,
        "evt_1",
        "payment.settled",
    )
    assert (told.job_id, told.operation, told.happened_at) == (job.job_id, OPERATION, NOW)
    assert (told.state, told.job.word, told.job.amount) == (ended, ended.name, Sum(1250, "EUR"))
    assert told.provider.word == ("DECLINED" if word == b"no" else "SUCCEEDED")
    assert (told.provider.amount, told.differs) == (Sum(1250, "EUR"), "state")
    assert told.proposal is proposal
    (alert,) = await PostgresAlertStore(hub_engine).firing()
    assert alert.alert.key == f"EventContradicts/{LANE}/{job.job_id}"


async def test_a_withdrawn_job_that_the_provider_did_all_the_same_is_told(hub_engine: AsyncEngine) -> None:
    job, events = new_job(1), PostgresEventStore(hub_engine, OUTCOMES.get, never)
    jobs = PostgresJobStore(hub_engine)
    await jobs.accept([job])
    assert await jobs.cancel(job.job_id, withdrawal())
    await events.keep(event(job))
    await events.apply(job.job_id)
    told = await only(hub_engine)
    assert (told.state, told.proposal) == (JobState.CANCELLED, Proposal.ROLL_BACK)


async def test_another_amount_than_asked_for_is_told_to_its_tenant_alone(hub_engine: AsyncEngine) -> None:
    job = new_job(1)
    await contradicted(hub_engine, job)
    told = await only(hub_engine)
    assert (told.state, told.differs, told.proposal) == (
        JobState.WAITING_CONFIRMATION,
        "amount",
        Proposal.INVESTIGATE,
    )
    assert (told.job.amount, told.provider.amount) == (Sum(1250, "EUR"), Sum(1, "EUR"))
    assert await told_to(hub_engine, "beta") == []
    assert await told_to(hub_engine, "") == []


async def test_a_job_is_contradicted_as_it_stands_after_the_events_before(hub_engine: AsyncEngine) -> None:
    job, events = new_job(1), PostgresEventStore(hub_engine, OUTCOMES.get, never)
    await settle(hub_engine, job, JobState.WAITING_CONFIRMATION)
    await events.keep_all([event(job, "a"), event(job, "b", b"no"), event(job, "c")])
    assert await events.apply(job.job_id)
    told = await only(hub_engine)
    assert (told.event_id, told.state, told.job.reference) == ("b", JobState.SUCCEEDED, "ref")
    assert await told_to(hub_engine, after=told.cursor) == []
    assert await handled(hub_engine) == {"a": "applied", "b": "mismatch", "c": "late"}
