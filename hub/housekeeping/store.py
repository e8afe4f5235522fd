"""The statements of housekeeping; each costs what it finds, not what the tables hold."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import RowMapping, TextClause
from sqlalchemy.ext.asyncio import AsyncEngine

from hub.database.engine import single
from hub.jobs.statements import reader

_read = reader(__package__)
_EXPIRE = _read("expire")
_NEXT_EXPIRY = _read("next_expiry")


class PostgresHousekeepingStore:
    """One method per commit, no policy."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._single = single(engine)

    async def expire(self, limit: int) -> list[str]:
        """Ends up to `limit` jobs whose time ran out before anything was done."""
        return [str(row["job_id"]) for row in await self._rows(_EXPIRE, {"limit": limit})]

    async def next_expiry(self) -> float | None:
        """Seconds until the next job that has not begun expires; None if there is none."""
        (row,) = await self._rows(_NEXT_EXPIRY, {})
        return None if row["seconds"] is None else float(row["seconds"])

    async def _rows(self, statement: TextClause, values: Mapping[str, Any]) -> Sequence[RowMapping]:
        async with self._single.connect() as connection:
            result = await connection.execute(statement, values)
            return result.mappings().all() if result.returns_rows else []
