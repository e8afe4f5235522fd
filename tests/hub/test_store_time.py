"""The time by the store's clock."""

from datetime import timedelta

from hub.lanes.store_time import StoreTime
from tests.fakes import HandClock
from tests.hub.jobs import NOW

HOUR = timedelta(hours=1)


class JumpingClock(HandClock):
    """A wall clock that can jump, as the monotonic one beside it cannot."""

    def jump(self, by: timedelta) -> None:
        """Changes what time it is, without any passing."""
        self._now += by


def test_the_stores_time_goes_on_between_its_answers_and_follows_them() -> None:
    clock = HandClock(NOW)
    time = StoreTime(clock, NOW + HOUR)
    clock.move(5)
    assert time.now() == NOW + HOUR + timedelta(seconds=5)
    time.tell(NOW - HOUR)
    assert time.now() == NOW - HOUR


def test_a_jump_of_this_machines_clock_does_not_move_the_stores_time() -> None:
    clock = JumpingClock(NOW)
    time = StoreTime(clock, NOW)
    clock.jump(HOUR)
    clock.move(1)
    assert time.now() == NOW + timedelta(seconds=1)
