"""The last verified head of the audit log, kept across restarts so that a rolled-back log is seen."""

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from hub.database.engine import cause, single
from hub.errors import StoreUnavailable

_LOAD = text("SELECT note FROM log_head")
_SAVE = text(
    "INSERT INTO log_head (size, note) VALUES (:size, :note) "
    "ON CONFLICT (only_row) DO UPDATE SET size = excluded.size, note = excluded.note "
    "WHERE log_head.size < excluded.size"
)


class PostgresHeadStore:
    """One row that only grows."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._single = single(engine)

    async def load(self) -> bytes:
        """The signed note of the head; empty before the first. Raises StoreUnavailable, whatever is wrong."""
        try:
            async with self._single.connect() as connection:
                return bytes((await connection.execute(_LOAD)).scalar() or b"")
        except DBAPIError as error:
            raise StoreUnavailable(f"the hub's database does not serve us: {cause(error)}") from error

    async def save(self, size: int, note: bytes) -> None:
        """Keeps a larger head; a smaller one changes nothing."""
        async with self._single.connect() as connection:
            await connection.execute(_SAVE, {"size": size, "note": note})
