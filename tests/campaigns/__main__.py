"""`python -m tests.campaigns NAME`: runs one campaign; exit code 1 if something is not as it must be."""

import subprocess
import sys
import traceback
from collections.abc import Callable, Coroutine

import click
import uvloop

from tests.campaigns import (
    backfill,
    deadletters,
    fairness,
    outage,
    overload,
    poison,
    resolve,
    rollback,
    standstill,
    waiters,
)
from tests.campaigns.ground import Wanted
from tests.campaigns.report import Report
from tests.campaigns.troubles import TROUBLES

BASE_PORT = 9800
NAMES = (
    *("outage", "deadletters", "rollback", "backfill", "poison", "resolve"),
    *TROUBLES,
    *("overload", "fairness", "waiters"),
)

base_port_option = click.option("--base-port", type=int, default=BASE_PORT, show_default=True)
keep_option = click.option("--keep", is_flag=True, help="Keep the stack's directory, with the logs.")
json_option = click.option("--json", "as_json", is_flag=True, help="Nothing on the terminal but the figures.")


@click.group()
def campaigns() -> None:
    """Failures at size, on the real stack. The last line is a JSON object with the figures."""


def campaign(command: Callable[..., None]) -> Callable[..., None]:
    """Gives a campaign the options that all have."""
    return base_port_option(keep_option(json_option(command)))


def run(name: str, story: Callable[[Report], Coroutine[None, None, None]], *, as_json: bool) -> None:
    """Runs a story, prints its figures, and ends."""
    report = Report(name, quiet=as_json)
    try:
        uvloop.run(story(report))
    except Exception as error:  # noqa: BLE001 - the figures so far are worth more than a traceback
        traceback.print_exception(error)
        report.expect("nothing breaks", False, type(error).__name__)
    click.echo(report.line())
    sys.exit(1 if report.violations else 0)


@campaigns.command(name="outage")
@click.option("--minutes", type=float, default=1.0, show_default=True, help="How long the provider is down.")
@click.option("--jobs", type=int, default=600, show_default=True, help="Charges that wait for it.")
@click.option("--rate", type=int, default=10, show_default=True, help="What the account may do per second.")
@click.option("--worse", type=float, default=1.5, show_default=True, help="How much longer latencies may be.")
@campaign
def outage_command(
    minutes: float, jobs: int, rate: int, worse: float, base_port: int, keep: bool, as_json: bool
) -> None:
    """A provider is down with a long queue before it, while another lane has its light traffic."""
    wanted = Wanted(base_port=base_port, spokes=("stripe", "echo"), keep=keep)
    size = outage.Size(minutes=minutes, jobs=jobs, rate=rate, worse=worse)
    run("outage", lambda report: outage.run(report, size=size, wanted=wanted), as_json=as_json)


@campaigns.command(name="deadletters")
@click.option("--jobs", type=int, default=200, show_default=True, help="Charges that die.")
@campaign
def deadletters_command(jobs: int, base_port: int, keep: bool, as_json: bool) -> None:
    """Many jobs are dead letters; a person takes the runbook and a terminal."""
    wanted = Wanted(base_port=base_port, keep=keep)
    run("deadletters", lambda r: deadletters.run(r, jobs=jobs, wanted=wanted), as_json=as_json)


@campaigns.command(name="rollback")
@click.option("--jobs", type=int, default=100, show_default=True, help="Charges that are undone.")
@campaign
def rollback_command(jobs: int, base_port: int, keep: bool, as_json: bool) -> None:
    """Charges are undone; the hub is killed halfway."""
    wanted = Wanted(base_port=base_port, spokes=("stripe",), keep=keep)
    run("rollback", lambda r: rollback.run(r, jobs=jobs, wanted=wanted), as_json=as_json)


@campaigns.command(name="backfill")
@click.option("--jobs", type=int, default=50, show_default=True, help="Charges whose webhooks are lost.")
@campaign
def backfill_command(jobs: int, base_port: int, keep: bool, as_json: bool) -> None:
    """Lost webhooks are taken in from the provider's list, once."""
    wanted = Wanted(base_port=base_port, spokes=("stripe",), keep=keep)
    run("backfill", lambda r: backfill.run(r, jobs=jobs, wanted=wanted), as_json=as_json)


