"""Many webhooks' events in one commit: each for itself, as if it had come alone."""

import asyncio
from dataclasses import replace

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from hub.events.model import ArrivedEvent
from hub.events.store import PostgresEventStore
from hub.jobs.model import JobState
from hub.jobs.store import PostgresJobStore
from hub.lanes.store import PostgresLaneStore
from tests.hub.jobs import agreed, new_job
from tests.hub.test_store import LANE, OUTCOMES, begin, event, settle, settlement, state_of


async def test_each_is_new_once_whether_its_redelivery_comes_with_it_or_after_it(
    hub_engine: AsyncEngine,
) -> None:
    events = PostgresEventStore(hub_engine, OUTCOMES.get, agreed)
    first, other = event(new_job(1), "evt_1"), event(new_job(2), "evt_2")
    assert [k.is_new for k in await events.keep_all([first, other, first])] == [True, True, False]
    assert [k.is_new for k in await events.keep_all([other, first])] == [False, False]


async def test_each_brings_the_trace_of_its_job_if_there_is_one(hub_engine: AsyncEngine) -> None:
    job = new_job(1)
    await PostgresJobStore(hub_engine).accept([job])
    events = PostgresEventStore(hub_engine, OUTCOMES.get, agreed)
    kept = await events.keep_all([event(new_job(2), "evt_2"), event(job, "evt_1")])
    assert [k.trace for k in kept] == [{}, dict(job.origin.trace)]
    assert kept[1].trace


async def test_they_settle_each_its_own_job_in_one_commit(hub_engine: AsyncEngine) -> None:
    events = PostgresEventStore(hub_engine, OUTCOMES.get, agreed)
    paid, declined, ended, unknown = (new_job(n) for n in (1, 2, 3, 4))
    term, orphans = await begin(hub_engine, paid, declined, ended)
    waiting, over = JobState.WAITING_CONFIRMATION, JobState.SUCCEEDED
    settlements = [settlement(o, over if o.claimed.job_id == ended.job_id else waiting) for o in orphans]
    await PostgresLaneStore(hub_engine).settle(LANE, term, settlements)
    said = [event(paid, "a"), event(declined, "b", b"no"), event(ended, "c"), event(unknown, "d")]
    await events.keep_all(said)
    asked = [job.job_id for job in (unknown, ended, declined, paid)]
    before = await _commits(hub_engine)
    assert await events.apply_all([*asked, paid.job_id]) == [False, False, True, True, True]
    assert [await state_of(hub_engine, job) for job in (paid, declined, ended)] == [
        JobState.SUCCEEDED,
        JobState.DECLINED,
        JobState.SUCCEEDED,
    ]
    assert await _handled(hub_engine) == {"a": "applied", "b": "applied", "c": "late", "d": ""}
    assert await _commits(hub_engine) == before + 1
    outbox = await PostgresLaneStore(hub_engine).read_outbox(LANE, 10)
    assert [s.envelope for s in outbox].count(b"confirmation") == 3


async def test_the_same_word_again_is_late_and_another_contradicts(hub_engine: AsyncEngine) -> None:
    job, events = new_job(1), PostgresEventStore(hub_engine, OUTCOMES.get, agreed)
    await settle(hub_engine, job, JobState.WAITING_CONFIRMATION)
    await events.keep_all([event(job, "a"), event(job, "b"), event(job, "c", b"no")])
    assert await events.apply_all([job.job_id]) == [True]
    assert await state_of(hub_engine, job) is JobState.SUCCEEDED
    assert await _handled(hub_engine) == {"a": "applied", "b": "late", "c": "mismatch"}


async def test_what_is_about_no_job_waits_for_nothing(hub_engine: AsyncEngine) -> None:
    events = PostgresEventStore(hub_engine, OUTCOMES.get, agreed)
    nothing = ArrivedEvent(LANE, "a", "balance.available", "", b"", b"")
    await events.keep_all([nothing, event(new_job(1), "b")])
    assert await _handled(hub_engine) == {"a": "noted", "b": ""}


async def test_what_said_nothing_settles_its_job_once_it_is_understood_and_only_once(
    hub_engine: AsyncEngine,
) -> None:
    job, events = new_job(1), PostgresEventStore(hub_engine, OUTCOMES.get, agreed)
    await settle(hub_engine, job, JobState.WAITING_CONFIRMATION)
    said = event(job, "a")
    mute = replace(said, job_id="", outcome=b"", confirmation=b"")
    assert [k.is_new for k in await events.keep_all([mute, said, said])] == [True, True, False]
    assert await _handled(hub_engine) == {"a": ""}
    assert await events.apply(job.job_id)
    assert [k.is_new for k in await events.keep_all([mute, said])] == [False, False]
    assert await _handled(hub_engine) == {"a": "applied"}
    assert await state_of(hub_engine, job) is JobState.SUCCEEDED


async def test_what_was_of_another_type_or_about_another_job_stands(hub_engine: AsyncEngine) -> None:
    events = PostgresEventStore(hub_engine, OUTCOMES.get, agreed)
    said = event(new_job(1), "a")
    await events.keep_all([replace(said, outcome=b"", confirmation=b"")])
    others = [replace(said, type="payment.created"), replace(said, job_id=new_job(2).job_id)]
    assert [k.is_new for k in await events.keep_all(others)] == [False, False]
    assert [k.is_new for k in await events.keep_all([said])] == [True]


async def test_a_job_that_is_just_being_settled_holds_up_none_of_the_others(hub_engine: AsyncEngine) -> None:
    busy, free, events = new_job(1), new_job(2), PostgresEventStore(hub_engine, OUTCOMES.get, agreed)
    term, orphans = await begin(hub_engine, busy, free)
    settlements = [settlement(o, JobState.WAITING_CONFIRMATION) for o in orphans]
    await PostgresLaneStore(hub_engine).settle(LANE, term, settlements)
    await events.keep_all([event(busy, "a"), event(free, "b")])
    async with hub_engine.begin() as writing:
        await writing.execute(text("SELECT 1 FROM job WHERE job_id = :id FOR UPDATE"), {"id": busy.job_id})
        applying = asyncio.create_task(events.apply_all([busy.job_id, free.job_id]))
        async with asyncio.timeout(5):
            while await state_of(hub_engine, free) is not JobState.SUCCEEDED:
                await asyncio.sleep(0.01)
        assert await state_of(hub_engine, busy) is JobState.WAITING_CONFIRMATION
    assert await applying == [True, True]
    assert await state_of(hub_engine, busy) is JobState.SUCCEEDED


async def _handled(engine: AsyncEngine) -> dict[str, str]:
    async with engine.connect() as connection:
        rows = await connection.execute(text("SELECT event_id, handled FROM webhook_event"))
        return {row[0]: row[1] for row in rows}


async def _commits(engine: AsyncEngine) -> int:
    """How many transactions have written to the tables of events and jobs so far."""
    script = """
        SELECT count(DISTINCT xmin::text) FROM (
            SELECT xmin FROM webhook_event WHERE handled <> ''
            UNION ALL SELECT xmin FROM job_done WHERE state <> 6 OR provider_reference <> ''
        ) AS written
    """
    async with engine.connect() as connection:
        return int((await connection.execute(text(script))).scalar_one())
