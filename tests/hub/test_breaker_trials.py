"""Whose trouble a failure is: the provider's, our own settings', or one job's."""

import pytest

from hub.jobs.model import Claimed, JobState, Purpose
from hub.jobs.outcome import NotSent, NotSentCause, Outcome, Succeeded, Unknown, UnknownCause
from hub.jobs.spec import Limits
from hub.lanes import breaker as breakers
from hub.lanes.breaker import FAILURES_TO_OPEN, HELD_SECONDS, MISCONFIGURED, Breaker, BreakerState
from hub.lanes.gate import Gate
from tests.hub.virtual_lane import VirtualLane

DONE = Succeeded("T", b"r")
DOWN = NotSent(NotSentCause.PROVIDER_DOWN, "CONNECTION_REFUSED", "")
FAILS = Unknown("PROVIDER_ERROR", "", cause=UnknownCause.PROVIDER)
GARBAGE = Unknown("REPLY_NOT_UNDERSTOOD", "")
REFUSED = NotSent(NotSentCause.MISCONFIGURED, "CREDENTIALS_REFUSED", "")
ABSENT = NotSent(NotSentCause.ABSENT, "ABSENT", "")


def half_open(*, by_asks: bool = False) -> Breaker:
    """A breaker that lets a few try."""
    return Breaker(BreakerState.HALF_OPEN, 0.0, "CONNECTION_REFUSED", 1, by_asks=by_asks)


@pytest.mark.parametrize("by_asks", [False, True])
def test_a_look_up_that_works_closes_only_what_look_ups_have_opened(by_asks: bool) -> None:
    breaker = half_open(by_asks=by_asks)
    for _ in range(10):
        breaker = breakers.after(breaker, ABSENT, 1.0, writes=False)
    assert breaker.is_closed == by_asks


def test_look_ups_that_fail_open_it_and_one_that_works_clears_their_failures_and_no_others() -> None:
    asked = Breaker()
    for _ in range(FAILURES_TO_OPEN):
        asked = breakers.after(asked, DOWN, 0.0, writes=False)
    assert (asked.state, asked.by_asks) == (BreakerState.OPEN, True)
    mixed = Breaker()
    for _ in range(FAILURES_TO_OPEN - 1):
        mixed = breakers.after(breakers.after(mixed, FAILS, 0.0), ABSENT, 0.0, writes=False)
    mixed = breakers.after(mixed, FAILS, 0.0)
    assert (mixed.state, mixed.by_asks) == (BreakerState.OPEN, False)


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
