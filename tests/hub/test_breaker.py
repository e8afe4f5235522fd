"""The breaker and the limits of a lane."""

from datetime import timedelta

import pytest

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
from hub.jobs.spec import Limits
from hub.lanes import breaker as breakers
from hub.lanes.breaker import FAILURES_TO_OPEN, PROBES, SUCCESSES_TO_CLOSE, Breaker, BreakerState
from hub.lanes.gate import Gate
from hub.lanes.token_bucket import TokenBucket

DOWN = NotSent(NotSentCause.PROVIDER_DOWN, "CONNECTION_REFUSED", "")
UP = Succeeded("T", b"")


def opened(now: float = 0.0) -> Breaker:
    """A breaker that has just opened."""
    breaker = Breaker()
    for _ in range(FAILURES_TO_OPEN):
        breaker = breakers.after(breaker, DOWN, now)
    return breaker


def test_the_breaker_opens_within_ten_failures_in_a_row() -> None:
    assert FAILURES_TO_OPEN <= 10
    assert opened().state is BreakerState.OPEN


def test_a_success_between_failures_keeps_it_closed() -> None:
    breaker = Breaker()
    for outcome in [DOWN] * (FAILURES_TO_OPEN - 1) + [UP] + [DOWN] * (FAILURES_TO_OPEN - 1):
        breaker = breakers.after(breaker, outcome, 0.0)
    assert breaker.is_closed


@pytest.mark.parametrize(
    "outcome",
    [
        Declined("NO", ""),
        Pending("T", b""),
        Unknown("ACTOR_LOST", "", cause=UnknownCause.WORKER_LOST),
        Unknown("SPOKE_FAULT", ""),
        *(NotSent(cause, "R", "") for cause in NotSentCause if cause is not NotSentCause.PROVIDER_DOWN),
    ],
    ids=repr,
)
def test_only_a_provider_that_is_down_opens_it(outcome: Outcome) -> None:
    breaker = Breaker()
    for _ in range(100):
        breaker = breakers.after(breaker, outcome, 0.0)
    assert breaker.is_closed


def test_a_provider_that_falls_silent_after_the_request_counts_as_down() -> None:
    breaker = Breaker()
    for _ in range(FAILURES_TO_OPEN):
        breaker = breakers.after(breaker, Unknown("REPLY_CUT", "", cause=UnknownCause.PROVIDER), 0.0)
    assert breaker.state is BreakerState.OPEN


def test_an_open_breaker_admits_nothing_then_a_few_then_all_again() -> None:
    breaker = opened(now=100.0)
    assert breakers.admits(breakers.at(breaker, breaker.open_until - 0.1), 0) == 0
    half = breakers.at(breaker, breaker.open_until)
    assert (half.state, breakers.admits(half, 0), breakers.admits(half, 2)) == (
        BreakerState.HALF_OPEN,
        PROBES,
        PROBES - 2,
    )
    for _ in range(SUCCESSES_TO_CLOSE):
        half = breakers.after(half, UP, breaker.open_until)
    assert breakers.admits(half, 100) is None


def test_each_failed_trial_keeps_it_open_longer_up_to_a_minute() -> None:
    breaker, now, waits = opened(), 0.0, []
    for _ in range(6):
        waits.append(breaker.open_until - now)
        now = breaker.open_until
        breaker = breakers.after(breakers.at(breaker, now), DOWN, now)
    assert waits == [5, 10, 20, 40, 60, 60]


def test_what_fails_while_it_is_open_does_not_prolong_it() -> None:
    breaker = opened()
    assert breakers.after(breaker, DOWN, 4.0) == breaker


def test_a_providers_retry_after_keeps_it_open_as_long() -> None:
    says_down = NotSent(NotSentCause.PROVIDER_DOWN, "PROVIDER_SAYS_DOWN", "", timedelta(seconds=300))
    breaker = Breaker()
    for _ in range(FAILURES_TO_OPEN):
        breaker = breakers.after(breaker, says_down, 0.0)
    assert breaker.open_until == 300.0


def test_a_bucket_lets_its_burst_go_at_once_and_then_its_rate() -> None:
    bucket = TokenBucket(rate=10, burst=5)
    begun = [bucket.available(0.0)]
    bucket.take(5, 0.0)
    begun += [bucket.available(t) for t in (0.0, 0.1, 0.55, 60.0)]
    assert begun == [5, 0, 1, 5, 5]


def test_a_bucket_says_how_long_until_so_many_may_go() -> None:
    bucket = TokenBucket(rate=10, burst=5)
    bucket.take(5, 0.0)
    assert bucket.seconds_until(2, 0.0) == pytest.approx(0.2)


def test_a_gate_admits_the_least_of_concurrency_rate_and_trials() -> None:
    gate = Gate(Limits(concurrency=8, rate_per_second=100, burst=6), Breaker())
    assert (gate.admits(0.0), gate.admits(0.1)) == (1, 6)
    gate.begun(6, 0.1, fresh=True)
    assert gate.admits(1.0) == 2
    gate.breaker = opened(now=1.0)
    assert gate.admits(1.0) == 0
    for _ in range(6):
        gate.ended()
    assert gate.admits(6.0) == PROBES


def test_a_new_owner_does_not_begin_with_a_full_bucket() -> None:
    spent = 0
    for term in range(5):
        gate, now = Gate(Limits(concurrency=100, rate_per_second=10, burst=50), Breaker()), 2.0 * term
        spent += gate.admits(now)
    assert spent == 5


def test_attempts_taken_over_count_as_in_flight_but_cost_no_rate() -> None:
    gate = Gate(Limits(concurrency=8, rate_per_second=1, burst=5), Breaker())
    assert (gate.admits(0.0), gate.admits(9.0)) == (1, 5)
    gate.begun(4, 9.0, fresh=False)
    assert gate.admits(9.0) == 4


def test_a_providers_wait_holds_the_whole_lane() -> None:
    gate = Gate(Limits(concurrency=8), Breaker())
    gate.observe(
        NotSent(NotSentCause.THROTTLED, "THROTTLED", "", timedelta(seconds=30)), 10.0, job_id="j", writes=True
    )
    assert (gate.admits(39.9), gate.seconds(10.0)) == (0, 30.0)
    assert gate.admits(45.0) > 0
