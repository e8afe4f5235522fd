"""`hubctl up` and `hubctl down`: the whole stack on this machine."""

import asyncio
import signal
from collections.abc import Coroutine
from contextlib import suppress
from pathlib import Path

import click

from hubctl.options import state_option
from hubctl.output import Output
from local.session import Tell, options
from local.stack import down as downing
from local.stack import record
from local.stack.keeper import Keeper
from local.stack.layout import Layout
from local.stack.ports import DEFAULT_BASE
from local.stack.stack import Stack
from mesh.clock import SystemClock


@click.command()
@click.option("--base-port", default=DEFAULT_BASE, show_default=True, help="The first of the stack's ports.")
@state_option
def up(base_port: int, state: Path) -> None:
    """Starts every part on loopback, says when each is ready, and drains them on Ctrl-C."""
    asyncio.run(_run(Stack(options(state, base_port=base_port), say=Tell(Output(as_json=False)))))


@click.command()
@state_option
def down(state: Path) -> None:
    """Stops a stack that another terminal started, or that was left behind."""
    layout = Layout.at(state)
    asyncio.run(downing.stop(layout, record.read(layout), Tell(Output(as_json=False))))


async def _run(stack: Stack) -> None:
    output = Output(as_json=False)
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await _unless_stopped(stack.start(), stop)
    try:
        if not stop.is_set():
            output.table(("part", "address"), stack.addresses.items())
            output.say("\nReady. Ctrl-C drains and stops. In another terminal: hubctl status")
            await Keeper(stack, clock=SystemClock(), say=Tell(output)).run(stop)
    finally:
        await stack.stop()


async def _unless_stopped(starting: Coroutine[None, None, None], stop: asyncio.Event) -> None:
    """Waits for the start, and gives it up on Ctrl-C."""
    start, stopped = asyncio.ensure_future(starting), asyncio.ensure_future(stop.wait())
    await asyncio.wait((start, stopped), return_when=asyncio.FIRST_COMPLETED)
    stopped.cancel()
    if stop.is_set():
        start.cancel()
    with suppress(asyncio.CancelledError):
        await start
