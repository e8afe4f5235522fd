"""`python -m hub serve|migrate`."""

import asyncio
import sys

import click

from hub import app, settings
from hub.database.migrate import migrate as migrate_store
from hub.errors import StoreUnavailable
from hub.own_errors import OWN
from mesh.run import run_service
from mesh.settings import Environment, SettingsError
from mesh.told import tell_crashes


@click.group(help="The hub: durable jobs, dispatched to spokes.")
def main() -> None:
    """Parses the command line."""


@main.command()
def serve() -> None:
    """Serves until SIGTERM, then drains."""
    run_service(app.serve(settings.load(Environment.of_process())))


@main.command()
def migrate() -> None:
    """Brings the database to the newest schema; needs HUB_OWNER_DATABASE_URL."""
    asyncio.run(migrate_store(Environment.of_process().text("HUB_OWNER_DATABASE_URL")))


if __name__ == "__main__":
    tell_crashes(OWN)
    try:
        main()
    except (SettingsError, StoreUnavailable) as error:
        sys.exit(f"hub: {error}")
