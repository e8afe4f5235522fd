"""A lane's work on the real store: claim, state, dispatch, settle, recover."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from hub.jobs.board import Board, wait_for
from hub.jobs.looking import OVERTIME
from hub.jobs.model import SETTLED, Job, JobState, NewJob, ended
from hub.jobs.outcome import Declined, NotSent, NotSentCause, Outcome, Succeeded, Unknown
from hub.jobs.spec import Limits, Replay
from hub.jobs.store import PostgresJobStore
from hub.lanes.owned_lane import LaneLoops, Ports
from hub.lanes.ports import Grant, Knowledge
from hub.lanes.store import PostgresLaneLeases, PostgresLaneStore
from tests.fakes import FakeLog, FakeNotary, FakeSpokes, HandClock, NoEvents
from tests.hub.jobs import NOW, new_job, spec

LANE = "echo/default"
LEASE = timedelta(seconds=30)


class Bench:
    """A lane on a real store, between a fake log and fake spokes."""

    def __init__(self, engine: AsyncEngine) -> None:
        self.jobs = PostgresJobStore(engine)
        self.lanes = PostgresLaneStore(engine)
        self.leases = PostgresLaneLeases(engine)
        self.board = Board()
        self.log = FakeLog()
        self.spokes = FakeSpokes()
        self.clock = HandClock()
        self.at = NOW
        self.running: list[LaneLoops] = []

    async def own(self, owner: str = "hub-a") -> int:
        """Takes the lane for an owner; its term."""
        await self.leases.acquire(owner, [LANE], LEASE)
        return (await self.leases.acquire(owner, [LANE], LEASE))[LANE].term

    def run(self, term: int, limits: Limits = Limits(8)) -> LaneLoops:  # noqa: B008 - it is frozen
        """Lets an owner work on the lane."""
        ports = Ports(
            store=self.lanes,
            events=NoEvents(),
            notary=FakeNotary(),
            log=self.log,
            spokes=self.spokes,
            clock=self.clock,
            draw=lambda: 0.0,
            post=self.board.post,
        )
        self.running.append(LaneLoops(LANE, grant=Grant(term, self.at), limits=limits, ports=ports))
        return self.running[-1]

    async def until(self, job: NewJob, states: frozenset[JobState] | set[JobState]) -> Job:
        """The job, once it stands in one of the states."""
        async with asyncio.timeout(10):
            while True:
                ticket = self.board.ticket(job.job_id)
                found = await self.jobs.get(job.job_id)
                if found and found.state in states:
                    return found
                await wait_for(ticket, 0.1)


@pytest.fixture
async def bench(hub_engine: AsyncEngine) -> AsyncIterator[Bench]:
    """A bench; whatever runs on it is stopped."""
    bench = Bench(hub_engine)
    yield bench
    for loops in bench.running:
        await loops.stop()


@pytest.mark.parametrize(
    ("outcome", "state"),
    [
        (Succeeded("T", b"r", "ref"), JobState.SUCCEEDED),
        (Declined("CARD_DECLINED", "no"), JobState.DECLINED),
        (NotSent(NotSentCause.UNSUPPORTED, "X", ""), JobState.DEAD),
    ],
    ids=repr,
)
async def test_a_job_ends_as_its_outcome_says_with_one_intent_and_one_evidence(
    bench: Bench, outcome: Outcome, state: JobState
) -> None:
    job = new_job(1)
    bench.spokes.outcomes = [outcome]
    await bench.jobs.accept([job])
    bench.run(await bench.own())
    assert (await bench.until(job, SETTLED)).state is state
    while not (await bench.until(job, SETTLED)).proven:
        await wait_for(bench.board.news(), 0.05)
    assert bench.log.entries == [f"intent {job.job_id}.1".encode(), b"evidence"]


async def test_nothing_is_sent_while_the_log_is_down_and_the_job_goes_on_when_it_is_back(
    bench: Bench,
) -> None:
    job = new_job(1)
    bench.log.down = True
    bench.spokes.outcomes = [Succeeded("T", b"r")]
    await bench.jobs.accept([job])
    bench.run(await bench.own())
    await wait_for(bench.log.asked, 5)
    assert bench.spokes.sent == []
    bench.log.down = False
    assert (await bench.until(job, SETTLED)).state is JobState.SUCCEEDED
    assert bench.spokes.sent == [f"{job.job_id}.1"]


async def test_an_attempt_whose_intent_the_log_refuses_is_never_sent(bench: Bench) -> None:
    job = new_job(1)
    bench.log.refuses = True
    await bench.jobs.accept([job])
    bench.run(await bench.own())
    assert (await bench.until(job, SETTLED)).reason == "INTENT_REFUSED"
    assert bench.spokes.sent == []


async def test_an_attempt_that_the_spoke_would_not_answer_for_gets_its_evidence_from_the_hub(
    bench: Bench,
) -> None:
    job = new_job(1)
    bench.spokes.evidence = b""
    bench.spokes.outcomes = [NotSent(NotSentCause.NO_RECEIPT, "NO_RECEIPT", "")] * 3
    await bench.jobs.accept([job])
    bench.run(await bench.own())
    assert (await bench.until(job, SETTLED)).state is JobState.DEAD
    while not (await bench.until(job, SETTLED)).proven:
        await wait_for(bench.board.news(), 0.05)
    assert set(bench.log.entries) == {
        f"{kind} {job.job_id}.{n}".encode() for kind in ("intent", "evidence") for n in (1, 2, 3)
    }


async def test_a_cut_stream_leaves_the_attempt_in_doubt_and_the_look_up_tells_the_truth(bench: Bench) -> None:
    job = new_job(1)
    bench.spokes.cut = True
    await bench.jobs.accept([job])
    bench.run(await bench.own())
    doubted = await bench.until(job, {JobState.IN_DOUBT})
    assert (doubted.reason, doubted.attempt_count) == ("SPOKE_LOST", 1)
    bench.spokes.cut = False
    bench.spokes.outcomes = [Succeeded("T", b"r", "found")]
    assert (await bench.until(job, SETTLED)).provider_reference == "found"
    assert bench.spokes.sent == [f"{job.job_id}.1", f"{job.job_id}.2"]


async def test_an_attempt_that_never_started_is_sent_again_without_being_counted(bench: Bench) -> None:
    job = new_job(1)
    bench.spokes.cut = True
    bench.spokes.knowledge = Knowledge.NOT_STARTED
    await bench.jobs.accept([job])
    bench.run(await bench.own())
    await bench.until(job, {JobState.RETRY_WAIT})
    bench.spokes.cut = False
    bench.spokes.outcomes = [Succeeded("T", b"r")] * 3
    assert (await bench.until(job, SETTLED)).attempt_count == 1


async def test_a_new_owner_takes_over_what_a_dead_one_had_claimed(bench: Bench) -> None:
    job = new_job(1)
    await bench.jobs.accept([job])
    term = await bench.own("dead")
    await bench.lanes.claim(LANE, term, 8, FakeNotary().intents)
    await bench.leases.release("dead", [LANE])
    bench.spokes.knowledge = Knowledge.NONE
    bench.spokes.outcomes = [Succeeded("T", b"r", "found")]
    bench.run(await bench.own("heir"))
    assert (await bench.until(job, SETTLED)).provider_reference == "found"
    assert bench.spokes.sent == [f"{job.job_id}.2"]


async def test_an_old_owner_can_settle_nothing_once_the_lane_has_a_new_one(bench: Bench) -> None:
    job = new_job(1)
    await bench.jobs.accept([job])
    bench.log.down = True
    old = bench.run(await bench.own("old"))
    await wait_for(bench.log.asked, 5)
    await bench.leases.release("old", [LANE])
    term = await bench.own("new")
    await bench.lanes.adopt(LANE, term)
    bench.spokes.outcomes = [Declined("STALE", "")]
    bench.log.down = False
    async with asyncio.timeout(10):
        while not old.failed:
            await wait_for(bench.board.news(), 0.05)
    found = await bench.jobs.get(job.job_id)
    assert found is not None
    assert found.state is JobState.RUNNING


async def test_an_unknown_blind_outcome_waits_for_a_person_and_is_not_sent_again(bench: Bench) -> None:
    job = new_job(1)
    bench.spokes.outcomes = [Unknown("REPLY_TIMEOUT", "")]
    bench.spokes.operation = spec(Replay.BLIND, can_look_up=False)
    await bench.jobs.accept([job])
    bench.run(await bench.own())
    assert (await bench.until(job, {JobState.IN_DOUBT})).due_at is None
    assert await bench.lanes.next_due(LANE) is None


async def test_a_job_whose_time_ran_out_is_never_sent(bench: Bench) -> None:
    over, job = new_job(1, expire_at=NOW), new_job(2)
    bench.spokes.outcomes = [Succeeded("T", b"r")]
    await bench.jobs.accept([over, job])
    bench.run(await bench.own())
    assert (await bench.until(job, SETTLED)).state is JobState.SUCCEEDED
    assert bench.spokes.sent == [f"{job.job_id}.1"]


async def test_nothing_is_claimed_for_a_silent_spoke(bench: Bench) -> None:
    job = new_job(1)
    bench.spokes.ready = False
    await bench.jobs.accept([job])
    loops = bench.run(await bench.own())
    await loops.drain()
    found = await bench.jobs.get(job.job_id)
    assert found is not None
    assert (found.state, found.attempt_count) == (JobState.QUEUED, 0)


async def test_what_is_posted_at_the_end_is_what_the_store_then_says(bench: Bench) -> None:
    job = new_job(1)
    bench.spokes.outcomes = [Succeeded("T", b"r", "ref")]
    ticket = bench.board.ticket(job.job_id)
    (accepted,) = await bench.jobs.accept([job])
    bench.run(await bench.own())
    ending = await asyncio.wait_for(ticket, 10)
    assert ending is not None
    assert accepted.created_at is not None
    stored = await bench.until(job, SETTLED)
    assert replace(ended(job, accepted.created_at, ending), proven=stored.proven) == stored


async def test_an_attempt_whose_spoke_never_comes_back_is_in_doubt_a_day_after_its_expiry(
    bench: Bench,
) -> None:
    job = new_job(1)
    bench.spokes.cut = bench.spokes.gone = True
    await bench.jobs.accept([job])
    bench.run(await bench.own())
    await wait_for(bench.spokes.asked, 5)
    assert (await bench.until(job, {JobState.RUNNING})).state is JobState.RUNNING
    bench.clock.move((job.expire_at - bench.at + OVERTIME).total_seconds())
    assert (await bench.until(job, {JobState.IN_DOUBT})).reason == "SPOKE_LOST"
