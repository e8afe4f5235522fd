"""Migrations beside one another, and beside those who use the tables."""

import asyncio
import sys
from collections.abc import Mapping

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from hub.database.engine import open_engine, single
from hub.database.migrate import MIGRATIONS, migrate

ENVIRONMENT = {"hub": "HUB_OWNER_DATABASE_URL", "audit_service": "AUDIT_OWNER_DATABASE_URL"}


async def exit_codes(service: str, url: str, processes: int) -> list[int]:
    """Runs `migrate` of a service in several processes at once; how each ended."""
    started = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-m", service, "migrate", env={ENVIRONMENT[service]: url}
        )
        for _ in range(processes)
    ]
    async with asyncio.timeout(60):
        return [await process.wait() for process in started]


async def test_replicas_that_bring_the_hubs_database_up_at_once_all_succeed(
    empty_hub_database: Mapping[str, str],
) -> None:
    assert await exit_codes("hub", empty_hub_database["hub_owner"], 4) == [0] * 4


async def test_replicas_that_bring_the_logs_database_up_at_once_all_succeed(
    empty_audit_database: Mapping[str, str],
) -> None:
    assert await exit_codes("audit_service", empty_audit_database["audit_owner"], 4) == [0] * 4


@pytest.fixture
async def old_database(empty_hub_database: Mapping[str, str]) -> Mapping[str, str]:
    """A hub's database of the first schema."""
    owner = create_async_engine(empty_hub_database["hub_owner"])
    async with owner.begin() as connection:
        await connection.run_sync(MIGRATIONS.upgrade, "0001")
    await owner.dispose()
    return empty_hub_database


async def test_a_migration_that_waits_for_a_table_lets_the_others_at_it(
    old_database: Mapping[str, str],
) -> None:
    engine = open_engine(old_database["hub_rw"])
    async with engine.connect() as long_read:
        await long_read.execute(text("SELECT * FROM lane"))
        migrating = asyncio.create_task(migrate(old_database["hub_owner"]))
        await until_somebody_waits(old_database)
        async with asyncio.timeout(5), single(engine).connect() as connection:
            await connection.execute(text("SELECT * FROM lane"))
    async with asyncio.timeout(20):
        await migrating
    async with single(engine).connect() as connection:
        await connection.execute(text("SELECT mode FROM lane"))
    await engine.dispose()


async def until_somebody_waits(urls: Mapping[str, str]) -> None:
    """Returns when a lock of this database is waited for."""
    engine = create_async_engine(urls["hub_owner"])
    waits = text(
        "SELECT EXISTS (SELECT 1 FROM pg_locks l JOIN pg_database d ON d.oid = l.database"
        " WHERE d.datname = current_database() AND NOT l.granted)"
    )
    async with asyncio.timeout(15), engine.connect() as connection:
        while not (await connection.execute(waits)).scalar():
            await connection.rollback()
    await engine.dispose()
