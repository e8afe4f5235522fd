"""What the way in asks the store: how much is unfinished, which requests are known, and who has made what."""

from collections.abc import Mapping, Sequence

from sqlalchemy.ext.asyncio import AsyncEngine

from hub.database.engine import single
from hub.intake.backlog import Key
from hub.intake.references import Reference
from hub.jobs.ports import Accepted
from hub.jobs.statements import reader

_read = reader(__package__)
_BACKLOG = _read("backlog")
_MADE_REFERENCES = _read("made_references")
_FIRST_JOBS = reader("hub.jobs")("first_jobs")


class PostgresIntakeStore:
    """Reads only."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._single = single(engine)

    async def count(self) -> Mapping[Key, int]:
        """Unfinished jobs by lane and tenant."""
        async with self._single.connect() as connection:
            rows = (await connection.execute(_BACKLOG)).mappings().all()
        return {(row["lane_id"], row["tenant"]): row["jobs"] for row in rows}

    async def known(self, requests: Sequence[tuple[str, str]]) -> list[Accepted | None]:
        """The job that holds each key (tenant and request id), or None; in order."""
        keys = {"tenants": [tenant for tenant, _ in requests], "request_ids": [key for _, key in requests]}
        async with self._single.connect() as connection:
            rows = (await connection.execute(_FIRST_JOBS, keys)).mappings().all()
        found = {
            (row["tenant"], row["request_id"]): Accepted(str(row["job_id"]), row["fingerprint"], None)
            for row in rows
        }
        return [found.get(request) for request in requests]

    async def made(self, references: Sequence[Reference]) -> list[bool]:
        """Whether a job of the tenant in the lane has each reference, in order."""
        columns = {
            "tenants": [r.tenant for r in references],
            "lanes": [r.lane for r in references],
            "references": [r.text for r in references],
        }
        async with self._single.connect() as connection:
            found = set((await connection.execute(_MADE_REFERENCES, columns)).scalars())
        return [number in found for number in range(1, len(references) + 1)]
