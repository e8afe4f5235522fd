"""Brings the log's database to the newest schema; run by the owner role."""

import asyncio
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine

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

    A table that is in use for too long is tried again, `TRIES` times in all.
    """
    engine = create_async_engine(owner_url, hide_parameters=True)
    try:
        for left in reversed(range(TRIES)):
            try:
                async with engine.begin() as connection:
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
