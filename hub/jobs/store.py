"""Jobs as the edge sees them: accept, read, withdraw."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from hub.database.engine import single
from hub.errors import StoreConflict
from hub.jobs.model import SETTLED, Job, JobState, NewJob
from hub.jobs.ports import Accepted, Withdrawal
from hub.jobs.rows import job_from_row, new_job_columns
from hub.jobs.statements import reader
from mesh.failpoints import reach

_read = reader(__package__)
_ACCEPT = _read("accept")
_CANCEL_JOB = _read("cancel_job")
_FIRST_JOBS = _read("first_jobs")
_GET_JOBS = _read("get_jobs")
_JOB_OF_KEY = _read("job_of_key")
_LIST_JOBS = _read("list_jobs")
_SETTLED_JOBS = _read("settled_jobs")

LAST_ID = "ffffffff-ffff-ffff-ffff-ffffffffffff"


class PostgresJobStore:
    """One method per statement, no policy."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._single = single(engine)

    async def accept(self, jobs: Sequence[NewJob]) -> list[Accepted]:
        """Makes jobs durable in one commit; a job whose key is taken is answered with the first one."""
        reach("hub.accepting", *(j.job_id for j in jobs))
        try:
            created, first = await self._accept(jobs)
        except StoreConflict:
            # Undone as a whole, and what stood in its way has gone through.
            created, first = await self._accept(jobs)
        reach("hub.accepted", *created)
        return [
            Accepted(j.job_id, j.fingerprint, created[j.job_id])
            if j.job_id in created
            else Accepted(*first[j.tenant, j.request_id], created_at=None)
            for j in jobs
        ]

    async def _accept(
        self, jobs: Sequence[NewJob]
    ) -> tuple[dict[str, datetime], dict[tuple[str, str], tuple[str, bytes]]]:
        """When each new job was made, and the first jobs of the other keys."""
        async with self._single.connect() as connection:
            made = (await connection.execute(_ACCEPT, new_job_columns(jobs))).mappings().all()
            created = {str(row["job_id"]): row["created_at"] for row in made}
            repeats = [j for j in jobs if j.job_id not in created]
            return created, await _first_jobs(connection, repeats) if repeats else {}

    async def get(self, job_id: str) -> Job | None:
        """One job, of any tenant."""
        return (await self.get_all([job_id])).get(job_id)

    async def get_all(self, job_ids: Sequence[str]) -> dict[str, Job]:
        """Those of some jobs that there are, of any tenant, by id."""
        async with self._single.connect() as connection:
            result = await connection.execute(_GET_JOBS, {"job_ids": list(job_ids)})
            found = [job_from_row(row) for row in result.mappings()]
        return {job.job_id: job for job in found}

    async def settled(self, job_ids: Sequence[str]) -> list[str]:
        """Those of some jobs with which nothing more happens by itself."""
        wanted = {"job_ids": list(job_ids), "states": [int(state) for state in SETTLED]}
        async with self._single.connect() as connection:
            return [str(job_id) for job_id in (await connection.execute(_SETTLED_JOBS, wanted)).scalars()]

    async def page(
        self,
        tenant: str,
        *,
        before: str,
        limit: int,
        states: Sequence[JobState] = (),
        provider: str = "",
        request_id: str = "",
    ) -> list[Job]:
        """Up to `limit` jobs of a tenant, newest first, older than `before` ("" for the newest)."""
        if request_id:
            job = await self._of_key(tenant, request_id)
            fits = job and job.job_id < (before or LAST_ID) and job.provider == (provider or job.provider)
            return [job] if job and fits and (not states or job.state in states) else []
        filters = {
            "tenant": tenant,
            "before": before or LAST_ID,
            "limit": limit,
            "states": [int(s) for s in states] or None,
            "provider": provider,
        }
        async with self._single.connect() as connection:
            rows = (await connection.execute(_LIST_JOBS, filters)).mappings().all()
        return [job_from_row(row) for row in rows]

    async def _of_key(self, tenant: str, request_id: str) -> Job | None:
        async with self._single.connect() as connection:
            key = {"tenant": tenant, "request_id": request_id}
            job_id = (await connection.execute(_JOB_OF_KEY, key)).scalar()
        return await self.get(str(job_id)) if job_id else None

    async def cancel(self, job_id: str, withdrawal: Withdrawal) -> bool:
        """Withdraws a job that nothing has been done for, and states it; False if that is not so."""
        cancel = withdrawal.cancel
        change = {
            "job_id": job_id,
            "actor": cancel.actor,
            "reason": cancel.reason,
            "ticket": cancel.ticket,
            "statement_id": withdrawal.statement_id,
            "envelope": withdrawal.envelope,
        }
        async with self._single.connect() as connection:
            return (await connection.execute(_CANCEL_JOB, change)).first() is not None


async def _first_jobs(
    connection: AsyncConnection, repeats: Sequence[NewJob]
) -> dict[tuple[str, str], tuple[str, bytes]]:
    keys = {"tenants": [j.tenant for j in repeats], "request_ids": [j.request_id for j in repeats]}
    rows = (await connection.execute(_FIRST_JOBS, keys)).mappings()
    return {(row["tenant"], row["request_id"]): (str(row["job_id"]), row["fingerprint"]) for row in rows}
