"""Each role of the databases, logged in: what it must not do is refused to it by the server."""

import asyncio
import secrets
from collections.abc import Iterator, Mapping

import asyncpg
import pytest

from audit_service.store.migrate import migrate as migrate_audit
from local.stack import postgres
from local.stack.postgres import Server

Urls = Mapping[str, str]

WRITE_ONCE = ("log_entry", "entry_ix", "log_tile", "log_checkpoint")
EVERY_LOG_TABLE = (*WRITE_ONCE, "log_state")
APPEND_ONLY = ("request_key", "job_done", "job_body", "numbered_event", "refused_statement")
NO_DELETE = (*APPEND_ONLY, "lane", "attempt", "webhook_event", "log_head", "event_head", "provider_event")
EVERY_HUB_TABLE = (*NO_DELETE, "job", "outbox", "job_event", "replica", "job_count", "letter_count")

DDL = (
    "CREATE TABLE mine (n int)",
    "CREATE SCHEMA mine",
    "CREATE FUNCTION mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "CREATE EXTENSION dblink",
    "CREATE ROLE mine",
    "CREATE DATABASE mine",
    "ALTER SYSTEM SET fsync = off",
    "SET session_replication_role = replica",
    "SELECT pg_read_file('/etc/passwd')",
    "SELECT pg_ls_dir('.')",
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'postgres'",
    "COPY (SELECT 1) TO PROGRAM 'true'",
    "SELECT rolpassword FROM pg_authid",
    "SET ROLE hub_owner",
    "SET ROLE audit_owner",
    "SET ROLE postgres",
    "SET SESSION AUTHORIZATION audit_owner",
)


def _alter(tables: tuple[str, ...]) -> list[str]:
    changes = (
        "DROP TABLE {}",
        "ALTER TABLE {} ADD COLUMN mine int",
        "ALTER TABLE {} DISABLE TRIGGER ALL",
        "ALTER TABLE {} OWNER TO CURRENT_USER",
        "CREATE INDEX ON {} ((1))",
        "CREATE TRIGGER mine BEFORE INSERT ON {} EXECUTE FUNCTION unique_key_recheck()",
        "CREATE RULE mine AS ON DELETE TO {} DO INSTEAD NOTHING",
        "TRUNCATE {}",
    )
    return [change.format(table) for table in tables for change in changes]


