"""What a process remembers of attempts."""

from datetime import timedelta

import pytest

from integration.spoke.v1.spoke_service_pb2 import AttemptResult
from spokes.kit.attempts import Attempts, Closed, Finished, Fresh, Knowledge, Running
from tests.fakes import HandClock

LANE = "echo/default"


@pytest.fixture
def clock():
    return HandClock()


@pytest.fixture
def attempts(clock):
    return Attempts(clock)


def test_an_attempt_is_fresh_then_running_then_finished(attempts):
    assert attempts.standing("a.1", lane=LANE, term=1) == Fresh()
    attempts.begin("a.1", "handle")
    assert attempts.standing("a.1", lane=LANE, term=1) == Running("handle")
    result = AttemptResult(attempt_id="a.1")
    attempts.finish(result)
    assert attempts.standing("a.1", lane=LANE, term=1) == Finished(result)


def test_a_newer_term_closes_the_lane_to_older_ones_and_no_other_lane(attempts):
    attempts.standing("a.1", lane=LANE, term=5)
    assert attempts.standing("b.1", lane=LANE, term=4) == Closed()
    assert attempts.standing("b.1", lane="echo/other", term=4) == Fresh()


def test_a_fence_closes_the_lane(attempts):
    attempts.fence(LANE, 5, [])
    assert attempts.standing("a.1", lane=LANE, term=4) == Closed()
    assert attempts.standing("a.1", lane=LANE, term=5) == Fresh()


def test_a_fenced_attempt_cannot_begin_even_under_the_newest_term(attempts, clock):
    later = clock.now() + timedelta(seconds=10)
    (report,) = attempts.fence(LANE, 5, [("a.1", later)])
    assert report.knowledge is Knowledge.NOT_STARTED
    assert attempts.standing("a.1", lane=LANE, term=5) == Closed()


def test_an_older_fence_does_not_reopen_the_lane(attempts):
    attempts.fence(LANE, 5, [])
    attempts.fence(LANE, 3, [])
    assert attempts.standing("a.1", lane=LANE, term=4) == Closed()


@pytest.mark.parametrize(
    ("seconds", "knowledge"), [(-60, Knowledge.NONE), (0, Knowledge.NONE), (2, Knowledge.NOT_STARTED)]
)
def test_only_an_instance_that_served_before_the_claim_can_speak(attempts, clock, seconds, knowledge):
    claimed_at = clock.now() + timedelta(seconds=seconds)
    assert attempts.fence(LANE, 1, [("a.1", claimed_at)])[0].knowledge is knowledge


def test_what_has_begun_is_never_reported_as_not_started(clock):
    attempts = Attempts(clock, keep_results=1)
    later = clock.now() + timedelta(seconds=10)
    for name in ("a.1", "b.1"):
        attempts.begin(name, "handle")
        attempts.finish(AttemptResult(attempt_id=name))
    forgotten, kept = attempts.fence(LANE, 1, [("a.1", later), ("b.1", later)])
    assert (forgotten.knowledge, kept.knowledge) == (Knowledge.NONE, Knowledge.FINISHED)
    assert attempts.standing("a.1", lane=LANE, term=1) == Finished(None)


def test_results_are_forgotten_after_a_quarter_of_an_hour(attempts, clock):
    attempts.begin("a.1", "handle")
    attempts.finish(AttemptResult(attempt_id="a.1"))
    clock.move(15 * 60 + 1)
    attempts.begin("b.1", "handle")
    attempts.finish(AttemptResult(attempt_id="b.1"))
    assert attempts.standing("a.1", lane=LANE, term=1) == Finished(None)


def test_what_was_stated_before_the_process_began_is_not_for_it_to_begin() -> None:
    clock = HandClock()
    attempts: Attempts[str] = Attempts(clock)
    assert attempts.is_older(clock.now() - timedelta(microseconds=1))
    assert not attempts.is_older(clock.now())
