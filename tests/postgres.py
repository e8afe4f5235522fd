"""A real PostgreSQL for the tests: one server for the session, fresh databases for each test."""

import asyncio
import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from audit_service.store.migrate import migrate as migrate_audit
from hub.database.migrate import migrate as migrate_hub
from hubctl.errors import PostgresMissing
from local.stack import postgres
from local.stack.postgres import Server

START_SECONDS = 20.0

_COPY = """
CREATE DATABASE :"name" OWNER :"owner" TEMPLATE :"template";
REVOKE ALL ON DATABASE :"name" FROM PUBLIC;
"""


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Server]:
    """The server that DATABASE_URL names (as a superuser), or one of our own, without fsync."""
    if url := os.environ.get("DATABASE_URL"):
        server = Server.of_url(url)
        postgres.create_roles(server)
        yield server
        return
    directory = Path(tempfile.mkdtemp(prefix="postgres-tests-"))
    directory.chmod(0o711)
    own = postgres.prepare(directory / "postgres", durable=False)
    port = _free_port()
    with (directory / "postgres.log").open("wb") as log:
        user = postgres.run_as()
        process = subprocess.Popen(
            own.command(port), user=user, extra_groups=[] if user else None, stdout=log, stderr=log
        )
    try:
        server = own.server(port)
        _wait(server, process, directory / "postgres.log")
        postgres.create_roles(server)
        yield server
    finally:
        process.send_signal(signal.SIGQUIT)
        process.wait(10)
        shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture(scope="session")
def hub_template(postgres_server: Server) -> Iterator[str]:
    """A hub's database of the newest schema, to make others from."""
    name = _fresh("hub_template")
    asyncio.run(migrate_hub(postgres.create_hub_database(postgres_server, name)["hub_owner"]))
    yield name
    postgres.drop_database(postgres_server, name)


@pytest.fixture(scope="session")
def audit_template(postgres_server: Server) -> Iterator[str]:
    """A log's database of the newest schema, to make others from."""
    name = _fresh("audit_template")
    asyncio.run(migrate_audit(postgres.create_audit_database(postgres_server, name)["audit_owner"]))
    yield name
    postgres.drop_database(postgres_server, name)


@pytest.fixture
def hub_database(postgres_server: Server, hub_template: str) -> Iterator[Mapping[str, str]]:
    """A fresh database for the hub, of the newest schema; URLs by role."""
    yield from _copy(postgres_server, hub_template, "hub_owner", "hub_rw")


@pytest.fixture
def audit_database(postgres_server: Server, audit_template: str) -> Iterator[Mapping[str, str]]:
    """A fresh database for the log, of the newest schema; URLs by role."""
    yield from _copy(postgres_server, audit_template, "audit_owner", "audit_writer", "audit_reader")


@pytest.fixture
def empty_hub_database(postgres_server: Server) -> Iterator[Mapping[str, str]]:
    """A fresh database for the hub, without a table; URLs by role."""
    name = _fresh("hub")
    yield postgres.create_hub_database(postgres_server, name)
    postgres.drop_database(postgres_server, name)


@pytest.fixture
def empty_audit_database(postgres_server: Server) -> Iterator[Mapping[str, str]]:
    """A fresh database for the log, without a table; URLs by role."""
    name = _fresh("audit")
    yield postgres.create_audit_database(postgres_server, name)
    postgres.drop_database(postgres_server, name)


def _copy(server: Server, template: str, owner: str, *users: str) -> Iterator[Mapping[str, str]]:
    name = _fresh(template.split("_", 1)[0])
    admitted = "".join(f'GRANT CONNECT ON DATABASE :"name" TO {role};' for role in (owner, *users))
    server.run(_COPY + admitted, name=name, owner=owner, template=template)
    yield {role: server.url(role, name) for role in (owner, *users)}
    postgres.drop_database(server, name)


def _fresh(part: str) -> str:
    return f"{part}_{secrets.token_hex(4)}"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait(server: Server, process: "subprocess.Popen[bytes]", log: Path) -> None:
    """Returns when the server answers; nothing announces that, so it is asked again and again."""
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            server.run("SELECT 1")
            return
        except PostgresMissing:
            if process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(log.read_text()) from None
            process_ended = _waited(process, 0.05)
            assert not process_ended, log.read_text()


def _waited(process: "subprocess.Popen[bytes]", seconds: float) -> bool:
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        return False
    return True
