"""Who waits for what, in this process: hints only, the store is the truth."""

import asyncio
from collections import defaultdict

from hub.jobs.model import Ending

Ticket = asyncio.Future[Ending | None]
"""Done at the next change of a job; holds how the job ended, where that is known."""


class Board:
    """Wakes those who wait for a job to end, and those who follow all events."""

    def __init__(self) -> None:
        self._waiting: defaultdict[str, set[Ticket]] = defaultdict(set)
        self._news = asyncio.Event()

    def post(self, job_id: str, ending: Ending | None = None) -> None:
        """Says that the job has changed, and how it ended if it did."""
        for ticket in self._waiting.pop(job_id, ()):
            if not ticket.done():
                ticket.set_result(ending)
        self._news.set()
        self._news = asyncio.Event()

    def ticket(self, job_id: str) -> Ticket:
        """Something to await: done at the next change of the job. Take it before reading the job."""
        ticket: Ticket = asyncio.get_running_loop().create_future()
        self._waiting[job_id].add(ticket)
        ticket.add_done_callback(lambda done: self._forget(job_id, done))
        return ticket

    def waited_for(self) -> list[str]:
        """The jobs that somebody waits for."""
        return list(self._waiting)

    def news(self) -> asyncio.Event:
        """Something to await: set at the next change of any job. Take it before reading events."""
        return self._news

    def _forget(self, job_id: str, ticket: Ticket) -> None:
        waiting = self._waiting.get(job_id)
        if waiting is not None:
            waiting.discard(ticket)
            if not waiting:
                del self._waiting[job_id]


async def wait_for(event: asyncio.Event | Ticket, seconds: float) -> bool:
    """Waits for a hint, at most so long; True if it came."""
    waiter = event.wait() if isinstance(event, asyncio.Event) else event
    try:
        await asyncio.wait_for(waiter, seconds)
    except TimeoutError:
        return False
    return True
