"""What is told of providers' events, read in the order of its cursors."""

from sqlalchemy.ext.asyncio import AsyncEngine

from hub.database.engine import single
from hub.events.rows import told_from_row
from hub.events.told import Told
from hub.jobs.statements import reader

_read = reader(__package__)
_NEWEST_TOLD = _read("newest_told")
_READ_TOLD = _read("read_told")


class PostgresToldStore:
    """One method per statement, no policy."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._single = single(engine)

    async def newest_cursor(self) -> int:
        """A cursor after which only what is told from now on comes."""
        async with self._single.connect() as connection:
            return int((await connection.execute(_NEWEST_TOLD)).scalar_one())

    async def told(self, tenant: str, *, after: int, limit: int) -> list[Told]:
        """Up to `limit` events of a tenant after a cursor, in order; "": of no tenant."""
        wanted = {"tenant": tenant, "after": after, "limit": limit}
        async with self._single.connect() as connection:
            rows = (await connection.execute(_READ_TOLD, wanted)).mappings().all()
        return [told_from_row(row) for row in rows]
