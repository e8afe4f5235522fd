"""How fast a lane goes before a provider that says that it is too fast. Pure: times in monotonic seconds."""

import math
from collections import deque

LEAST_RATE = 0.1
GROWTH_PER_SECOND = 1.1
DEAF_SECONDS = 1.0


class Pace:
    """Halved when the provider throttles, then a tenth more each second, up to `most`; zero: no limit.

    Without a limit the rate that is halved is the one that the lane really had.
    """

    def __init__(self, most: float) -> None:
        self._most = most
        self._slowed: float | None = None
        self._ceiling = most
        self._grows_from = 0.0
        self._deaf_until = 0.0
        self._begun: deque[tuple[float, int]] = deque()

    def limit(self, most: float) -> None:
        """Follows another limit."""
        self._most = most

    def rate(self, now: float) -> float:
        """Attempts per second that may begin now, never more than `most`; zero: no limit."""
        if self._slowed is None:
            return self._most
        grown = self._slowed * math.pow(GROWTH_PER_SECOND, min(max(now - self._grows_from, 0.0), 3600.0))
        if grown < (self._most or self._ceiling):
            return grown
        self._slowed = None
        return self._most

    def begun(self, n: int, now: float) -> None:
        """Counts attempts that begin."""
        self._begun.append((now, n))
        self._forget(now)

    def throttled(self, now: float, until: float) -> None:
        """The provider wants nothing until then. What was under way together is one word, not many."""
        self._grows_from = max(self._grows_from, until)
        if now < self._deaf_until:
            return
        before = self.rate(now) or self._observed(now)
        if self._slowed is None:
            self._ceiling = before
        self._slowed = max(before / 2, min(LEAST_RATE, before))
        self._deaf_until = until + DEAF_SECONDS

    def _observed(self, now: float) -> float:
        self._forget(now)
        return float(max(sum(n for _, n in self._begun), 1))

    def _forget(self, now: float) -> None:
        while self._begun and self._begun[0][0] < now - 1.0:
            self._begun.popleft()
