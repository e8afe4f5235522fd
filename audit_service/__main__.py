"""The command line: `python -m audit_service serve|migrate|fsck`."""

import sys

import click

from audit_service import app
from audit_service.errors import AuditError
from audit_service.settings import LogSettings, Settings, owner_url
from audit_service.store.migrate import migrate as migrate_database
from mesh.errors import MeshError
from mesh.evidence.errors import EvidenceError
from mesh.run import run_service
from mesh.settings import Environment
from mesh.told import MESH, tell_crashes


@click.group()
def cli() -> None:
    """The write-once log of signed statements."""


@cli.command()
@click.option(
    "--accept-missing-mark",
    is_flag=True,
    help="Start although the high-water mark is gone. Only if the database is known to be whole.",
)
def serve(accept_missing_mark: bool) -> None:
    """Serves until SIGTERM."""
    settings = Settings.read(Environment.of_process())
    run_service(app.serve(settings, accept_missing_mark=accept_missing_mark))


@cli.command()
def migrate() -> None:
    """Brings the database to the newest schema; harmless when it is."""
    run_service(migrate_database(owner_url(Environment.of_process())))


@cli.command()
def fsck() -> None:
    """Re-hashes the whole log. Exit code 1 if anything does not agree."""
    sys.exit(0 if run_service(app.fsck(LogSettings.read(Environment.of_process()))) else 1)


def main() -> None:
    """Runs the command; what it refuses is one line on stderr and exit code 1."""
    tell_crashes((*MESH, AuditError))
    try:
        cli(prog_name="python -m audit_service")
    except (AuditError, MeshError, EvidenceError) as error:
        print(f"audit: {error}", file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()
