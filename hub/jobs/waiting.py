"""Waiting for jobs: hints wake the waiter, the store says what is true; all waiters share what they read."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from hub.clock import Clock
from hub.errors import JobNotFound
from hub.jobs.board import Board, Ticket, wait_for
from hub.jobs.model import SETTLED, Job, NewJob, ended
from mesh.batcher import Batcher
from mesh.interceptor import time_left

POLL_SECONDS = 1.0
READ_TOGETHER = 256
POLL_TOGETHER = 1000
MOST_READS = 10_000
ANSWER_SECONDS = 0.2
"""How long before the caller's deadline the answer leaves."""


def in_time(context: Any, seconds: float) -> float:
    """A wait cut short so that the caller still gets the job as it then stands, not a bare timeout."""
    left = time_left(context)
    return seconds if left is None else max(0.0, min(seconds, left - ANSWER_SECONDS))


class Reads(Protocol):
    """The store, as far as waiting needs it."""

    async def get_all(self, job_ids: Sequence[str]) -> Mapping[str, Job]:
        """Those of some jobs that there are, of any tenant, by id."""
        ...

    async def settled(self, job_ids: Sequence[str]) -> list[str]:
        """Those of some jobs with which nothing more happens by itself."""
        ...


class Waiting:
    """Answers with a job as soon as it has settled or the time is up."""

    def __init__(self, store: Reads, board: Board, clock: Clock) -> None:
        self._store = store
        self._board = board
        self._clock = clock
        self._reads = Batcher[str, Job | None](self._read, max_items=READ_TOGETHER, max_queue=MOST_READS)

    def ticket(self, job_id: str) -> Ticket:
        """A ticket for a job that is not in the store yet."""
        return self._board.ticket(job_id)

    async def fresh_job(self, new: NewJob, created_at: datetime, ticket: Ticket, *, seconds: float) -> Job:
        """Like `job`, for one just accepted: it is read only if the ticket does not say how it ended."""
        until = self._clock.monotonic() + seconds
        if await wait_for(ticket, seconds) and (ending := ticket.result()):
            return ended(new, created_at, ending)
        return await self.job(new.job_id, seconds=until - self._clock.monotonic())

    async def job(self, job_id: str, *, seconds: float) -> Job:
        """The job, after a wait of at most `seconds` for it to settle; raises JobNotFound."""
        until = self._clock.monotonic() + seconds
        while True:
            # The ticket is taken before the read, so that no change falls between the two.
            ticket = self._board.ticket(job_id)
            try:
                job = await self._reads.submit(job_id)
                if job is None:
                    raise JobNotFound(f"there is no job {job_id}", job_id=job_id)
                left = until - self._clock.monotonic()
                if job.state in SETTLED or left <= 0:
                    return job
                await wait_for(ticket, left)
            finally:
                ticket.cancel()

    async def _read(self, job_ids: list[str]) -> list[Job | None]:
        found = await self._store.get_all(list(dict.fromkeys(job_ids)))
        return [found.get(job_id) for job_id in job_ids]


class PollWaiting:
    """The duty that wakes those whose job has settled although no hint of it came."""

    name = "poll waiting"

    def __init__(self, store: Reads, board: Board) -> None:
        self._store = store
        self._board = board

    async def run_once(self) -> float | None:
        """Asks for all jobs that are waited for, together."""
        waited_for = self._board.waited_for()
        for start in range(0, len(waited_for), POLL_TOGETHER):
            for job_id in await self._store.settled(waited_for[start : start + POLL_TOGETHER]):
                self._board.post(job_id)
        return POLL_SECONDS
