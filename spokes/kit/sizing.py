"""How many actors a pool should have, and how fast it may replace lost ones. Pure."""

from collections import deque
from dataclasses import dataclass
from math import ceil
from typing import Final

from spokes.kit.manifest import PoolSpec

OLD_QUEUE_SECONDS: Final = 0.5
FULL_SHARE: Final = 0.8
IDLE_SHARE: Final = 0.3
SHRINK_AFTER_SECONDS: Final = 60.0


@dataclass(frozen=True, slots=True)
class Load:
    """A pool at one moment. `idle_seconds`: how long it has needed less than it has."""

    size: int
    in_flight: int
    queued: int
    oldest_wait: float
    idle_seconds: float


def is_idle(load: Load, spec: PoolSpec) -> bool:
    """Whether one actor less would still have much room."""
    return load.queued == 0 and load.in_flight < IDLE_SHARE * spec.concurrency * (load.size - 1)


def desired_size(load: Load, spec: PoolSpec) -> int:
    """The number of actors: up at once when work waits, down by one after a quiet minute."""
    capacity = spec.concurrency * load.size
    size = load.size
    if load.oldest_wait > OLD_QUEUE_SECONDS or load.in_flight > FULL_SHARE * capacity:
        size = max(load.size + 1, ceil((load.in_flight + load.queued) / spec.concurrency))
    elif is_idle(load, spec) and load.idle_seconds > SHRINK_AFTER_SECONDS:
        size = load.size - 1
    return min(max(size, spec.least), spec.most)


class RestartBudget:
    """Permits so many replacements in a sliding window, so that a crash loop becomes visible."""

    def __init__(self, limit: int, window_seconds: float) -> None:
        self._limit = limit
        self._window = window_seconds
        self._spent: deque[float] = deque()

    def take(self, now: float) -> bool:
        """Takes one replacement out of the budget; False if it is spent."""
        if self.is_spent(now):
            return False
        self._spent.append(now)
        return True

    def is_spent(self, now: float) -> bool:
        """Whether no replacement is left for now."""
        while self._spent and self._spent[0] <= now - self._window:
            self._spent.popleft()
        return len(self._spent) >= self._limit
