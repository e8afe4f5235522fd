"""A lane before a provider that says that it is too fast."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.jobs.decide import after_attempt
from hub.jobs.decision import Moment
from hub.jobs.model import Claimed, JobState
from hub.jobs.outcome import NotSent, NotSentCause, Outcome, Succeeded
from hub.jobs.spec import Limits
from hub.lanes.breaker import Breaker
from hub.lanes.gate import LONGEST_THROTTLE_SECONDS, Gate
from hub.lanes.pace import LEAST_RATE, Pace
from tests.hub.jobs import NOW, claimed, spec
from tests.hub.virtual_lane import VirtualLane

UNTOLD = NotSent(NotSentCause.THROTTLED, "THROTTLED", "")
TOLD = NotSent(NotSentCause.THROTTLED, "THROTTLED", "", timedelta(seconds=1))


class OneASecond:
    """Takes one request a second."""

    def __init__(self, refusal: NotSent) -> None:
        self._refusal = refusal
        self._next = 0.0

    def __call__(self, job: Claimed, now: float) -> Outcome:
        """What it answers."""
        if now < self._next:
            return self._refusal
        self._next = now + 1.0
        return Succeeded("T", b"r")


@pytest.mark.parametrize("refusal", [UNTOLD, TOLD], ids=["untold", "told"])
def test_three_hundred_jobs_before_a_provider_that_takes_one_a_second_are_all_done(refusal: NotSent) -> None:
    lane = VirtualLane(OneASecond(refusal), jobs=300)
    lane.run(1200)
    assert lane.count(JobState.SUCCEEDED) == 300
    assert max(row.attempts for row in lane.rows) == 1
    assert len(lane.asked) < 1500


@given(
    st.floats(0.5, 1000),
    st.lists(st.tuples(st.floats(0, 30), st.booleans(), st.floats(0, 10)), max_size=40),
)
def test_the_pace_is_never_above_the_manifests_and_is_halved_and_recovers(
    most: float, steps: list[tuple[float, bool, float]]
) -> None:
    pace, now, deaf = Pace(most), 0.0, 0.0
    for wait, refused, hold in steps:
        now += wait
        before = pace.rate(now)
        assert min(LEAST_RATE, most) <= before <= most
        if refused:
            pace.throttled(now, now + hold)
            if now >= deaf:
                deaf = now + hold + 1.0
                assert pace.rate(now) <= max(before / 2, LEAST_RATE) + 1e-9
        assert pace.rate(now + 5) >= pace.rate(now) - 1e-9
    assert pace.rate(now + 3600) == most


def test_refusals_of_what_went_together_slow_a_lane_down_once() -> None:
    gate = Gate(Limits(999, 100, 50), Breaker())
    gate.admits(0.0)
    for _ in range(64):
        gate.observe(TOLD, 10.0, job_id="j", writes=True)
    gate.admits(11.0)
    gate.begun(gate.admits(12.0), 12.0, fresh=True)
    assert 40 <= gate.admits(13.0) <= 50


def test_a_lane_without_a_limit_is_slowed_down_from_what_it_really_did() -> None:
    pace = Pace(0.0)
    pace.begun(40, 0.5)
    pace.throttled(1.0, 2.0)
    assert pace.rate(2.0) == 20.0
    assert pace.rate(60.0) == 0.0


def test_a_wait_of_a_day_is_believed_for_an_hour_and_jobs_wait_with_the_lane() -> None:
    day = NotSent(NotSentCause.THROTTLED, "THROTTLED", "", timedelta(days=1))
    gate = Gate(Limits(8), Breaker())
    gate.observe(day, 0.0, job_id="j", writes=True)
    assert gate.seconds(0.0) == LONGEST_THROTTLE_SECONDS
    decision = after_attempt(claimed(attempt_count=99), day, spec(), Moment(NOW, 0.5))
    assert (decision.state, decision.wait, decision.counts) == (
        JobState.RETRY_WAIT,
        timedelta(minutes=1),
        False,
    )


def test_an_operator_ends_the_wait() -> None:
    gate = Gate(Limits(8), Breaker())
    gate.observe(TOLD, 0.0, job_id="j", writes=True)
    gate.release(Breaker(), 0.0)
    assert gate.seconds(0.0) == 0.0
