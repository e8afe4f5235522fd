"""One whole stack for all end-to-end tests."""

import os
import re
import shutil
import signal
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import psutil
import pytest

from hubctl.output import Output
from local.place import Place, load
from local.session import options, started
from local.stack.stack import Stack
from tests.e2e.core import Core
from tests.e2e.otlp import Receiver

BASE_PORT = 8200


class RunningStack:
    """The stack, and what tests do to it."""

    def __init__(self, stack: Stack, state: Path) -> None:
        self._stack = stack
        self._state = state

    @property
    def place(self) -> Place:
        """Where everything is, as of now."""
        return load(self._state)

    def kill(self, part: str) -> None:
        """Ends a part as a crash would."""
        self._stack.kill(part)

    async def start_part(self, part: str) -> None:
        """Starts a part that was killed; returns when it is ready."""
        await self._stack.start_part(part)

    def kill_actors(self, spoke: str) -> int:
        """Ends every Ray actor of a spoke as a crash would; how many there were."""
        log = self.place.layout.log(f"spoke-{spoke}").read_text()
        pids = {int(pid) for pid in re.findall(r'"actor_pid": (\d+)', log)}
        alive = [pid for pid in pids if psutil.pid_exists(pid)]
        for pid in alive:
            os.kill(pid, signal.SIGKILL)
        return len(alive)


@pytest.fixture(scope="session")
def otlp() -> Iterator[Receiver]:
    """A real OTLP receiver, to which every part of the stack sends its spans."""
    with Receiver() as receiver:
        yield receiver


@pytest.fixture(scope="session")
def stack(otlp: Receiver) -> Iterator[RunningStack]:
    """The stack, on ports of its own."""
    state = Path(tempfile.mkdtemp(prefix="stack-tests-"))
    state.chmod(0o711)  # so that Postgres, which does not run as root, keeps its files here too
    os.environ["OTEL_EXPORTER_OTLP_ENDPOINT"] = otlp.endpoint
    with started(options(state, base_port=BASE_PORT), Output(as_json=True)) as running:
        yield RunningStack(running, state)
    del os.environ["OTEL_EXPORTER_OTLP_ENDPOINT"]
    shutil.rmtree(state, ignore_errors=True)


@pytest.fixture
async def core(stack: RunningStack) -> AsyncIterator[Core]:
    """Core, connected to the hub through the proxy."""
    core = Core(stack.place)
    yield core
    await core.close()
