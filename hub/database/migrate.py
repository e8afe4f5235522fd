"""Brings the hub's database to the newest schema; run by the owner role."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg
from sqlalchemy.exc import DBAPIError

from hub.errors import StoreUnavailable
from mesh.migration import Migrations

MIGRATIONS = Migrations(Path(__file__).parent / "migrations")


async def migrate(owner_url: str) -> None:
    """Applies what is missing, all or nothing. Raises StoreUnavailable if it cannot connect."""
    await MIGRATIONS.apply(owner_url, _translated)


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (OSError, DBAPIError, asyncpg.PostgresError) as error:
        raise StoreUnavailable(f"the hub's database does not let us in: {type(error).__name__}") from error
