"""Brings the log's database to the newest schema; run by the owner role."""

from pathlib import Path

from audit_service.store.failures import translated
from mesh.migration import Migrations

MIGRATIONS = Migrations(Path(__file__).parent / "migrations")


async def migrate(owner_url: str) -> None:
    """Applies what is missing, all or nothing. Raises LogUnavailable if it cannot connect."""
    await MIGRATIONS.apply(owner_url, translated)
