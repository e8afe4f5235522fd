"""Waiting for a confirmation: looked at less and less often, and in the end a person's."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from hub.events.model import ArrivedEvent
from hub.events.store import PostgresEventStore
from hub.jobs.decide import after_attempt
from hub.jobs.decision import Decision, Moment
from hub.jobs.letters import Cause
from hub.jobs.looking import CONFIRMATION_OVERDUE, OVERTIME
from hub.jobs.model import LONGEST_LIFE, Claimed, JobState, Purpose
from hub.jobs.outcome import NotSent, NotSentCause, Outcome, Pending, Unknown
from hub.jobs.spec import OperationSpec
from tests.hub.jobs import NOW, agreed, claimed, spec
from tests.hub.test_operations_store import LANE, OUTCOMES, Desk

DAY = timedelta(days=1)
PENDING = Pending("T", b"r", "ref")
FAILS = Unknown("X", "")
DOWN = NotSent(NotSentCause.PROVIDER_DOWN, "X", "")


def waiting(life: timedelta = DAY, *, seq: int = 2) -> Claimed:
    """A job whose confirmation is asked for."""
    job = claimed(purpose=Purpose.LOOK_UP, state=JobState.WAITING_CONFIRMATION, seq=seq)
    return replace(job, expire_at=NOW + life)


def looks(
    outcome: Outcome, operation: OperationSpec, life: timedelta
) -> Iterator[tuple[timedelta, Decision]]:
    """How old a payment that nobody ever confirms is at each look-up, and what follows; to the end."""
    job, age = waiting(life), operation.confirm_within
    while True:
        decision = after_attempt(job, outcome, operation, Moment(NOW + age, 0.5))
        yield age, decision
        if decision.wait is None:
            return
        job, age = replace(job, seq=job.seq + 1, reason=decision.reason), age + decision.wait


@pytest.mark.parametrize("seconds", [10, 30, 60, 600, 3600])
@pytest.mark.parametrize("outcome", [PENDING, FAILS], ids=repr)
def test_an_abandoned_payment_of_a_day_is_looked_at_seldom_and_then_a_persons(
    seconds: int, outcome: Outcome
) -> None:
    operation = replace(spec(), confirm_within=timedelta(seconds=seconds))
    seen = list(looks(outcome, operation, DAY))
    waits = [decision.wait for _, decision in seen if decision.wait]
    assert waits[:-1] == sorted(waits[:-1])
    entries = 2 + 2 * len(seen)
    assert entries < 20
    age, last = seen[-1]
    assert age == DAY
    assert (last.state, last.letter) == (JobState.IN_DOUBT, Cause.UNRESOLVED_DOUBT)
    assert last.reason == CONFIRMATION_OVERDUE
    assert last.doubts, "a replay would send it again"


def test_what_nobody_could_be_asked_about_is_looked_at_for_a_day_longer_and_seldom() -> None:
    seen = list(looks(DOWN, replace(spec(), confirm_within=timedelta(seconds=30)), DAY))
    age, last = seen[-1]
    assert age == DAY + OVERTIME
    assert (last.state, last.reason, last.letter) == (
        JobState.IN_DOUBT,
        CONFIRMATION_OVERDUE,
        Cause.UNRESOLVED_DOUBT,
    )
    assert len(seen) < 25


def test_an_instant_far_beyond_the_expiry_is_asked_about_again_if_nobody_could_be_asked_then() -> None:
    job, late = waiting(timedelta(minutes=1)), Moment(NOW + 9 * OVERTIME, 0.5)
    again = after_attempt(job, DOWN, spec(), late)
    assert again.state is JobState.WAITING_CONFIRMATION
    assert again.wait is not None
    last = after_attempt(replace(job, reason=again.reason), DOWN, spec(), late)
    assert (last.state, last.wait) == (JobState.IN_DOUBT, None)


def test_a_job_that_was_long_in_coming_is_looked_at_as_soon_as_any_other() -> None:
    late = replace(waiting(), created_at=NOW - timedelta(hours=20))
    decision = after_attempt(late, PENDING, spec(), Moment(NOW + timedelta(minutes=10), 0.5))
    assert decision.wait == timedelta(minutes=40)


def test_a_job_that_was_often_put_off_is_looked_at_as_soon_as_any_other() -> None:
    often = waiting(seq=99)
    decision = after_attempt(often, PENDING, spec(), Moment(NOW + timedelta(minutes=10), 0.5))
    assert decision.wait == timedelta(minutes=30)


def test_a_confirmation_that_the_provider_has_named_an_instant_for_is_waited_for_beyond_the_expiry() -> None:
    job, by = waiting(timedelta(seconds=70)), NOW + timedelta(minutes=10)
    named = replace(PENDING, confirm_by=by)
    first = after_attempt(job, named, spec(), Moment(NOW + timedelta(seconds=90), 0.5))
    assert (first.state, first.wait) == (JobState.WAITING_CONFIRMATION, timedelta(seconds=510))
    assert after_attempt(job, named, spec(), Moment(by, 0.5)).reason == CONFIRMATION_OVERDUE


def test_an_instant_that_always_moves_on_does_not_make_a_job_wait_for_ever() -> None:
    end = NOW + LONGEST_LIFE
    moving = replace(PENDING, confirm_by=end + DAY)
    assert after_attempt(waiting(), moving, spec(), Moment(end, 0.5)).reason == CONFIRMATION_OVERDUE


def test_a_confirmation_by_the_end_of_all_time_can_be_reckoned() -> None:
    never = replace(PENDING, confirm_by=NOW.replace(year=9999))
    assert after_attempt(claimed(), never, spec(), Moment(NOW, 0.5)).wait == LONGEST_LIFE


async def test_a_webhook_settles_what_was_overdue_and_its_letter_and_its_alert_say_so_until_then(
    hub_engine: AsyncEngine,
) -> None:
    desk = Desk(hub_engine)
    job = waiting(timedelta())
    await desk.settled(after_attempt(job, PENDING, spec(), Moment(job.expire_at, 0.5)))
    assert await desk.firing() == ["DeadLetters/echo/default/unresolved_doubt"]
    events = PostgresEventStore(hub_engine, OUTCOMES.get, agreed)
    await events.keep(ArrivedEvent(LANE, "evt-1", "paid", desk.job.job_id, b"yes", b"signed"))
    assert await events.apply(desk.job.job_id)
    assert await desk.state() is JobState.SUCCEEDED
    letter = await desk.store.letter(desk.job.job_id)
    assert letter is not None
    assert (letter.cause, letter.left_by) == (Cause.UNRESOLVED_DOUBT, "confirmed")
