"""`python -m tests.simulation`: runs seeds of the simulated world and checks what must hold."""

import sys

import click

from tests.simulation.campaign import campaign
from tests.simulation.run import simulate

FEW_SEEDS = 200
"""With fewer runs a kind of fault may not have its turn."""


@click.command()
@click.option("--seeds", type=int, default=1000, show_default=True, help="How many seeds.")
@click.option("--first", type=int, default=0, show_default=True, help="The first seed.")
@click.option("--trace", is_flag=True, help="Print all that happens in the first seed, and nothing else.")
def main(seeds: int, first: int, trace: bool) -> None:
    """Exit code 1: an invariant does not hold, or a kind of fault, or what it leads to, never came about."""
    if trace:
        _print_trace(first)
        return
    tally = campaign(range(first, first + seeds), say=click.echo)
    for line in tally.lines():
        click.echo(line)
    missing = tally.never if seeds >= FEW_SEEDS else []
    for kind in missing:
        click.echo(f"never came about: {kind}")
    sys.exit(1 if tally.violations or missing else 0)


def _print_trace(seed: int) -> None:
    run = simulate(seed)
    for at, *what in run.trace:
        click.echo(f"{at:10.6f} " + " ".join(map(str, what)))
    for violation in run.violations:
        click.echo(f"violation {violation}")


main()
