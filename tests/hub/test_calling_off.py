"""What has waited for its confirmation to the end is called off once, and ends as the provider says."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from hub.jobs.decide import after_attempt, is_legal, unsent
from hub.jobs.decision import Decision, Moment
from hub.jobs.letters import Cause
from hub.jobs.looking import CALL_OFF_WITHIN, CALLED_OFF, CALLING_OFF, CONFIRMATION_OVERDUE
from hub.jobs.model import Claimed, JobState, Purpose
from hub.jobs.outcome import (
    Declined,
    NotSent,
    NotSentCause,
    Outcome,
    Pending,
    Succeeded,
    Unknown,
    UnknownCause,
)
from hub.lanes.store import PostgresLaneStore
from tests.fakes import FakeNotary
from tests.hub.jobs import NOW, claimed, new_job, spec
from tests.hub.test_store import LANE, begin, own, settlement

DAY = timedelta(days=1)
OPERATION = replace(spec(), can_cancel=True, confirm_within=timedelta(seconds=60))
PENDING = Pending("T", b"r", "ref")
OFF = Declined(CALLED_OFF, "called off before it was done", "ref")
DOWN = NotSent(NotSentCause.PROVIDER_DOWN, "DOWN", "")


def waiting(purpose: Purpose = Purpose.CANCEL) -> Claimed:
    """A job that waits for its confirmation, for a day."""
    job = claimed(purpose=purpose, state=JobState.WAITING_CONFIRMATION, seq=2, reason=CALLING_OFF)
    return replace(job, expire_at=NOW + DAY)


def life(looked: Outcome, cancelled: Outcome) -> Iterator[tuple[Purpose, timedelta, Decision]]:
    """Each attempt of a payment that its payer has abandoned, how old it is then, and what follows."""
    job, age = claimed(), timedelta()
    while True:
        outcome = {Purpose.EXECUTE: PENDING, Purpose.LOOK_UP: looked, Purpose.CANCEL: cancelled}[job.purpose]
        job = replace(job, expire_at=NOW + DAY)
        decision = after_attempt(job, outcome, OPERATION, Moment(NOW + age, 0.5))
        assert is_legal(job, decision)
        yield job.purpose, age, decision
        if decision.wait is None:
            return
        age += decision.wait
        purpose = Purpose.CANCEL if decision.reason == CALLING_OFF else Purpose.LOOK_UP
        job = replace(job, purpose=purpose, state=decision.state, seq=job.seq + 1, reason=decision.reason)


@pytest.mark.parametrize("looked", [PENDING, Unknown("X", ""), DOWN], ids=repr)
def test_an_abandoned_payment_of_a_day_is_called_off_at_its_expiry_with_fewer_than_20_entries(
    looked: Outcome,
) -> None:
    seen = list(life(looked, OFF))
    assert 2 * len(seen) < 20, "an intent and its evidence for each attempt"
    purpose, age, last = seen[-1]
    assert (purpose, age) == (Purpose.CANCEL, DAY)
    assert [p for p, _, _ in seen].count(Purpose.CANCEL) == 1
    assert (last.state, last.reason, last.letter) == (JobState.EXPIRED, CALLED_OFF, None)
    assert last.provider_reference == "ref"


@pytest.mark.parametrize(
    ("outcome", "state"),
    [
        (Succeeded("T", b"done", "ref"), JobState.SUCCEEDED),
        (Declined("CARD_DECLINED", "", "ref"), JobState.DECLINED),
        (OFF, JobState.EXPIRED),
    ],
    ids=repr,
)
def test_it_ends_as_the_provider_says(outcome: Outcome, state: JobState) -> None:
    decision = after_attempt(waiting(), outcome, OPERATION, Moment(NOW + DAY, 0.5))
    assert (decision.state, decision.wait, decision.letter) == (state, None, None)


@pytest.mark.parametrize(
    "outcome",
    [
        PENDING,
        Unknown("REPLY_CUT", ""),
        Unknown("SPOKE_LOST", "", cause=UnknownCause.WORKER_LOST),
        NotSent(NotSentCause.ABSENT, "ABSENT", ""),
        NotSent(NotSentCause.UNSUPPORTED, "NO_CANCEL", ""),
        NotSent(NotSentCause.NO_RECEIPT, "NO_RECEIPT", ""),
    ],
    ids=["pending", "reply-cut", "worker-lost", "absent", "no-cancel", "no-receipt"],
)
def test_where_the_provider_cannot_or_may_have_called_it_off_a_person_finds_out(outcome: Outcome) -> None:
    decision = after_attempt(waiting(), outcome, OPERATION, Moment(NOW + DAY, 0.5))
    assert (decision.state, decision.wait) == (JobState.IN_DOUBT, None)
    assert (decision.letter, decision.doubts) == (Cause.UNRESOLVED_DOUBT, True)


@pytest.mark.parametrize("cause", [NotSentCause.PROVIDER_DOWN, NotSentCause.THROTTLED, NotSentCause.FENCED])
def test_what_certainly_was_not_asked_is_asked_again_ever_later_and_in_the_end_of_a_person(
    cause: NotSentCause,
) -> None:
    seen = [(age, d) for p, age, d in life(PENDING, NotSent(cause, "X", "")) if p is Purpose.CANCEL]
    assert len(seen) < 12
    waits = [d.wait for _, d in seen if d.wait]
    assert all(a <= b for a, b in pairwise(waits[1:]))
    age, last = seen[-1]
    assert age >= DAY + CALL_OFF_WITHIN
    assert (last.reason, last.letter) == (CONFIRMATION_OVERDUE, Cause.UNRESOLVED_DOUBT)


def test_where_the_provider_cannot_call_off_a_person_is_asked_at_the_end() -> None:
    job = replace(waiting(Purpose.LOOK_UP), expire_at=NOW)
    decision = after_attempt(job, PENDING, replace(OPERATION, can_cancel=False), Moment(NOW, 0.5))
    assert (decision.reason, decision.letter) == (CONFIRMATION_OVERDUE, Cause.UNRESOLVED_DOUBT)


def test_it_is_sent_although_the_jobs_time_is_over() -> None:
    assert unsent(replace(waiting(), doubted=True), OPERATION, NOW + 9 * DAY) is None


async def test_the_store_claims_it_to_be_called_off_whoever_takes_it_over_and_ends_it_as_expired(
    hub_engine: AsyncEngine,
) -> None:
    lanes = PostgresLaneStore(hub_engine)
    term, (first,) = await begin(hub_engine, new_job(1))
    due = Decision(JobState.WAITING_CONFIRMATION, timedelta(), CALLING_OFF, result_type="T", result=b"secret")
    await lanes.settle(LANE, term, [replace(settlement(first, due.state), decision=due)])
    (orphan,) = await lanes.claim(LANE, term, 1, FakeNotary().intents)
    assert (orphan.claimed.purpose, orphan.claimed.state) == (Purpose.CANCEL, JobState.WAITING_CONFIRMATION)
    async with hub_engine.begin() as connection:
        stored = (await connection.execute(text("SELECT purpose FROM attempt ORDER BY seq"))).scalars().all()
        await connection.execute(text("UPDATE lane SET lease_until = now() - interval '1 second'"))
    assert stored == [Purpose.EXECUTE, Purpose.CANCEL]
    newer = await own(hub_engine, "hub-b")
    (adopted,) = await lanes.adopt(LANE, newer)
    assert adopted.claimed.purpose is Purpose.CANCEL
    end = after_attempt(adopted.claimed, OFF, OPERATION, Moment(NOW, 0.5))
    (settled,) = await lanes.settle(LANE, newer, [replace(settlement(adopted, end.state), decision=end)])
    assert (settled.ending.state, settled.ending.reason) == (JobState.EXPIRED, CALLED_OFF)
    assert (settled.ending.result_type, settled.ending.result) == ("", b"")
