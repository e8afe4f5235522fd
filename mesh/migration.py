"""Brings a service's database to its newest schema; run by the owner role."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager, aclosing, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

TRIES = 10
PAUSE_SECONDS = 3.0
LOCK_NOT_AVAILABLE = "55P03"

_ALONE = (
    text("SET LOCAL lock_timeout = '60s'"),
    text("SELECT pg_advisory_xact_lock(hashtext('migrate'))"),
    # Whoever comes after us waits behind us while a long statement reads a table: for moments only.
    text("SET LOCAL lock_timeout = '2s'"),
)

Translated: TypeAlias = Callable[[], AbstractContextManager[None]]
"""Within it, what the database's trouble is raises the service's own error."""


@dataclass(frozen=True, slots=True)
class Migrations:
    """The steps of one service's schema, in their folder."""

    folder: Path

    async def apply(self, owner_url: str, translated: Translated) -> None:
        """Applies what is missing, all or nothing; harmless when nothing is, and when another does the same.

        A table that is in use for too long is tried again, `TRIES` times in all. `translated` stands
        around connecting.
        """
        engine = create_async_engine(owner_url, hide_parameters=True)
        try:
            for left in reversed(range(TRIES)):
                try:
                    async with _connected(engine, translated) as connection, connection.begin():
                        await connection.run_sync(self.upgrade)
                    return
                except DBAPIError as error:
                    if not left or getattr(error.orig, "sqlstate", None) != LOCK_NOT_AVAILABLE:
                        raise
                await asyncio.sleep(PAUSE_SECONDS)
        finally:
            await engine.dispose()

    def upgrade(self, connection: Connection, revision: str = "head") -> None:
        """Applies what is missing up to a revision, in the connection's transaction, beside nobody else."""
        for statement in _ALONE:
            connection.execute(statement)
        config = Config()
        config.set_main_option("script_location", str(self.folder))
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


@asynccontextmanager
async def _connected(engine: AsyncEngine, translated: Translated) -> AsyncIterator[AsyncConnection]:
    with translated():
        connection = await engine.connect()
    async with aclosing(connection):
        yield connection
