"""Brings the log's database to the newest schema; run by the owner role."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from audit_service.store.failures import translated

TRIES = 10
PAUSE_SECONDS = 3.0
LOCK_NOT_AVAILABLE = "55P03"

_ALONE = (
    text("SET LOCAL lock_timeout = '60s'"),
    text("SELECT pg_advisory_xact_lock(hashtext('migrate'))"),
    # Whoever comes after us waits behind us while a long statement reads a table: for moments only.
    text("SET LOCAL lock_timeout = '2s'"),
)


async def migrate(owner_url: str) -> None:
    """Applies what is missing, all or nothing; harmless when nothing is, and when another does the same.

    A table that is in use for too long is tried again, `TRIES` times in all. Raises LogUnavailable if
    it cannot connect.
    """
    engine = create_async_engine(owner_url, hide_parameters=True)
    try:
        for left in reversed(range(TRIES)):
            try:
                async with _connected(engine) as connection, connection.begin():
                    await connection.run_sync(upgrade)
                return
            except DBAPIError as error:
                if not left or getattr(error.orig, "sqlstate", None) != LOCK_NOT_AVAILABLE:
                    raise
            await asyncio.sleep(PAUSE_SECONDS)
    finally:
        await engine.dispose()


def upgrade(connection: Connection, revision: str = "head") -> None:
    """Applies what is missing up to a revision, within the connection's transaction, beside nobody else."""
    for statement in _ALONE:
        connection.execute(statement)
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


@asynccontextmanager
async def _connected(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    with translated():
        connection = await engine.connect()
    async with aclosing(connection):
        yield connection
