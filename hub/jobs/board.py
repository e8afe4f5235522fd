"""Who waits for what, in this process: hints only, the store is the truth."""

import asyncio
from collections import defaultdict


class Board:
    """Wakes those who wait for a job to end, and those who follow all events."""

    def __init__(self) -> None:
        self._waiting: defaultdict[str, set[asyncio.Future[None]]] = defaultdict(set)
        self._news = asyncio.Event()

    def post(self, job_id: str) -> None:
        """Says that the job has changed."""
        for future in self._waiting.pop(job_id, ()):
            if not future.done():
                future.set_result(None)
        self._news.set()
        self._news = asyncio.Event()

    def ticket(self, job_id: str) -> asyncio.Future[None]:
        """Something to await: done at the next change of the job. Take it before reading the job."""
        future = asyncio.get_running_loop().create_future()
        self._waiting[job_id].add(future)
        future.add_done_callback(lambda done: self._forget(job_id, done))
        return future

    def news(self) -> asyncio.Event:
        """Something to await: set at the next change of any job. Take it before reading events."""
        return self._news

    def _forget(self, job_id: str, future: asyncio.Future[None]) -> None:
        waiting = self._waiting.get(job_id)
        if waiting is not None:
            waiting.discard(future)
            if not waiting:
                del self._waiting[job_id]


async def wait_for(event: asyncio.Event | asyncio.Future[None], seconds: float) -> bool:
    """Waits for a hint, at most so long; True if it came."""
    waiter = event.wait() if isinstance(event, asyncio.Event) else event
    try:
        await asyncio.wait_for(waiter, seconds)
    except TimeoutError:
        return False
    return True
