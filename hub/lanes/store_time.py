"""The time by the store's clock, told at each grant and carried on by this process's monotonic clock."""

from datetime import datetime, timedelta

from hub.clock import Clock


class StoreTime:
    """Tells what the store's clock says.

    Its rows are stamped by that clock, so their ages are reckoned by it and not by this machine's, which
    may be wrong or jump.
    """

    def __init__(self, clock: Clock, told: datetime) -> None:
        self._clock = clock
        self.tell(told)

    def tell(self, now: datetime) -> None:
        """Takes what the store has just said."""
        self._told, self._at = now, self._clock.monotonic()

    def now(self) -> datetime:
        """The present moment, late by the way of the last answer at most."""
        return self._told + timedelta(seconds=self._clock.monotonic() - self._at)
