"""The way in for Core: a request becomes a job, unless its key is known; then it is that key's job."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from hub.errors import JobError, KeyReused
from hub.intake.new_jobs import Asked, NewJobs
from hub.intake.references import References
from hub.intake.submit import same_content
from hub.jobs.model import NewJob
from hub.jobs.ports import Accepted
from hub.tenants import Rights
from mesh.errors import InvalidRequest


class Submits(Protocol):
    """What makes a request a durable job."""

    async def submit(self, job: NewJob) -> Accepted:
        """The job that holds the key; raises KeyReused if its content is another."""
        ...


@dataclass(frozen=True, slots=True)
class Made:
    """The request has become a job just now."""

    job: NewJob
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Known:
    """Its key is that of a job with the same content."""

    job_id: str


class Door:
    """Takes requests in. `known` finds the job of a tenant's request id.

    A refusal says only what is true of a new request. The first job of a known key was taken in when it was
    allowed, so nothing that has changed since may hide it: not the clock, a manifest, a limit or a right.
    """

    def __init__(
        self,
        *,
        new_jobs: NewJobs,
        references: References,
        submission: Submits,
        known: Callable[[tuple[str, str]], Awaitable[Accepted | None]],
    ) -> None:
        self._new_jobs = new_jobs
        self._references = references
        self._submission = submission
        self._known = known

    async def take(self, asked: Asked, rights: Rights) -> Made | Known:
        """The job of a request; raises KeyReused if the key is that of other content, else any refusal."""
        try:
            return await self._new(asked, rights)
        except KeyReused:
            raise
        except (JobError, InvalidRequest):
            if (first := await self._first(asked)) is None:
                raise
            return first

    async def _new(self, asked: Asked, rights: Rights) -> Made | Known:
        provider = self._new_jobs.provider(asked)
        account = rights.account(provider, asked.context.account)
        job = self._new_jobs.make(asked, provider, account)
        if not rights.foreign_references:
            await self._references.check(asked, job.lane)
        accepted = await self._submission.submit(job)
        return Made(job, accepted.created_at) if accepted.created_at else Known(accepted.job_id)

    async def _first(self, asked: Asked) -> Known | None:
        key = asked.context.request_id
        first = await self._known((asked.context.tenant, key))
        if first is None:
            return None
        return Known(same_content(first, request_id=key, fingerprint=asked.fingerprint).job_id)
