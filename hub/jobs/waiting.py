"""Waiting for jobs: hints wake the waiter, the store says what is true."""

from datetime import datetime
from typing import Any, Protocol

from hub.clock import Clock
from hub.errors import JobNotFound
from hub.jobs.board import Board, Ticket, wait_for
from hub.jobs.model import SETTLED, Job, NewJob, ended
from mesh.interceptor import time_left

POLL_SECONDS = 1.0
ANSWER_SECONDS = 0.2
"""How long before the caller's deadline the answer leaves."""


def in_time(context: Any, seconds: float) -> float:
    """A wait cut short so that the caller still gets the job as it then stands, not a bare timeout."""
    left = time_left(context)
    return seconds if left is None else max(0.0, min(seconds, left - ANSWER_SECONDS))


class Reads(Protocol):
    """The store, as far as waiting needs it."""

    async def get(self, job_id: str) -> Job | None:
        """One job, of any tenant."""
        ...


class Waiting:
    """Answers with a job as soon as it has settled or the time is up."""

    def __init__(self, store: Reads, board: Board, clock: Clock) -> None:
        self._store = store
        self._board = board
        self._clock = clock

    def ticket(self, job_id: str) -> Ticket:
        """A ticket for a job that is not in the store yet."""
        return self._board.ticket(job_id)

    async def fresh_job(self, new: NewJob, created_at: datetime, ticket: Ticket, *, seconds: float) -> Job:
        """Like `job`, for one just accepted: it is read only if the ticket does not say how it ended."""
        until = self._clock.monotonic() + seconds
        if await wait_for(ticket, min(seconds, POLL_SECONDS)) and (ending := ticket.result()):
            return ended(new, created_at, ending)
        return await self.job(new.job_id, seconds=until - self._clock.monotonic())

    async def job(self, job_id: str, *, seconds: float) -> Job:
        """The job, after a wait of at most `seconds` for it to settle; raises JobNotFound."""
        until = self._clock.monotonic() + seconds
        while True:
            # The ticket is taken before the read, so that no change falls between the two.
            ticket = self._board.ticket(job_id)
            try:
                job = await self._store.get(job_id)
                if job is None:
                    raise JobNotFound(f"there is no job {job_id}", job_id=job_id)
                left = until - self._clock.monotonic()
                if job.state in SETTLED or left <= 0:
                    return job
                await wait_for(ticket, min(left, POLL_SECONDS))
            finally:
                ticket.cancel()
