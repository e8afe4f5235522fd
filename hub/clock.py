"""Time, as whoever needs it gets it."""

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """Time: aware UTC, and seconds that only grow."""

    def now(self) -> datetime:
        """The wall clock, aware UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds since some moment; never goes back."""
        ...
