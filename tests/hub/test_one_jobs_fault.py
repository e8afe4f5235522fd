"""What is wrong with one job ends that job's attempt, and neither its batch nor its lane."""

import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from hub.errors import UnknownProvider
from hub.jobs.decide import is_legal
from hub.jobs.decision import Decision
from hub.jobs.model import Claimed, Job, JobState, NewJob, Purpose
from hub.jobs.outcome import Declined, Outcome, Pending, Succeeded, Unknown
from hub.jobs.spec import OperationSpec
from hub.lanes.ports import Result, Warranted
from hub.peers.outcomes import outcome_from_proto
from hub.peers.spokes import result_from_proto
from integration.spoke.v1 import outcome_pb2, spoke_service_pb2
from tests.fakes import FakeNotary, FakeSpokes
from tests.hub.jobs import WORK, claimed, new_job, spec
from tests.hub.test_lane import LANE, Bench

JOBS = [new_job(n) for n in range(1, 6)]
BAD = JOBS[2]
OTHERS = [job for job in JOBS if job is not BAD]


class Choosing(FakeSpokes):
    """Succeeds with all jobs but one; what it no longer offers, it does not know."""

    def __init__(self) -> None:
        super().__init__()
        self.bad: Outcome = Succeeded("T", b"r")
        self.gone = ""

    def spec(self, provider: str, operation: str) -> OperationSpec:
        """As the manifest says today."""
        if operation == self.gone:
            raise UnknownProvider("rolled back", provider=provider)
        return self.operation

    async def perform(
        self, lane: str, term: int, attempts: Sequence[Warranted]
    ) -> AsyncIterator[list[Result]]:
        """Answers each by its job."""
        ids = {
            a.claimed.job_id: self.bad if a.claimed.job_id == BAD.job_id else Succeeded("T", b"r")
            for a in attempts
        }
        self.outcomes = list(ids.values())
        async for results in super().perform(lane, term, attempts):
            yield results


class OneUnsigned(FakeNotary):
    """Cannot state one job's intent."""

    def intents(self, attempts: Sequence[Claimed]) -> list[bytes]:
        """Fails for a batch that holds it."""
        if any(a.job_id == BAD.job_id for a in attempts):
            raise ValueError("no such tenant")
        return super().intents(attempts)


@pytest.fixture
async def bench(hub_engine: AsyncEngine) -> AsyncIterator[Bench]:
    """A bench; whatever runs on it is stopped."""
    bench = Bench(hub_engine)
    bench.spokes = Choosing()
    yield bench
    for loops in bench.running:
        await loops.stop()


async def unreadable(bench: Bench, engine: AsyncEngine) -> None:
    """A job whose row the hub cannot read."""
    await bench.jobs.accept([replace(BAD, job_id=new_job(99).job_id)])
    copy = "INSERT INTO {0} SELECT (jsonb_populate_record(t, CAST(:other AS jsonb))).* FROM {0} t"
    other = json.dumps({"job_id": BAD.job_id, "trace": "{"})
    async with engine.begin() as connection:
        for table in ("job_body", "job"):
            await connection.execute(text(copy.format(table)), {"other": other})
        await connection.execute(text("DELETE FROM job WHERE job_id <> :id"), {"id": BAD.job_id})


async def ends(bench: Bench, jobs: list[NewJob], state: JobState) -> Job:
    """Where the bad job ends; the others are done under the same term."""
    await bench.jobs.accept(jobs)
    lane = bench.run(await bench.own())
    for job in OTHERS:
        assert (await bench.until(job, {JobState.SUCCEEDED, JobState.DEAD})).state is JobState.SUCCEEDED
    found = await bench.until(BAD, {state})
    assert not lane.failed
    return found


async def test_an_operation_that_was_rolled_back_ends_its_own_job_alone(bench: Bench) -> None:
    assert isinstance(bench.spokes, Choosing)
    bench.spokes.gone = "new.v1.Service/Gone"
    gone = replace(BAD, work=replace(WORK, operation=bench.spokes.gone))
    found = await ends(bench, [*OTHERS, gone], JobState.DEAD)
    assert found.reason == "NOT_OFFERED"
    assert f"{BAD.job_id}.1" not in bench.spokes.sent