def _lock(tables: tuple[str, ...]) -> list[str]:
    return [f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE" for table in tables]


REFUSED: Mapping[str, list[str]] = {
    "hub_rw": [
        *DDL,
        *_alter(EVERY_HUB_TABLE),
        *_lock(APPEND_ONLY),
        *(f"DELETE FROM {table}" for table in NO_DELETE),
        *(
            f"UPDATE {table} SET {column} = {column}"
            for table, column in [
                ("request_key", "fingerprint"),
                ("job_done", "state"),
                ("job_body", "request"),
                ("job_event", "state"),
                ("numbered_event", "state"),
                ("event_head", "history"),
                ("provider_event", "tenant"),
                ("refused_statement", "reason"),
            ]
        ),
    ],
    "audit_writer": [
        *DDL,
        *_alter(EVERY_LOG_TABLE),
        *_lock(EVERY_LOG_TABLE),
        *(f"DELETE FROM {table}" for table in EVERY_LOG_TABLE),
        *(
            f"UPDATE {table} SET {column} = {column}"
            for table, column in [
                ("log_entry", "envelope"),
                ("entry_ix", "outcome"),
                ("log_tile", "hashes"),
                ("log_checkpoint", "note"),
                ("log_state", "one"),
            ]
        ),
        "INSERT INTO log_state DEFAULT VALUES",
        "ALTER FUNCTION refuse_change() RENAME TO mine",
        "DROP FUNCTION only_grow() CASCADE",
    ],
    "audit_reader": [
        *DDL,
        *_alter(EVERY_LOG_TABLE),
        *_lock(EVERY_LOG_TABLE),
        *(f"DELETE FROM {table}" for table in EVERY_LOG_TABLE),
        *(f"INSERT INTO {table} SELECT * FROM {table}" for table in EVERY_LOG_TABLE),
        "UPDATE log_state SET gen = gen + 1",
        "SELECT * FROM log_state FOR UPDATE",
    ],
}
ALLOWED: Mapping[str, list[str]] = {
    "hub_rw": [*(f"SELECT count(*) FROM {table}" for table in EVERY_HUB_TABLE), "DELETE FROM outbox"],
    "audit_writer": ["UPDATE log_state SET gen = gen + 1", "SELECT count(*) FROM log_entry"],
    "audit_reader": [f"SELECT count(*) FROM {table}" for table in EVERY_LOG_TABLE],
}
NOT_ONES_OWN = asyncpg.InsufficientPrivilegeError


@pytest.fixture(scope="module")
def urls(postgres_server: Server, hub_urls: Urls) -> Iterator[Urls]:
    """Both databases, with the newest schemas; URLs by role."""
    name = f"audit_{secrets.token_hex(4)}"
    audit = postgres.create_audit_database(postgres_server, name)
    asyncio.run(migrate_audit(audit["audit_owner"]))
    yield {**hub_urls, **audit}
    postgres.drop_database(postgres_server, name)


async def connect(url: str) -> asyncpg.Connection:
    """Logs in."""
    return await asyncpg.connect(url.replace("+asyncpg", ""))


async def outcomes(url: str, statements: list[str]) -> dict[str, type[Exception] | None]:
    """What becomes of each statement, one by one; whatever succeeds is undone."""
    found: dict[str, type[Exception] | None] = {}
    connection = await connect(url)
    for statement in statements:
        undo = connection.transaction()
        try:
            if not statement.startswith(("CREATE DATABASE", "ALTER SYSTEM")):
                await undo.start()
            await connection.execute(statement)
            found[statement] = None
        except asyncpg.PostgresError as error:
            found[statement] = type(error)
        finally:
            if connection.is_in_transaction():
                await undo.rollback()
    await connection.close()
    return found


@pytest.mark.parametrize("role", REFUSED)
async def test_a_role_is_refused_what_it_must_not_do(urls: Urls, role: str) -> None:
    found = await outcomes(urls[role], REFUSED[role])
    assert {s: error for s, error in found.items() if error is not NOT_ONES_OWN} == {}


@pytest.mark.parametrize("role", ALLOWED)
async def test_a_role_can_do_its_work(urls: Urls, role: str) -> None:
    found = await outcomes(urls[role], ALLOWED[role])
    assert set(found.values()) == {None}


@pytest.mark.parametrize(
    ("role", "other"),
    [
        ("hub_rw", "audit_owner"),
        ("hub_owner", "audit_owner"),
        ("audit_writer", "hub_owner"),
        ("audit_reader", "hub_owner"),
        ("audit_owner", "hub_owner"),
    ],
)
async def test_a_role_cannot_even_enter_the_other_database(urls: Urls, role: str, other: str) -> None:
    database = urls[other].rpartition("/")[2]
    with pytest.raises(NOT_ONES_OWN):
        await connect(f"{urls[role].rpartition('/')[0]}/{database}")


async def test_nobody_enters_without_the_password(urls: Urls) -> None:
    for role in REFUSED:
        scheme, _, rest = urls[role].partition(f"{role}:")
        with pytest.raises(asyncpg.InvalidPasswordError):
            await connect(f"{scheme}{role}:guess@{rest.partition('@')[2]}")


async def test_no_role_is_more_than_it_seems(urls: Urls) -> None:
    connection = await connect(urls["hub_rw"])
    rows = await connection.fetch(
        "SELECT rolname FROM pg_roles WHERE rolname = ANY($1) AND (rolsuper OR rolcreatedb OR rolcreaterole"
        " OR rolbypassrls OR rolreplication)",
        list(postgres.ROLES),
    )
    members = await connection.fetch(
        "SELECT 1 FROM pg_auth_members m JOIN pg_roles r ON r.oid = m.member WHERE r.rolname = ANY($1)",
        list(postgres.ROLES),
    )
    await connection.close()
    assert (rows, members) == ([], [])
