"""A typed request becomes a durable job, or is recognised as one that already is."""

from collections.abc import Awaitable, Callable

from hub.clock import Clock
from hub.errors import AlreadyExpired, KeyReused
from hub.jobs.model import NewJob
from hub.jobs.ports import Accepted


class Submission:
    """Accepts jobs. `accept` makes them durable, sharing its commit; `hint` wakes the lane."""

    def __init__(
        self,
        *,
        accept: Callable[[NewJob], Awaitable[Accepted]],
        clock: Clock,
        hint: Callable[[str], None],
    ) -> None:
        self._accept = accept
        self._clock = clock
        self._hint = hint

    async def submit(self, job: NewJob) -> Accepted:
        """The job that holds the key; raises KeyReused if its content is another."""
        if job.expire_at <= self._clock.now():
            raise AlreadyExpired("context.expire_time lies in the past")
        accepted = await self._accept(job)
        if accepted.created_at is None:
            return same_content(accepted, request_id=job.request_id, fingerprint=job.fingerprint)
        self._hint(job.lane)
        return accepted


def same_content(first: Accepted, *, request_id: str, fingerprint: bytes) -> Accepted:
    """The answer to a repetition; raises KeyReused if the first request's content was another."""
    if first.fingerprint != fingerprint:
        raise KeyReused(
            f"request_id {request_id} belongs to job {first.job_id}, whose content is another",
            job_id=first.job_id,
            request_id=request_id,
        )
    return first
