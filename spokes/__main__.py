"""`python -m spokes new|check|run|list`."""

import json
import sys

import click

from mesh.errors import SettingsError
from mesh.evidence.errors import EvidenceError
from mesh.run import run_service
from mesh.settings import Environment
from mesh.told import tell_crashes
from spokes.kit import capability, check, registry, scaffold, server, settings
from spokes.kit.errors import OWN, SpokeError


@click.group(help="The spokes: one service per outside provider.")
def main() -> None:
    """Parses the command line."""


@main.command()
@click.argument("name")
@click.option("--capability", "wanted", required=True, help="The contract that the provider serves.")
def new(name: str, wanted: str) -> None:
    """Makes a new spoke from the living echo."""
    folder = scaffold.new(name, wanted, root=registry.root())
    click.echo(f"{folder} is ready and fit (`python -m spokes check {name}`). Next: spoke.toml, mapping.py.")


@main.command(name="check")
@click.argument("name")
def check_command(name: str) -> None:
    """Runs manifest checks, the conformance suite and the folder's own tests. Exit code 1: not fit."""
    sys.exit(check.check(name, say=click.echo))


@main.command()
@click.argument("name")
def run(name: str) -> None:
    """Serves a spoke until SIGTERM, then drains."""
    run_service(server.serve(name, settings.load(Environment.of_process())))


@main.command(name="list")
@click.option("--json", "as_json", is_flag=True, help="Everything that generated files need.")
def list_command(as_json: bool) -> None:
    """Lists the spokes and what they offer, or the fault of their manifest. Exit code 1: one has a fault."""
    manifests, faults = registry.manifests()
    if as_json:
        broken = [{"name": name, "fault": str(fault)} for name, fault in faults.items()]
        click.echo(json.dumps([*map(check.facts, manifests), *broken], indent=2))
    else:
        for m in manifests:
            operations = ", ".join(s.operation.rpc for s in m.operations.values())
            click.echo(f"{m.name:<12} {', '.join(m.capabilities):<12} {operations}")
        click.echo(f"capabilities: {', '.join(capability.capabilities())}")
    for name, fault in faults.items():
        click.echo(f"spokes: {name}: {fault}", err=True)
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    tell_crashes(OWN)
    try:
        main()
    except (SpokeError, SettingsError, EvidenceError) as error:
        sys.exit(f"spokes: {error}")
