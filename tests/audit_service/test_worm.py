"""Write once: refused to the writer by grant, to the owner by trigger, and to in replica mode too."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError, ProgrammingError
from sqlalchemy.ext.asyncio import create_async_engine

from audit_service.store.migrate import migrate
from hubctl.errors import PostgresMissing
from tests.audit_service.rig import Rig, new_job

WRITE_ONCE = ("log_entry", "entry_ix", "log_tile", "log_checkpoint")
CHANGES = [
    "UPDATE log_entry SET envelope = 'x' WHERE idx = 4",
    "UPDATE entry_ix SET outcome = 'declined' WHERE idx = 4",
    "UPDATE log_tile SET n = 9",
    "UPDATE log_checkpoint SET note = 'x'",
    *(f"DELETE FROM {table}" for table in WRITE_ONCE),
    *(f"TRUNCATE {table}" for table in WRITE_ONCE),
    "DELETE FROM log_state",
    "TRUNCATE log_state",
]
HEAD_CHANGES = [
    "UPDATE log_state SET size = size - 1",
    "UPDATE log_state SET gen = gen - 1",
    "UPDATE log_state SET root = sha256('other')",
    "UPDATE log_state SET origin = 'other'",
]


@pytest.fixture
async def filled(rig: Rig) -> AsyncIterator[Rig]:
    """A log with rows in every table."""
    async with rig.running() as callers:
        await callers.attempt(new_job())
    rig.as_superuser(
        "INSERT INTO log_tile SELECT 0, 0, decode(repeat('00', 8192), 'hex');"
        "INSERT INTO log_checkpoint VALUES (999, 'note') ON CONFLICT DO NOTHING;"
    )
    yield rig


async def _execute(url: str, statement: str) -> None:
    engine = create_async_engine(url)
    try:
        async with engine.begin() as connection:
            await connection.execute(text(statement))
    finally:
        await engine.dispose()


async def test_the_writer_has_no_grant_to_change_anything(filled: Rig) -> None:
    for statement in CHANGES:
        with pytest.raises(ProgrammingError, match="permission denied"):
            await _execute(filled.urls["audit_writer"], statement)


async def test_the_reader_has_no_grant_to_write_anything(filled: Rig) -> None:
    inserts = [f"INSERT INTO {table} SELECT * FROM {table}" for table in (*WRITE_ONCE, "log_state")]
    for statement in [*CHANGES, *HEAD_CHANGES, *inserts]:
        with pytest.raises(ProgrammingError, match="permission denied"):
            await _execute(filled.urls["audit_reader"], statement)


async def test_the_owner_is_refused_by_the_triggers(filled: Rig) -> None:
    for statement in CHANGES:
        with pytest.raises(IntegrityError, match="the log takes no"):
            await _execute(filled.urls["audit_owner"], statement)


async def test_a_superuser_in_replica_mode_is_refused_by_the_triggers(filled: Rig) -> None:
    for statement in CHANGES:
        with pytest.raises(PostgresMissing, match="the log takes no"):
            filled.as_superuser(f"SET session_replication_role = replica; {statement};")


async def test_the_head_only_grows_whoever_asks(filled: Rig) -> None:
    for role in ("audit_writer", "audit_owner"):
        for statement in HEAD_CHANGES:
            with pytest.raises(DBAPIError, match="can only grow"):
                await _execute(filled.urls[role], statement)
    for statement in HEAD_CHANGES:
        with pytest.raises(PostgresMissing, match="can only grow"):
            filled.as_superuser(f"SET session_replication_role = replica; {statement};")


async def test_there_is_one_head(filled: Rig) -> None:
    with pytest.raises(IntegrityError):
        await _execute(filled.urls["audit_owner"], "INSERT INTO log_state DEFAULT VALUES")


async def test_migrating_again_changes_nothing(filled: Rig) -> None:
    before = filled.as_superuser("SELECT * FROM log_state")
    await migrate(filled.urls["audit_owner"])
    assert filled.as_superuser("SELECT * FROM log_state") == before
