"""The hub's store on real Postgres."""

import asyncio
from collections.abc import Mapping
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.ext.asyncio import AsyncEngine

from hub.database.engine import open_engine, single
from hub.errors import KeyReused, LaneLost
from hub.events.model import ArrivedEvent
from hub.events.store import PostgresEventStore
from hub.housekeeping.store import PostgresHousekeepingStore
from hub.intake.submit import Submission
from hub.jobs.decision import Decision
from hub.jobs.event_store import PostgresEventLog
from hub.jobs.model import JobState, NewJob
from hub.jobs.outcome import Declined, Outcome, Succeeded
from hub.jobs.store import PostgresJobStore
from hub.lanes.ports import Orphan, Settlement
from hub.lanes.store import PostgresLaneLeases, PostgresLaneStore
from tests.fakes import FakeNotary, HandClock
from tests.hub.jobs import NOW, agreed, new_job, withdrawal

LANE = "echo/default"
OUTCOMES: dict[bytes, Outcome] = {b"yes": Succeeded("T", b"r", "ref"), b"no": Declined("NO", "")}


async def own(engine: AsyncEngine, owner: str = "hub-a") -> int:
    """Takes the lane; its term."""
    leases = PostgresLaneLeases(engine)
    await leases.acquire(owner, [LANE], timedelta(seconds=30))
    return (await leases.acquire(owner, [LANE], timedelta(seconds=30)))[LANE].term


def settlement(orphan: Orphan, state: JobState) -> Settlement:
    """The end of an attempt in a state."""
    claimed = orphan.claimed
    return Settlement(claimed.job_id, claimed.seq, Decision(state), "x", claimed.job_id, b"evidence")


async def begin(engine: AsyncEngine, *jobs: NewJob) -> tuple[int, list[Orphan]]:
    """Accepts jobs and claims their first attempts."""
    await PostgresJobStore(engine).accept(list(jobs))
    term = await own(engine)
    return term, await PostgresLaneStore(engine).claim(LANE, term, 100, FakeNotary().intents)


async def settle(engine: AsyncEngine, job: NewJob, state: JobState) -> None:
    """Carries a job through one attempt into a state."""
    term, orphans = await begin(engine, job)
    await PostgresLaneStore(engine).settle(LANE, term, [settlement(o, state) for o in orphans])


async def state_of(engine: AsyncEngine, job: NewJob) -> JobState:
    """Where a job stands."""
    found = await PostgresJobStore(engine).get(job.job_id)
    assert found is not None
    return found.state


def event(job: NewJob, event_id: str = "evt_1", outcome: bytes = b"yes") -> ArrivedEvent:
    """A verified event that speaks of a job."""
    return ArrivedEvent(LANE, event_id, "payment.settled", job.job_id, outcome, b"confirmation")


async def test_the_same_request_id_finds_the_first_job_also_within_one_commit(
    hub_engine: AsyncEngine,
) -> None:
    store = PostgresJobStore(hub_engine)
    first, twin, later = (new_job(n, request_id="same") for n in (1, 2, 3))
    answers = await store.accept([first, twin])
    answers += await store.accept([later])
    assert [a.job_id for a in answers] == [first.job_id] * 3
    assert [a.created_at is None for a in answers] == [False, True, True]
    assert await store.get(twin.job_id) is None


async def test_the_same_request_id_of_another_tenant_is_another_job(hub_engine: AsyncEngine) -> None:
    ours, theirs = new_job(1, request_id="same"), new_job(2, request_id="same", tenant="other")
    answers = await PostgresJobStore(hub_engine).accept([ours, theirs])
    assert [a.job_id for a in answers] == [ours.job_id, theirs.job_id]


async def test_a_reused_request_id_with_other_content_names_the_first_job(hub_engine: AsyncEngine) -> None:
    store = PostgresJobStore(hub_engine)

    async def accept(job: NewJob):  # type: ignore[no-untyped-def]
        return (await store.accept([job]))[0]

    submission = Submission(accept=accept, clock=HandClock(), hint=lambda lane: None)
    first = new_job(1, request_id="same")
    await submission.submit(first)
    with pytest.raises(KeyReused) as refused:
        await submission.submit(new_job(2, request_id="same", fingerprint=b"other" * 6 + b"xx"))
    assert refused.value.metadata["job_id"] == first.job_id


async def test_a_claim_is_seen_by_one_claimer_only(hub_engine: AsyncEngine) -> None:
    await PostgresJobStore(hub_engine).accept([new_job(n) for n in range(20)])
    term, lanes = await own(hub_engine), PostgresLaneStore(hub_engine)
    batches = await asyncio.gather(*(lanes.claim(LANE, term, 5, FakeNotary().intents) for _ in range(6)))
    batches.append(await lanes.claim(LANE, term, 20, FakeNotary().intents))
    claimed = [o.claimed.job_id for batch in batches for o in batch]
    assert len(claimed) == len(set(claimed)) == 20


