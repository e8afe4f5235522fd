"""What is told of providers' events: committed beside what it is about, then numbered, then read in order."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import TextClause
from sqlalchemy.ext.asyncio import AsyncEngine

from hub.database.engine import single
from hub.events.rows import told_from_row
from hub.events.told import Told
from hub.feeds.model import Head
from hub.jobs.statements import reader

_read = reader(__package__)
_NUMBER_TOLD = _read("number_told")
_READ_HEAD = _read("read_told_head")
_READ_JOB_TOLD = _read("read_job_told")
_READ_TENANT_TOLD = _read("read_tenant_told")
_READ_TOLD = _read("read_told")


class PostgresToldLog:
    """One method per statement, no policy."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._single = single(engine)

    async def number(self, limit: int) -> int:
        """Gives up to `limit` committed events their cursors; how many, 0 also while another does it."""
        async with self._single.connect() as connection:
            return (await connection.execute(_NUMBER_TOLD, {"limit": limit})).scalar() or 0

    async def head(self) -> Head:
        """The newest cursor."""
        async with self._single.connect() as connection:
            row = (await connection.execute(_READ_HEAD)).mappings().one()
        return Head(row["cursor"], row["history"], row["is_behind"])

    async def all_after(self, cursor: int, limit: int) -> list[Told]:
        """Events of all tenants after a cursor, in order."""
        return await self._read(_READ_TOLD, {"after": cursor, "limit": limit})

    async def between(
        self, tenant: str, *, after: int, upto: int, limit: int, job_id: str = ""
    ) -> list[Told]:
        """Events of a tenant, or of one of its jobs, after a cursor and up to another, in order.

        Tenant "": those that concern none.
        """
        wanted = {"tenant": tenant, "after": after, "upto": upto, "limit": limit}
        if job_id:
            return await self._read(_READ_JOB_TOLD, wanted | {"job_id": job_id})
        return await self._read(_READ_TENANT_TOLD, wanted)

    async def _read(self, statement: TextClause, wanted: Mapping[str, Any]) -> list[Told]:
        async with self._single.connect() as connection:
            rows = (await connection.execute(statement, wanted)).mappings().all()
        return [told_from_row(row) for row in rows]
