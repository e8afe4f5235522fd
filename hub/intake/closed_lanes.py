"""Which lanes take no new jobs, as this replica last read it."""

from collections.abc import Awaitable, Callable

READ_SECONDS = 1.0


class ClosedLanes:
    """The duty that reads it; calling it with a lane says whether the lane is closed."""

    name = "closed lanes"

    def __init__(self, read: Callable[[], Awaitable[frozenset[str]]]) -> None:
        self._read = read
        self._closed: frozenset[str] = frozenset()

    def __call__(self, lane: str) -> bool:
        """True if an operator lets the lane take no new jobs."""
        return lane in self._closed

    async def run_once(self) -> float | None:
        """Reads once."""
        self._closed = await self._read()
        return READ_SECONDS
