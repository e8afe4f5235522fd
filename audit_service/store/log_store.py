"""The writer's side of the database: one connection that holds the lock and does the writing."""

from collections.abc import Collection
from contextlib import suppress
from pathlib import Path
from typing import Final

from sqlalchemy import NullPool, func, select, text, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from audit_service.errors import WriterLost
from audit_service.log.ports import State, Step
from audit_service.log.rules import Standing
from audit_service.store.failures import translated
from audit_service.store.index import IndexRow, index_row
from audit_service.store.tables import log_state
from mesh.evidence.statement import Operation

_LOCK: Final = 0x4C4F47
_SQL: Final = Path(__file__).parent / "sql"
_WRITE: Final = text((_SQL / "write.sql").read_text())
_STANDING: Final = text((_SQL / "standing.sql").read_text())


class PostgresLogStore:
    """Writes the log. The lock dies with the connection, so a writer that lost it cannot write."""

    def __init__(self, url: str, *, timeout_seconds: float = 10) -> None:
        self._engine = create_async_engine(
            url,
            poolclass=NullPool,
            hide_parameters=True,
            isolation_level="AUTOCOMMIT",
            connect_args={
                "timeout": timeout_seconds,
                "command_timeout": timeout_seconds,
                "server_settings": {
                    "synchronous_commit": "on",
                    "application_name": "audit writer",
                    # Two long statements whose plans do not depend on what they are given.
                    "plan_cache_mode": "force_generic_plan",
                },
            },
        )
        self._connection: AsyncConnection | None = None
        self._generation = 0

    async def claim(self, origin: str) -> State:
        """Becomes the one writer and returns the head; WriterLost if another is."""
        await self.release()
        with translated():
            self._connection = connection = await self._engine.connect()
            if not await connection.scalar(select(func.pg_try_advisory_lock(_LOCK))):
                await self.release()
                raise WriterLost("another process writes the log")
            named = func.coalesce(func.nullif(log_state.c.origin, ""), origin)
            row = (
                await connection.execute(
                    update(log_state)
                    .values(gen=log_state.c.gen + 1, origin=named)
                    .returning(log_state.c.origin, log_state.c.size, log_state.c.root, log_state.c.gen)
                )
            ).one()
        self._generation = row.gen
        return State(row.origin, row.size, row.root, row.gen)

    async def release(self) -> None:
        """Stops being the writer; harmless if it is not."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(SQLAlchemyError, OSError):
                await connection.close()

    async def close(self) -> None:
        """Lets go of everything."""
        await self.release()
        await self._engine.dispose()

    async def standing(self, ids: Collection[str], attempts: Collection[str]) -> list[Standing]:
        """Returns the entries with one of the ids, and those of the attempts."""
        with translated():
            rows = await self._held().execute(_STANDING, {"ids": list(ids), "attempts": list(attempts)})
            return [
                Standing(
                    row.idx,
                    str(row.id),
                    row.leaf_hash,
                    row.attempt or "",
                    row.phase,
                    row.tenant,
                    row.purpose,
                    Operation(row.provider, row.account, row.service, row.method),
                )
                for row in rows
            ]

    async def write(self, step: Step) -> None:
        """Makes the step durable, all of it or nothing; WriterLost if another writer has come."""
        with translated():
            size = await self._held().scalar(_WRITE, self._parameters(step))
        if size != step.growth.size:
            raise WriterLost("another writer has moved the head of the log")

    def _held(self) -> AsyncConnection:
        if self._connection is None:
            raise WriterLost("this process does not write the log")
        return self._connection

    def _parameters(self, step: Step) -> dict[str, object]:
        rows = [index_row(entry.statement) for entry in step.entries]
        tiles = step.growth.tiles
        keep = [step.keep] if step.keep else []
        return {
            "generation": self._generation,
            "start": step.growth.start,
            "size": step.growth.size,
            "root": step.growth.root,
            "time": step.time,
            "ids": [entry.statement.id for entry in step.entries],
            "leaves": [entry.leaf for entry in step.entries],
            "envelopes": [entry.envelope for entry in step.entries],
            **{name: [getattr(row, name) for row in rows] for name in IndexRow._fields},
            "tile_levels": [tile.level for tile in tiles],
            "tile_numbers": [tile.number for tile in tiles],
            "tile_hashes": list(tiles.values()),
            "note_sizes": [kept.size for kept in keep],
            "notes": [kept.note for kept in keep],
        }
