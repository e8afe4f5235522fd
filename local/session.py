"""A stack to work with: the one that runs, or one of our own for as long as it is needed."""

import asyncio
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hubctl.output import Output
from local.place import Place, load
from local.stack import postgres, record
from local.stack.layout import Layout
from local.stack.ports import DEFAULT_BASE, usual_or_free
from local.stack.postgres import Server
from local.stack.stack import Options, Stack

DATABASE_URL = "DATABASE_URL"


@contextmanager
def running_stack(state: Path, output: Output) -> Iterator[Place]:
    """The stack that runs in the state directory; else one that is started, and stopped afterwards."""
    known = record.find(Layout.at(state))
    if known is not None and known.is_running:
        yield load(state)
        return
    output.say("No stack runs here: starting one, and stopping it at the end.")
    with started(options(state, base_port=usual_or_free()), output):
        yield load(state)


@contextmanager
def started(chosen: Options, output: Output) -> Iterator[Stack]:
    """A stack of our own, in a loop of its own so that the caller may run another."""
    stack = Stack(chosen, say=Tell(output))
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="stack", daemon=True)
    thread.start()
    try:
        asyncio.run_coroutine_threadsafe(stack.start(), loop).result()
        yield stack
    finally:
        asyncio.run_coroutine_threadsafe(stack.stop(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def options(state: Path, *, base_port: int = DEFAULT_BASE) -> Options:
    """The options of a stack in a state directory; DATABASE_URL names a Postgres to use."""
    return Options(
        layout=Layout.at(state), base_port=base_port, database_url=os.environ.get(DATABASE_URL, "")
    )


def database(place: Place) -> Server:
    """The stack's Postgres, as its superuser."""
    if not place.record.own_postgres:
        return Server.of_url(os.environ.get(DATABASE_URL, ""))
    port = int(place.address("postgres").rsplit(":", 1)[1])
    return postgres.prepare(place.layout.data("postgres")).server(port)


class Tell:
    """Progress of a stack that starts or stops."""

    def __init__(self, output: Output) -> None:
        self._output = output

    def __call__(self, part: str, became: str, seconds: float) -> None:
        """One line when a part is ready or stopped."""
        if became != "starting":
            self._output.say(f"  {part:<18} {became:<8} {seconds:5.1f} s")