async def test_a_doubt_about_an_operation_that_was_rolled_back_is_kept(
    bench: Bench, hub_engine: AsyncEngine
) -> None:
    assert isinstance(bench.spokes, Choosing)
    bench.spokes.gone = "new.v1.Service/Gone"
    await bench.jobs.accept([replace(BAD, work=replace(WORK, operation=bench.spokes.gone))])
    async with hub_engine.begin() as connection:
        await connection.execute(text("UPDATE job SET doubted = true, state = 5"))
    found = await ends(bench, OTHERS, JobState.IN_DOUBT)
    assert found.state is JobState.IN_DOUBT


async def test_a_row_that_cannot_be_read_goes_to_a_person(bench: Bench, hub_engine: AsyncEngine) -> None:
    await unreadable(bench, hub_engine)
    found = await ends(bench, OTHERS, JobState.IN_DOUBT)
    assert (found.reason, found.due_at) == ("HUB_FAULT", None)


async def test_a_row_that_cannot_be_read_when_it_is_taken_over_goes_to_a_person(
    bench: Bench, hub_engine: AsyncEngine
) -> None:
    await unreadable(bench, hub_engine)
    await bench.own("dead")
    async with hub_engine.begin() as connection:
        await connection.execute(text("UPDATE job SET claimed_term = 1, seq = 1, state = 2"))
        values = "SELECT :id, 1, 1, 1, now(), 'i'"
        begun = f"INSERT INTO attempt (job_id, seq, purpose, term, claimed_at, intent) {values}"
        await connection.execute(text(begun), {"id": BAD.job_id})
    await bench.leases.release("dead", [LANE])
    found = await ends(bench, OTHERS, JobState.IN_DOUBT)
    assert (found.reason, found.due_at) == ("HUB_FAULT", None)


async def test_an_intent_that_cannot_be_stated_ends_its_own_job_alone(bench: Bench) -> None:
    await bench.jobs.accept(JOBS)
    orphans = await bench.lanes.claim(LANE, await bench.own(), 8, OneUnsigned().intents)
    assert {o.claimed.job_id for o in orphans} == {job.job_id for job in OTHERS}
    assert (await bench.until(BAD, {JobState.IN_DOUBT})).reason == "HUB_FAULT"


@pytest.mark.parametrize(
    ("outcome", "lag"),
    [
        (Declined("NO", "a nul \0 within"), timedelta()),
        (Pending("T", b"r", "\ud800"), timedelta()),
        (Unknown("X", ""), timedelta.max),
    ],
    ids=["nul", "surrogate", "wait"],
)
async def test_an_end_that_cannot_be_stored_goes_to_a_person(
    bench: Bench, outcome: Outcome, lag: timedelta
) -> None:
    assert isinstance(bench.spokes, Choosing)
    bench.spokes.bad = outcome
    bench.spokes.operation = replace(spec(), look_up_lag=lag)
    found = await ends(bench, JOBS, JobState.IN_DOUBT)
    assert (found.reason, found.due_at) == ("HUB_FAULT", None)


def test_an_instant_that_there_is_not_is_taken_for_the_last_that_there_is() -> None:
    message = spoke_service_pb2.AttemptResult(attempt_id="a", evidence=b"e", outcome=outcome_pb2.Outcome())
    message.outcome.pending.confirm_by_time.seconds = 2**62
    result = result_from_proto(message)
    assert isinstance(result.outcome, Pending)
    assert result.outcome.confirm_by is not None
    assert result.evidence == b"e"


def test_a_decision_is_legal_only_where_the_table_leads() -> None:
    look = claimed(purpose=Purpose.LOOK_UP, state=JobState.WAITING_CONFIRMATION)
    assert is_legal(look, Decision(JobState.WAITING_CONFIRMATION))
    assert not is_legal(look, Decision(JobState.DEAD))
    assert not is_legal(claimed(), Decision(JobState.RUNNING))


@pytest.mark.parametrize(
    "progress", [outcome_pb2.SEND_PROGRESS_WRITTEN, outcome_pb2.SEND_PROGRESS_REPLY_READ]
)
def test_an_unknown_outcome_says_whether_a_whole_reply_was_read(progress: outcome_pb2.SendProgress) -> None:
    message = outcome_pb2.Outcome(unknown=outcome_pb2.Unknown(reason="PROVIDER_ERROR"), progress=progress)
    outcome = outcome_from_proto(message)
    assert isinstance(outcome, Unknown)
    assert outcome.answered == (progress == outcome_pb2.SEND_PROGRESS_REPLY_READ)
