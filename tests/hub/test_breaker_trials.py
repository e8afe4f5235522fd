"""Whose trouble a failure is: the provider's, our own settings', or one job's."""

from datetime import timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from hub.jobs.model import Claimed, JobState, Purpose
from hub.jobs.outcome import NotSent, NotSentCause, Outcome, Succeeded, Unknown, UnknownCause
from hub.jobs.spec import Limits
from hub.lanes import breaker as breakers
from hub.lanes.breaker import (
    FAILURES_TO_OPEN,
    HELD_SECONDS,
    MISCONFIGURED,
    SUCCESSES_TO_CLOSE,
    Breaker,
    BreakerState,
)
from hub.lanes.gate import Gate
from hub.lanes.lane import granted_breaker
from hub.lanes.store import PostgresLaneLeases, PostgresLaneStore
from tests.hub.virtual_lane import VirtualLane

DONE = Succeeded("T", b"r")
DOWN = NotSent(NotSentCause.PROVIDER_DOWN, "CONNECTION_REFUSED", "")
FAILS = Unknown("PROVIDER_ERROR", "", cause=UnknownCause.PROVIDER)
GARBAGE = Unknown("REPLY_NOT_UNDERSTOOD", "")
REFUSED = NotSent(NotSentCause.MISCONFIGURED, "CREDENTIALS_REFUSED", "")
ABSENT = NotSent(NotSentCause.ABSENT, "ABSENT", "")


def half_open(reason: str = "CONNECTION_REFUSED", *, by_writes: bool = True) -> Breaker:
    """A breaker that lets a few try."""
    return Breaker(BreakerState.HALF_OPEN, 0.0, reason, 1, by_writes=by_writes)


@pytest.mark.parametrize("by_writes", [False, True])
def test_a_look_up_that_works_closes_only_what_look_ups_have_opened(by_writes: bool) -> None:
    breaker = half_open(by_writes=by_writes)
    for _ in range(10):
        breaker = breakers.after(breaker, ABSENT, 1.0, writes=False)
    assert breaker.is_closed == (not by_writes)


def test_a_look_up_that_works_shows_that_a_key_is_right_again() -> None:
    assert breakers.after(half_open(MISCONFIGURED, by_writes=False), ABSENT, 1.0, writes=False).is_closed


def test_no_way_round_by_a_wrong_key_lets_a_look_up_close_what_work_has_opened() -> None:
    breaker = half_open()
    for outcome in (REFUSED, ABSENT, DOWN, ABSENT, ABSENT, ABSENT):
        breaker = breakers.at(breakers.after(breaker, outcome, 1.0, job_id="a", writes=False), 1000.0)
    assert not breaker.is_closed
    for _ in range(SUCCESSES_TO_CLOSE):
        breaker = breakers.after(breaker, DONE, 1.0)
    assert breaker.is_closed


def test_work_that_fails_its_trial_makes_a_breaker_that_look_ups_opened_one_that_work_has_to_close() -> None:
    breaker = breakers.at(breakers.after(half_open(by_writes=False), DOWN, 1.0), 1000.0)
    for _ in range(10):
        breaker = breakers.after(breaker, ABSENT, 1000.0, writes=False)
    assert not breaker.is_closed


@pytest.mark.parametrize("opens", [DOWN, REFUSED], ids=["down", "wrong key"])
async def test_a_lane_of_nothing_but_look_ups_works_again_also_at_its_next_owner(
    hub_engine: AsyncEngine, opens: NotSent
) -> None:
    breaker = Breaker()
    for n in range(FAILURES_TO_OPEN):
        breaker = breakers.after(breaker, opens, 0.0, job_id=str(n), writes=False)
    assert breaker.state is BreakerState.OPEN
    taken = breakers.at(await _taken_over(hub_engine, breaker), 1.0)
    for _ in range(SUCCESSES_TO_CLOSE):
        taken = breakers.after(taken, ABSENT, 1.0, writes=False)
    assert taken.is_closed


async def test_what_work_has_opened_a_look_up_does_not_close_at_the_next_owner_either(
    hub_engine: AsyncEngine,
) -> None:
    breaker = Breaker()
    for _ in range(FAILURES_TO_OPEN):
        breaker = breakers.after(breaker, DOWN, 0.0)
    taken = breakers.at(await _taken_over(hub_engine, breaker), 1.0)
    assert not breakers.after(taken, ABSENT, 1.0, writes=False).is_closed


async def _taken_over(engine: AsyncEngine, breaker: Breaker) -> Breaker:
    """How a breaker stands at the owner that takes the lane over, whose clock is at 0 then."""
    lane, lease = "echo/default", timedelta(minutes=5)
    store, leases = PostgresLaneStore(engine), PostgresLaneLeases(engine)
    await leases.acquire("a", [lane], lease)
    term = (await leases.acquire("a", [lane], lease))[lane].term
    await store.save_breaker(lane, term, breaker, orders=0, seconds=0.5)
    await leases.release("a", [lane])
    return granted_breaker((await leases.acquire("b", [lane], lease))[lane], 0.0)


