"""`hubctl up` and `hubctl down`: the whole stack on this machine."""

import asyncio
import signal
from pathlib import Path

import click

from hub.cli.errors import PartFailed
from hub.cli.options import state_option
from hub.cli.output import Output
from hub.cli.session import Tell, options
from hub.cli.stack import down as downing
from hub.cli.stack import record
from hub.cli.stack.layout import Layout
from hub.cli.stack.ports import DEFAULT_BASE
from hub.cli.stack.stack import Stack

LOOK_EVERY_SECONDS = 1.0


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
    await stack.start()
    output.table(("part", "address"), stack.addresses.items())
    output.say("\nReady. Ctrl-C drains and stops. In another terminal: hubctl status")
    try:
        await _until_stopped(stack, stop)
    finally:
        await stack.stop()


async def _until_stopped(stack: Stack, stop: asyncio.Event) -> None:
    while not stop.is_set():
        if fallen := stack.fallen():
            raise PartFailed(f"{fallen[0].name} has ended by itself. {fallen[0].tail()}")
        try:
            await asyncio.wait_for(stop.wait(), LOOK_EVERY_SECONDS)
        except TimeoutError:
            continue
