"""The reader's side of the database: a role that can only select."""

from collections.abc import AsyncIterator, Collection, Mapping
from typing import Final

from sqlalchemy import Row, Select, func, select, tuple_
from sqlalchemy.ext.asyncio import create_async_engine

from audit_service.fsck import Counts, StoredRow
from audit_service.log.ports import Kept, State, StoredEntry
from audit_service.log.tiles import TileId
from audit_service.store.failures import translated
from audit_service.store.index import IndexRow
from audit_service.store.tables import entry_ix, log_checkpoint, log_entry, log_state, log_tile

_PAGE: Final = 256
_FREE_WITHIN_SECONDS: Final = 2.5
_ENTRIES: Final = select(
    log_entry.c.idx,
    log_entry.c.id,
    log_entry.c.leaf_hash,
    log_entry.c.envelope,
    entry_ix.c.kind,
    entry_ix.c.job,
    entry_ix.c.attempt,
).join_from(log_entry, entry_ix, log_entry.c.idx == entry_ix.c.idx)


class PostgresLogReader:
    """Reads the log, a few queries at a time."""

    def __init__(self, url: str, *, timeout_seconds: float = 30, connections: int = 4) -> None:
        self._engine = create_async_engine(
            url,
            pool_size=connections,
            max_overflow=0,
            pool_timeout=_FREE_WITHIN_SECONDS,
            pool_pre_ping=True,
            hide_parameters=True,
            isolation_level="AUTOCOMMIT",
            connect_args={
                "timeout": timeout_seconds,
                "command_timeout": timeout_seconds,
                "server_settings": {"application_name": "audit reader"},
            },
        )

    async def close(self) -> None:
        """Lets go of everything."""
        await self._engine.dispose()

    async def state(self) -> State:
        """Returns the head as the database has it."""
        row = (await self._rows(select(log_state)))[0]
        return State(row.origin, row.size, row.root, row.gen)

    async def tiles(self, wanted: Collection[TileId]) -> Mapping[TileId, bytes]:
        """Returns those of the full tiles that are there."""
        key = tuple_(log_tile.c.level, log_tile.c.n)
        rows = await self._rows(select(log_tile).where(key.in_([tuple(tile) for tile in wanted])))
        return {TileId(row.level, row.n): row.hashes for row in rows}

    async def leaves(self, start: int, end: int) -> list[bytes]:
        """Returns the leaf hashes of a range of entries."""
        return [row.leaf_hash for row in await self._range(select(log_entry.c.leaf_hash), start, end)]

    async def last_checkpoint(self) -> Kept | None:
        """Returns the largest checkpoint that is kept."""
        query = select(log_checkpoint).order_by(log_checkpoint.c.size.desc()).limit(1)
        rows = await self._rows(query)
        return Kept(rows[0].size, rows[0].note) if rows else None

    async def checkpoints(self) -> list[Kept]:
        """Returns all that are kept, smallest first."""
        rows = await self._rows(select(log_checkpoint).order_by(log_checkpoint.c.size))
        return [Kept(row.size, row.note) for row in rows]

    async def entry(self, index: int) -> StoredEntry | None:
        """Returns one entry."""
        rows = await self._rows(_ENTRIES.where(log_entry.c.idx == index))
        return _stored(rows[0]) if rows else None

    async def of_job(self, job: str, *, after: int, below: int, limit: int) -> list[StoredEntry]:
        """Returns entries of a job with indexes between, in order."""
        query = _ENTRIES.where(entry_ix.c.job == job, entry_ix.c.idx > after, entry_ix.c.idx < below)
        return [_stored(row) for row in await self._rows(query.order_by(entry_ix.c.idx).limit(limit))]

    async def keys(self, below: int) -> list[StoredEntry]:
        """Returns the entries that add keys, in order."""
        query = _ENTRIES.where(entry_ix.c.kind == "key.add", entry_ix.c.idx < below)
        return [_stored(row) for row in await self._rows(query.order_by(entry_ix.c.idx))]

    async def envelopes(self, start: int, end: int) -> AsyncIterator[bytes]:
        """Yields the envelopes of a range, in order."""
        for first in range(start, end, _PAGE):
            last = min(first + _PAGE, end)
            for row in await self._range(select(log_entry.c.envelope), first, last):
                yield row.envelope

    async def counts(self) -> Counts:
        """Counts the rows."""
        tables = (log_entry, entry_ix, log_tile)
        query = select(*(select(func.count()).select_from(table).scalar_subquery() for table in tables))
        return Counts(*(await self._rows(query))[0])

    async def rows(self, start: int, limit: int) -> list[StoredRow]:
        """Returns whole entries from an index on."""
        joined = log_entry.outerjoin(entry_ix, log_entry.c.idx == entry_ix.c.idx)
        columns = (log_entry.c.idx, log_entry.c.id, log_entry.c.leaf_hash, log_entry.c.envelope)
        query = select(*columns, entry_ix.c.idx.label("ix"), *(entry_ix.c[name] for name in IndexRow._fields))
        query = query.select_from(joined).where(log_entry.c.idx >= start).order_by(log_entry.c.idx)
        return [
            StoredRow(row[0], row[1], row[2], row[3], None if row[4] is None else IndexRow(*row[5:]))
            for row in await self._rows(query.limit(limit))
        ]

    async def _range(self, query: Select[tuple[bytes]], start: int, end: int) -> list[Row[tuple[bytes]]]:
        within = query.where(log_entry.c.idx >= start, log_entry.c.idx < end)
        return await self._rows(within.order_by(log_entry.c.idx))

    async def _rows(self, query: Select) -> list[Row]:  # type: ignore[type-arg]
        with translated():
            async with self._engine.connect() as connection:
                return list((await connection.execute(query)).all())


def _stored(row: Row[tuple[object, ...]]) -> StoredEntry:
    return StoredEntry(
        row.idx, row.id, row.leaf_hash, row.envelope, row.kind, row.job or "", row.attempt or ""
    )
