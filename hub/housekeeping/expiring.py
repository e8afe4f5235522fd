"""The duty that ends jobs when their time is over, whatever their lanes, spokes and owners are at."""

from collections.abc import Awaitable, Callable, Sequence

from hub.jobs.ports import Post

BATCH = 1000
LONGEST_SECONDS = 1.0


class Expiring:
    """`expire` ends up to so many jobs that are over; `next_expiry`: seconds until the next one is."""

    name = "expire jobs"

    def __init__(
        self,
        expire: Callable[[int], Awaitable[Sequence[str]]],
        next_expiry: Callable[[], Awaitable[float | None]],
        post: Post,
    ) -> None:
        self._expire = expire
        self._next_expiry = next_expiry
        self._post = post

    async def run_once(self) -> float | None:
        """Ends a batch; at once again if there may be more, else when the next one is over."""
        over = await self._expire(BATCH)
        for job_id in over:
            self._post(job_id)
        if len(over) == BATCH:
            return 0
        seconds = await self._next_expiry()
        if seconds is None or seconds > LONGEST_SECONDS:
            return LONGEST_SECONDS
        # What is over already was being written by somebody else.
        return max(seconds, LONGEST_SECONDS / 10)