@campaigns.command(name="poison")
@campaign
def poison_command(base_port: int, keep: bool, as_json: bool) -> None:
    """A job kills whoever works on it."""
    wanted = Wanted(base_port=base_port, keep=keep)
    run("poison", lambda r: poison.run(r, wanted=wanted), as_json=as_json)


@campaigns.command(name="resolve")
@campaign
def resolve_command(base_port: int, keep: bool, as_json: bool) -> None:
    """A person finds out what became of letters."""
    wanted = Wanted(base_port=base_port, keep=keep)
    run("resolve", lambda r: resolve.run(r, wanted=wanted), as_json=as_json)


def standstill_command(trouble: str, told: str) -> None:
    """Makes the command of one trouble."""

    @campaigns.command(name=trouble, help=f"{told}, with work before it.")
    @click.option("--jobs", type=int, default=300, show_default=True, help="Charges that wait.")
    @click.option("--seconds", type=float, default=10, show_default=True, help="How long it stays so.")
    @campaign
    def command(jobs: int, seconds: float, base_port: int, keep: bool, as_json: bool) -> None:
        wanted, size = Wanted(base_port=base_port, keep=keep), standstill.Size(jobs, seconds)
        run(trouble, lambda r: standstill.run(r, trouble, size=size, wanted=wanted), as_json=as_json)


for name, trouble in TROUBLES.items():
    standstill_command(name, (trouble.__doc__ or "").strip().rstrip("."))


@campaigns.command(name="overload")
@click.option("--rate", type=int, default=20, show_default=True, help="What the account may do per second.")
@click.option("--times", type=float, default=2.0, show_default=True, help="How many times that comes.")
@click.option("--seconds", type=float, default=15.0, show_default=True, help="For how long.")
@campaign
def overload_command(
    rate: int, times: float, seconds: float, base_port: int, keep: bool, as_json: bool
) -> None:
    """More comes than a lane may do, and nobody wants it for long."""
    wanted, size = (
        Wanted(base_port=base_port, spokes=("echo",), keep=keep),
        overload.Size(rate, times, seconds),
    )
    run("overload", lambda r: overload.run(r, size=size, wanted=wanted), as_json=as_json)


@campaigns.command(name="fairness")
@click.option("--waiting", type=int, default=2000, show_default=True, help="What one tenant has waiting.")
@click.option("--rate", type=int, default=10, show_default=True, help="What the account may do per second.")
@campaign
def fairness_command(waiting: int, rate: int, base_port: int, keep: bool, as_json: bool) -> None:
    """A tenant has very much waiting, and another comes with a job."""
    wanted, size = Wanted(base_port=base_port, spokes=("echo",), keep=keep), fairness.Size(waiting, rate)
    run("fairness", lambda r: fairness.run(r, size=size, wanted=wanted), as_json=as_json)


@campaigns.command(name="waiters")
@click.option("--waiters", "waiting", type=int, default=400, show_default=True, help="How many wait.")
@click.option("--watchers", "watching", type=int, default=50, show_default=True, help="How many watch.")
@click.option("--rate", type=int, default=50, show_default=True, help="Charges a second beside them.")
@click.option("--seconds", type=float, default=20.0, show_default=True, help="How long each part lasts.")
@click.option("--worse", type=float, default=1.5, show_default=True, help="How much longer charges may take.")
@campaign
def waiters_command(
    waiting: int,
    watching: int,
    rate: int,
    seconds: float,
    worse: float,
    base_port: int,
    keep: bool,
    as_json: bool,
) -> None:
    """Very many wait and watch beside the traffic."""
    wanted = Wanted(base_port=base_port, spokes=("stripe", "echo"), keep=keep)
    size = waiters.Size(waiting, watching, rate, seconds, worse)
    run("waiters", lambda r: waiters.run(r, size=size, wanted=wanted), as_json=as_json)


@campaigns.command(name="all")
@campaign
def all_of_them(base_port: int, keep: bool, as_json: bool) -> None:
    """Every campaign, one after another, each of its small size."""
    options = ["--base-port", str(base_port), *(["--keep"] if keep else []), *(["--json"] if as_json else [])]
    failed = []
    for name in NAMES:
        click.echo(f"== {name}", err=True)
        command = [sys.executable, "-m", "tests.campaigns", name, *options]
        if subprocess.run(command, check=False).returncode:
            failed.append(name)
    click.echo(f"{len(NAMES)} campaigns, not as they must be: {', '.join(failed) or 'none'}", err=True)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    campaigns()