async def test_a_claim_under_a_spent_term_gets_nothing(hub_engine: AsyncEngine) -> None:
    await PostgresJobStore(hub_engine).accept([new_job(1)])
    term = await own(hub_engine)
    assert await PostgresLaneStore(hub_engine).claim(LANE, term - 1, 5, FakeNotary().intents) == []


async def test_a_lease_that_runs_cannot_be_taken_and_a_released_one_has_a_new_term(
    hub_engine: AsyncEngine,
) -> None:
    term, leases = await own(hub_engine), PostgresLaneLeases(hub_engine)
    assert await leases.acquire("hub-b", [LANE], timedelta(seconds=30)) == {}
    await leases.release("hub-a", [LANE])
    assert (await leases.acquire("hub-b", [LANE], timedelta(seconds=30)))[LANE].term == term + 1


async def test_an_attempt_is_settled_once(hub_engine: AsyncEngine) -> None:
    term, orphans = await begin(hub_engine, new_job(1))
    lanes = PostgresLaneStore(hub_engine)
    await lanes.settle(LANE, term, [settlement(orphans[0], JobState.SUCCEEDED)])
    with pytest.raises(LaneLost):
        await lanes.settle(LANE, term, [settlement(orphans[0], JobState.DECLINED)])
    assert await state_of(hub_engine, new_job(1)) is JobState.SUCCEEDED


async def test_a_job_is_withdrawn_before_it_begins_and_not_after(hub_engine: AsyncEngine) -> None:
    store = PostgresJobStore(hub_engine)
    await store.accept([new_job(1)])
    assert await store.cancel(new_job(1).job_id, withdrawal())
    assert not await store.cancel(new_job(1).job_id, withdrawal())
    await begin(hub_engine, new_job(2))
    assert not await store.cancel(new_job(2).job_id, withdrawal())
    assert await state_of(hub_engine, new_job(2)) is JobState.RUNNING


async def test_several_jobs_are_read_at_once_wherever_they_stand(hub_engine: AsyncEngine) -> None:
    store, over, waiting, unknown = PostgresJobStore(hub_engine), new_job(1), new_job(2), new_job(3)
    await settle(hub_engine, over, JobState.SUCCEEDED)
    await store.accept([waiting])
    found = await store.get_all([over.job_id, waiting.job_id, unknown.job_id])
    assert {job_id: job.state for job_id, job in found.items()} == {
        over.job_id: JobState.SUCCEEDED,
        waiting.job_id: JobState.QUEUED,
    }
    assert found[over.job_id] == await store.get(over.job_id)
    assert await store.get_all([]) == {}


async def test_pages_hold_jobs_newest_first_wherever_they_stand(hub_engine: AsyncEngine) -> None:
    store = PostgresJobStore(hub_engine)
    await store.accept([new_job(n) for n in range(1, 6)])
    await store.cancel(new_job(3).job_id, withdrawal())
    first = await store.page("acme", before="", limit=3)
    second = await store.page("acme", before=first[-1].job_id, limit=3)
    assert [j.request_id for j in first + second] == [f"request-{n}" for n in (5, 4, 3, 2, 1)]
    cancelled = await store.page("acme", before="", limit=9, states=[JobState.CANCELLED])
    assert [j.job_id for j in cancelled] == [new_job(3).job_id]
    assert await store.page("other", before="", limit=9) == []


async def test_the_job_of_a_key_is_found_by_the_key_and_not_among_all_jobs(
    hub_engine: AsyncEngine, hub_database: Mapping[str, str]
) -> None:
    await PostgresJobStore(hub_engine).accept([new_job(n) for n in range(1, 5_000)])
    engine = open_engine(hub_database["hub_rw"], connections=1)
    (job,) = await PostgresJobStore(engine).page("acme", before="", limit=9, request_id="request-1")
    assert job.job_id == new_job(1).job_id
    async with single(engine).connect() as connection:
        await connection.execute(text("SELECT pg_stat_force_next_flush()"))
        rows = await connection.execute(
            text(
                "SELECT sum(seq_tup_read + COALESCE(idx_tup_fetch, 0)) FROM pg_stat_user_tables"
                " WHERE relname IN ('job', 'job_done')"
            )
        )
        assert rows.scalar_one() < 100
    await engine.dispose()


async def test_a_providers_name_is_no_pattern(hub_engine: AsyncEngine) -> None:
    store = PostgresJobStore(hub_engine)
    await store.accept([new_job(1), new_job(2)])
    await store.cancel(new_job(2).job_id, withdrawal())
    for pattern in ("%", "ech_", "_cho", "ec"):
        assert await store.page("acme", before="", limit=9, provider=pattern) == []
    assert len(await store.page("acme", before="", limit=9, provider="echo")) == 2


