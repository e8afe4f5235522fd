"""The stack's processes: each in a group of its own, its output in a file."""

import asyncio
import os
import signal
import subprocess
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from hubctl.errors import PartFailed
from local.stack.layout import ROOT
from mesh.clock import SystemClock

DRAIN_SECONDS = 30.0
LOOK_EVERY_SECONDS = 0.1
TAIL_LINES = 12

# Nothing else of our environment reaches a part: no secret by accident, no setting unseen.
_PASSED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "OTEL_EXPORTER_OTLP_ENDPOINT")

_clock = SystemClock()


@dataclass(frozen=True, slots=True)
class Command:
    """How a part is started."""

    arguments: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    user: str | None = None


def environment_of(command: Command) -> dict[str, str]:
    """All that a process of the stack sees of the environment."""
    passed_on = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    return passed_on | {"PYTHONUNBUFFERED": "1"} | dict(command.environment)


class Process:
    """One running part."""

    def __init__(self, name: str, command: Command, log: Path) -> None:
        self.name = name
        self.log = log
        log.unlink(missing_ok=True)
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                list(command.arguments),
                env=environment_of(command),
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                user=command.user,
                extra_groups=[] if command.user else None,
                start_new_session=True,  # so that Ctrl-C reaches hubctl alone, which drains in order
            )
        self.pid = self._process.pid
        self.created = psutil.Process(self.pid).create_time()

    @property
    def is_running(self) -> bool:
        """False once it has ended."""
        return self._process.poll() is None

    @property
    def returncode(self) -> int | None:
        """How it ended; negative: the signal; None: not yet."""
        return self._process.poll()

    def kill(self) -> None:
        """Ends it, and all that it started, as a crash would."""
        if self.is_running:
            kill_group(self.pid)
        else:  # what it started may live on, in its group
            with suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)
        self._process.wait()

    def drain(self, number: int = signal.SIGTERM) -> None:
        """Asks it to finish what it has begun and end."""
        with suppress(ProcessLookupError):
            self._process.send_signal(number)

    async def ended(self, seconds: float) -> bool:
        """Waits until it has ended; False if it has not in time."""
        return await until(self._has_ended, seconds)

    async def ready(self, is_ready: Callable[[], Awaitable[bool]], seconds: float) -> None:
        """Returns when the part is ready; raises PartFailed when it ends or takes too long."""

        async def ready_or_ended() -> bool:
            return not self.is_running or await is_ready()

        in_time = await until(ready_or_ended, seconds)
        if not self.is_running:
            raise PartFailed(f"{self.name} ended with {self.returncode}. {self.tail()}")
        if not in_time:
            raise PartFailed(f"{self.name} was not ready within {seconds:g} s. {self.tail()}")

    def tail(self) -> str:
        """The last lines of its output, and where the rest is."""
        lines = self.log.read_text(errors="replace").splitlines()[-TAIL_LINES:]
        return "\n".join([f"From {self.log}:", *(f"  {line[:300]}" for line in lines)])

    async def _has_ended(self) -> bool:
        return not self.is_running


async def until(condition: Callable[[], Awaitable[bool]], seconds: float) -> bool:
    """Asks again and again until the condition holds; False if it does not in time."""
    deadline = _clock.monotonic() + seconds
    while not await condition():
        if _clock.monotonic() > deadline:
            return False
        await asyncio.sleep(LOOK_EVERY_SECONDS)
    return True


def kill_group(pid: int) -> None:
    """Kills a part's group, and what has left the group but not the part."""
    with suppress(psutil.NoSuchProcess):
        for child in psutil.Process(pid).children(recursive=True):
            with suppress(psutil.NoSuchProcess):
                child.kill()
    with suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)


def still_runs(pid: int, created: float) -> bool:
    """Whether the process is the one that was started then, and not another with its number."""
    with suppress(psutil.NoSuchProcess):
        process = psutil.Process(pid)
        same = abs(process.create_time() - created) < 1
        return bool(same and process.status() != psutil.STATUS_ZOMBIE)
    return False
