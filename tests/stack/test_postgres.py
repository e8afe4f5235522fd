"""The databases of the services, on a real server."""

import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import asyncpg
import pytest

from hubctl.errors import PostgresMissing
from local.stack import postgres
from local.stack.postgres import Server


@pytest.fixture
def open_directory() -> Iterator[Path]:
    """A directory that every user can reach, as pytest's own are not."""
    directory = Path(tempfile.mkdtemp(prefix="postgres-test-"))
    directory.chmod(0o711)
    yield directory
    shutil.rmtree(directory)


def plain(url: str) -> str:
    """A URL as asyncpg itself takes it."""
    return url.replace("+asyncpg", "")


async def test_the_owner_makes_tables_and_the_user_does_not(empty_hub_database: Mapping[str, str]) -> None:
    owner = await asyncpg.connect(plain(empty_hub_database["hub_owner"]))
    await owner.execute("CREATE TABLE kept (n int); GRANT SELECT ON kept TO hub_rw")
    user = await asyncpg.connect(plain(empty_hub_database["hub_rw"]))
    assert await user.fetch("SELECT * FROM kept") == []
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await user.execute("CREATE TABLE mine (n int)")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await user.execute("INSERT INTO kept VALUES (1)")
    await owner.close()
    await user.close()


async def test_the_hub_cannot_enter_the_log(
    postgres_server: Server, audit_database: Mapping[str, str]
) -> None:
    name = audit_database["audit_owner"].rsplit("/", 1)[1]
    for role in ("hub_rw", "hub_owner"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await asyncpg.connect(plain(postgres_server.url(role, name)))


async def test_a_role_needs_its_own_password(empty_hub_database: Mapping[str, str]) -> None:
    url = plain(empty_hub_database["hub_rw"])
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(url, password="another")


def test_making_what_is_there_changes_nothing(postgres_server: Server) -> None:
    postgres.create_roles(postgres_server)
    first = postgres.create_hub_database(postgres_server, "hub_twice")
    assert postgres.create_hub_database(postgres_server, "hub_twice") == first
    postgres.drop_database(postgres_server, "hub_twice")


def test_the_files_are_made_once(open_directory: Path) -> None:
    first = postgres.prepare(open_directory / "postgres")
    assert postgres.prepare(open_directory / "postgres") == first
    assert (open_directory / "postgres").is_dir() and not (open_directory / "postgres").is_symlink()
    assert "--fsync=on" in first.command(1) and "--synchronous_commit=on" in first.command(1)


def test_a_state_directory_that_the_server_cannot_reach_is_no_obstacle(open_directory: Path) -> None:
    open_directory.chmod(0o700)
    own = postgres.prepare(open_directory / "postgres")
    assert (open_directory / "postgres" / "data" / "PG_VERSION").exists()
    assert postgres.prepare(open_directory / "postgres") == own
    shutil.rmtree((open_directory / "postgres").resolve())


@pytest.mark.skipif(postgres.run_as() is None, reason="only root runs the server as somebody else")
def test_programs_that_the_server_cannot_reach_are_copied_and_run(
    open_directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = open_directory / "closed"
    closed.mkdir(mode=0o700)
    package = postgres.tools().parents[1]
    for folder in (package, package.with_name(f"{package.name}.libs")):
        (closed / folder.name).symlink_to(folder)
    monkeypatch.syspath_prepend(str(closed))
    own = postgres.prepare(open_directory / "postgres")
    assert own.tools.is_relative_to(open_directory / "postgres" / "install")
    assert (open_directory / "postgres" / "data" / "PG_VERSION").exists()


@pytest.mark.parametrize("url", ["mysql://root@127.0.0.1/x", "postgresql:///x", "nonsense"])
def test_a_url_that_names_no_server_is_refused_without_showing_it(url: str) -> None:
    with pytest.raises(PostgresMissing) as refused:
        Server.of_url(url)
    assert url not in str(refused.value)


def test_a_server_that_is_not_there_is_named(postgres_server: Server) -> None:
    with pytest.raises(PostgresMissing, match=r"127\.0\.0\.1:1:"):
        Server("127.0.0.1", 1, password="x", tools=postgres_server.tools).run("SELECT 1")