async def test_the_job_of_a_key_is_found_only_where_the_other_filters_fit(hub_engine: AsyncEngine) -> None:
    store = PostgresJobStore(hub_engine)
    await store.accept([new_job(n) for n in range(1, 4)])
    await store.cancel(new_job(2).job_id, withdrawal())
    for kept, filters in [
        (True, {}),
        (True, {"states": [JobState.CANCELLED]}),
        (True, {"provider": "echo"}),
        (False, {"states": [JobState.QUEUED]}),
        (False, {"provider": "ech_"}),
    ]:
        page = await store.page("acme", before="", limit=9, request_id="request-2", **filters)  # type: ignore[arg-type]
        assert [j.job_id for j in page] == ([new_job(2).job_id] if kept else [])
    assert await store.page("acme", before=new_job(2).job_id, limit=9, request_id="request-2") == []
    assert await store.page("other", before="", limit=9, request_id="request-2") == []


async def test_a_webhook_settles_a_waiting_job_and_its_redelivery_changes_nothing(
    hub_engine: AsyncEngine,
) -> None:
    job, events = new_job(1), PostgresEventStore(hub_engine, OUTCOMES.get, agreed)
    await settle(hub_engine, job, JobState.WAITING_CONFIRMATION)
    assert await events.keep(event(job))
    assert await events.apply(job.job_id)
    assert not await events.keep(event(job))
    assert not await events.apply(job.job_id)
    assert await state_of(hub_engine, job) is JobState.SUCCEEDED


async def test_an_early_webhook_is_held_while_the_attempt_runs_and_applied_after_it(
    hub_engine: AsyncEngine,
) -> None:
    job, events, lanes = (
        new_job(1),
        PostgresEventStore(hub_engine, OUTCOMES.get, agreed),
        PostgresLaneStore(hub_engine),
    )
    term, orphans = await begin(hub_engine, job)
    await events.keep(event(job))
    assert not await events.apply(job.job_id)
    settled = await lanes.settle(LANE, term, [settlement(orphans[0], JobState.WAITING_CONFIRMATION)])
    assert settled[0].has_held_events
    assert await events.apply(job.job_id)
    assert await state_of(hub_engine, job) is JobState.SUCCEEDED


async def test_a_late_contradiction_moves_nothing_but_its_confirmation_goes_to_the_log(
    hub_engine: AsyncEngine,
) -> None:
    job, events = new_job(1), PostgresEventStore(hub_engine, OUTCOMES.get, agreed)
    await settle(hub_engine, job, JobState.SUCCEEDED)
    await events.keep(event(job, outcome=b"no"))
    assert not await events.apply(job.job_id)
    assert await state_of(hub_engine, job) is JobState.SUCCEEDED
    outbox = await PostgresLaneStore(hub_engine).read_outbox(LANE, 10)
    assert [s.envelope for s in outbox] == [b"evidence", b"confirmation"]


async def test_an_event_of_a_job_that_is_not_there_is_held(hub_engine: AsyncEngine) -> None:
    events = PostgresEventStore(hub_engine, OUTCOMES.get, agreed)
    assert await events.keep(event(new_job(1)))
    assert not await events.apply(new_job(1).job_id)
    await settle(hub_engine, new_job(1), JobState.IN_DOUBT)
    assert await events.apply(new_job(1).job_id)


async def test_a_refused_statement_is_set_aside_and_not_lost(hub_engine: AsyncEngine) -> None:
    await settle(hub_engine, new_job(1), JobState.SUCCEEDED)
    lanes = PostgresLaneStore(hub_engine)
    (statement,) = await lanes.read_outbox(LANE, 10)
    await lanes.clear_outbox([], {statement.statement_id: "NO_INTENT"})
    async with hub_engine.connect() as connection:
        kept = (await connection.execute(text("SELECT reason, envelope FROM refused_statement"))).all()
    assert [tuple(row) for row in kept] == [("NO_INTENT", b"evidence")]


@pytest.mark.parametrize(
    "statement", ["DROP TABLE job", "DELETE FROM request_key", "UPDATE job_done SET state = 6"]
)
async def test_the_running_hub_may_not_do_what_it_never_does(hub_engine: AsyncEngine, statement: str) -> None:
    with pytest.raises(ProgrammingError, match=r"permission denied|must be owner"):
        async with hub_engine.begin() as connection:
            await connection.execute(text(statement))


async def test_an_expired_job_is_ended_with_an_event(hub_engine: AsyncEngine) -> None:
    store, log = PostgresJobStore(hub_engine), PostgresEventLog(hub_engine)
    await store.accept([new_job(1, expire_at=NOW)])
    assert await PostgresHousekeepingStore(hub_engine).expire(10) == [new_job(1).job_id]
    assert await log.number(10) == 1
    (event_,) = await log.all_after(0, 10)
    assert event_.job.state is JobState.EXPIRED


@pytest.mark.parametrize(("provider", "found"), [("echo", 1), ("ech_", 0), ("%", 0)])
async def test_a_provider_is_matched_by_its_whole_name(
    hub_engine: AsyncEngine, provider: str, found: int
) -> None:
    store = PostgresJobStore(hub_engine)
    await store.accept([new_job(1)])
    assert len(await store.page("acme", before="", limit=9, provider=provider)) == found
