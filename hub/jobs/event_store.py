"""Events of jobs: committed beside the change that they tell, then numbered, then read in order."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import TextClause
from sqlalchemy.ext.asyncio import AsyncEngine

from hub.database.engine import single
from hub.feeds.model import Head
from hub.jobs.model import Event
from hub.jobs.rows import event_from_row
from hub.jobs.statements import reader

_read = reader(__package__)
_NUMBER_EVENTS = _read("number_events")
_READ_EVENTS = _read("read_events")
_READ_HEAD = _read("read_head")
_READ_JOB_EVENTS = _read("read_job_events")
_READ_TENANT_EVENTS = _read("read_tenant_events")


class PostgresEventLog:
    """One method per statement, no policy."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._single = single(engine)

    async def number(self, limit: int) -> int:
        """Gives up to `limit` committed events their cursors; how many, 0 also while another does it."""
        async with self._single.connect() as connection:
            return (await connection.execute(_NUMBER_EVENTS, {"limit": limit})).scalar() or 0

    async def head(self) -> Head:
        """The newest cursor."""
        async with self._single.connect() as connection:
            row = (await connection.execute(_READ_HEAD)).mappings().one()
        return Head(row["cursor"], row["history"], row["is_behind"])

    async def all_after(self, cursor: int, limit: int) -> list[Event]:
        """Events of all tenants after a cursor, in order."""
        return await self._read(_READ_EVENTS, {"after": cursor, "limit": limit})

    async def between(
        self, tenant: str, *, after: int, upto: int, limit: int, job_id: str = ""
    ) -> list[Event]:
        """Events of a tenant, or of one of its jobs, after a cursor and up to another, in order."""
        wanted = {"tenant": tenant, "after": after, "upto": upto, "limit": limit}
        if job_id:
            return await self._read(_READ_JOB_EVENTS, wanted | {"job_id": job_id})
        return await self._read(_READ_TENANT_EVENTS, wanted)

    async def _read(self, statement: TextClause, wanted: Mapping[str, Any]) -> list[Event]:
        async with self._single.connect() as connection:
            rows = (await connection.execute(statement, wanted)).mappings().all()
        return [event_from_row(row) for row in rows]