def test_look_ups_that_fail_open_it_and_one_that_works_clears_their_failures_and_no_others() -> None:
    asked = Breaker()
    for _ in range(FAILURES_TO_OPEN):
        asked = breakers.after(asked, DOWN, 0.0, writes=False)
    assert (asked.state, asked.by_writes) == (BreakerState.OPEN, False)
    mixed = Breaker()
    for _ in range(FAILURES_TO_OPEN - 1):
        mixed = breakers.after(breakers.after(mixed, FAILS, 0.0), ABSENT, 0.0, writes=False)
    mixed = breakers.after(mixed, FAILS, 0.0)
    assert (mixed.state, mixed.by_writes) == (BreakerState.OPEN, True)


def test_an_answer_that_is_none_to_a_trial_opens_it_again() -> None:
    assert breakers.after(half_open(), GARBAGE, 1.0).state is BreakerState.OPEN
    lost = Unknown("ACTOR_LOST", "", cause=UnknownCause.WORKER_LOST)
    assert breakers.after(half_open(), lost, 1.0) == half_open()


@pytest.mark.parametrize("answer", [FAILS, GARBAGE], ids=["fails", "garbage"])
def test_work_that_fails_while_look_ups_work_burns_few_attempts(answer: Unknown) -> None:
    def provider(job: Claimed, now: float) -> Outcome:
        if job.purpose is Purpose.LOOK_UP:
            return ABSENT
        return FAILS if now < 3 else answer if now < 600 else DONE

    lane = VirtualLane(provider, jobs=10)
    lane.run(599)
    assert lane.count(JobState.DEAD) == 0
    assert len([t for t in lane.asked if t > 60]) < 100
    lane.run(300)
    assert lane.count(JobState.SUCCEEDED) == 10


def test_five_jobs_that_always_fail_do_not_hold_two_hundred_good_ones() -> None:
    def provider(job: Claimed, now: float) -> Outcome:
        return DOWN if int(job.job_id) < 5 else DONE

    lane = VirtualLane(provider, jobs=205, priorities=dict.fromkeys(range(5, 205), 1))
    lane.run(60)
    assert lane.count(JobState.SUCCEEDED) == 200


def test_a_job_that_fails_its_trials_where_others_pass_counts_its_attempts() -> None:
    gate = Gate(Limits(8), half_open())
    gate.observe(DOWN, 1.0, job_id="bad", writes=True)
    assert gate.is_trial("bad")
    gate.admits(100.0)
    gate.observe(DONE, 100.0, job_id="good", writes=True)
    assert (gate.is_trial("bad"), gate.is_trial("good"), gate.is_trial("new")) == (False, True, True)
    for n in range(2):
        gate.observe(DONE, 100.0, job_id=str(n), writes=True)
    assert gate.breaker.is_closed


def test_three_jobs_whose_credentials_are_refused_hold_the_lane_and_one_job_does_not() -> None:
    one, three = Breaker(), Breaker()
    for n in range(3):
        one = breakers.after(one, REFUSED, 0.0, job_id="a")
        three = breakers.after(three, REFUSED, 0.0, job_id=str(n))
    assert one.is_closed
    assert (three.state, three.reason, three.open_until) == (BreakerState.OPEN, MISCONFIGURED, HELD_SECONDS)
    assert breakers.admits(breakers.at(three, HELD_SECONDS), 0) == 1


def test_refusals_with_an_answered_look_up_between_are_not_in_a_row() -> None:
    breaker = Breaker()
    for n in range(20):
        breaker = breakers.after(breaker, REFUSED, 0.0, job_id=str(n))
        breaker = breakers.after(breaker, ABSENT, 0.0, job_id="asked", writes=False)
    assert breaker.is_closed


def test_a_refusal_between_successes_is_the_jobs_own() -> None:
    breaker = Breaker()
    for n in range(20):
        breaker = breakers.after(breaker, REFUSED if n % 3 else DONE, 0.0, job_id=str(n))
    assert breaker.is_closed


def test_a_key_that_is_mended_after_an_hour_has_cost_no_job_its_life() -> None:
    def provider(job: Claimed, now: float) -> Outcome:
        return REFUSED if now < 3600 else DONE

    lane = VirtualLane(provider, jobs=300)
    lane.run(3600)
    assert lane.count(JobState.DEAD) == 0
    assert len(lane.asked) < 64 + 3600 / HELD_SECONDS + 10
    assert max(row.attempts for row in lane.rows) <= 1
    lane.run(120)
    assert lane.count(JobState.SUCCEEDED) == 300
