"""`python -m tests.faults`: kills processes, at every failpoint or at random, and checks what must hold."""

import asyncio
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import click

# Before gRPC is loaded: its fork handlers sometimes abort a child that was forked beside open calls, and
# Postgres, which changes its user, is forked.
os.environ["GRPC_ENABLE_FORK_SUPPORT"] = "0"

from mesh.failpoints import POINTS
from tests.alerts.alertmanager import Alertmanager, Missing, is_required
from tests.faults.campaign import Campaign
from tests.faults.plan import IMPOSSIBLE, REPEATS, Shot, Strike, shots, strikes
from tests.faults.rig import PEERS, Rig
from tests.faults.trace import WINDOWS, WRITTEN

BASE_PORT = 8600
FAILED = 1


@click.command()
@click.option("--enumerated", is_flag=True, help="Every failpoint with every peer, instead of random kills.")
@click.option("--runs", type=int, default=None, help="How many runs. Enumerated: the first so many.")
@click.option("--seed", type=int, default=1, show_default=True, help="What everything random follows from.")
@click.option("--first", type=int, default=0, help="The number of the first random run: to repeat one.")
@click.option("--peer", "peers", type=click.Choice(PEERS), multiple=True, help="Only these providers.")
@click.option("--point", "points", type=click.Choice(tuple(POINTS)), multiple=True, help="Only these points.")
@click.option("--repeats", type=int, default=REPEATS, show_default=True, help="Of each pair, enumerated.")
@click.option("--need-written", type=int, default=0, help=f"Fail with fewer kills in {WRITTEN}.")
@click.option("--base-port", type=int, default=BASE_PORT, show_default=True)
@click.option("--keep", is_flag=True, help="Keep the stack's directory, with the logs.")
def main(
    enumerated: bool,
    runs: int | None,
    seed: int,
    first: int,
    peers: tuple[str, ...],
    points: tuple[str, ...],
    repeats: int,
    need_written: int,
    base_port: int,
    keep: bool,
) -> None:
    """Runs one campaign. Exit code 1: an invariant does not hold, or a point was not hit."""
    state = Path(tempfile.mkdtemp(prefix="faults-"))
    state.chmod(0o711)
    rig = Rig(state, base_port=base_port, peers=peers or PEERS, alertmanager=_alertmanager(state))
    if enumerated:
        plan = strikes(seed, peers=rig.peers, points=points or tuple(POINTS), repeats=repeats)[:runs]
        good = asyncio.run(run(rig, seed, enumerated=plan))
    else:
        chosen = list(shots(seed, peers=rig.peers, first=first, runs=100 if runs is None else runs))
        good = asyncio.run(run(rig, seed, random=chosen, need_written=need_written))
    if not keep and good:
        shutil.rmtree(state, ignore_errors=True)
    else:
        click.echo(f"kept: {state}")
    sys.exit(0 if good else FAILED)


async def run(
    rig: Rig,
    seed: int,
    *,
    enumerated: Sequence[Strike] = (),
    random: Sequence[Shot] = (),
    need_written: int = 0,
) -> bool:
    """Starts the stack, runs the campaign, and tells what it came to."""
    this = asyncio.current_task()
    assert this is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, this.cancel)
    began = time.monotonic()
    await rig.start()
    campaign = Campaign(rig, seed, say=click.echo)
    click.echo(f"stack ready in {time.monotonic() - began:.1f} s; seed {seed}")
    began = time.monotonic()
    try:
        await (campaign.enumerated(enumerated) if enumerated else campaign.random(random))
        click.echo("restarts: " + _restarts(rig))
        seconds, told = time.monotonic() - began, rig.alertmanager is not None
        return report(campaign, seconds=seconds, need_written=need_written, told=told)
    finally:
        await campaign.close()
        await rig.stop()


def report(campaign: Campaign, *, seconds: float, need_written: int, told: bool) -> bool:
    """Prints the result; whether it is good. `told`: an Alertmanager is there to show the alerts."""
    tally = campaign.tally
    for (point, peer), hits in sorted(tally.hits.items()):
        click.echo(f"  {point:<20} {peer:<8} {hits} hits")
    if tally.hits:
        for (point, peer), why in IMPOSSIBLE.items():
            click.echo(f"  {point:<20} {peer:<8} impossible: {why}")
    click.echo("kills by victim: " + _counts(tally.victims))
    click.echo("kills by window: " + ", ".join(f"{w}: {tally.windows[w]}" for w in WINDOWS))
    click.echo("jobs by state: " + _counts(tally.states))
    click.echo("calls answered otherwise: " + _counts(campaign.refusals))
    click.echo(
        f"dead letters: {tally.letters}; alerts of theirs seen at Alertmanager: {len(tally.alerts)}, "
        f"under {len({key for key, _ in tally.alerts})} keys"
    )
    for line in (*tally.missed, *map(str, tally.violations)):
        click.echo(line)
    enough = tally.windows[WRITTEN] >= need_written
    if not enough:
        click.echo(f"void: only {tally.windows[WRITTEN]} kills in {WRITTEN}, {need_written} are needed")
    if told and tally.doomed and not tally.alerts:
        click.echo(f"void: {tally.doomed} requests were doomed, and no alert of a dead letter was seen")
        enough = False
    click.echo(
        f"{tally.runs} runs, {tally.jobs} jobs, {len(tally.missed)} points not hit, "
        f"{len(tally.violations)} violations, {seconds:.0f} s, {seconds / max(tally.runs, 1):.2f} s per run"
    )
    return enough and not tally.missed and not tally.violations


def _alertmanager(state: Path) -> Alertmanager | None:
    try:
        return Alertmanager(state)
    except Missing as missing:
        if is_required():
            raise click.ClickException(str(missing)) from None
        click.echo(f"NOT CHECKED: what Alertmanager shows, for there is none: {missing}")
        return None


def _restarts(rig: Rig) -> str:
    return ", ".join(
        f"{part}: {len(s)} in {sum(s) / len(s):.1f} s each" for part, s in sorted(rig.mended.items())
    )


def _counts(counter: dict[str, int]) -> str:
    return ", ".join(f"{name}: {count}" for name, count in sorted(counter.items())) or "none"


if __name__ == "__main__":
    main()
