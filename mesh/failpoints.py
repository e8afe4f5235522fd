"""Named points at the edges of dangerous steps, where a fault test kills, stops or breaks this process.

Inert unless FAILPOINTS_DIR names a directory when this module is imported. A file there arms the point of
its name: `<name>`, or `<role>.<name>` for the processes whose FAILPOINTS_ROLE is that role. Its text says
what happens to the first process that passes: `kill`, `pause` or `error`; `kill after 3` lets it pass
three times. The file is gone when that has happened. With FAILPOINTS_TRACE, a directory, every pass is a
line of the process's own file there: time by the monotonic clock, name, ids, and the action if any.
"""

import os
import signal
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, TypeAlias

from mesh.clock import SystemClock

DIRECTORY: Final = "FAILPOINTS_DIR"
TRACE: Final = "FAILPOINTS_TRACE"
ROLE: Final = "FAILPOINTS_ROLE"
KILL: Final = "kill"
PAUSE: Final = "pause"
ERROR: Final = "error"

POINTS: Final[Mapping[str, str]] = {
    "hub.accepting": "a request is about to be made durable",
    "hub.accepted": "a job is durable, Core has no answer yet",
    "hub.claiming": "claims and intents are written, not committed",
    "hub.claimed": "claims and intents are committed",
    "hub.appending": "statements are about to go to the log",
    "hub.appended": "the log's answer is verified",
    "hub.executing": "attempts are about to go to a spoke",
    "hub.answered": "a spoke's results have arrived",
    "hub.settling": "settlements are about to be committed",
    "hub.settled": "settlements are committed",
    "hub.clearing": "the log holds statements that are still in the outbox",
    "hub.cleared": "the outbox is cleared",
    "hub.event_keeping": "a verified webhook is about to be made durable",
    "hub.event_kept": "a webhook is durable, not applied",
    "hub.event_applied": "a webhook is applied, its sender has no answer yet",
    "spoke.asking": "a warranted attempt is about to go to the pool",
    "spoke.back": "an outcome came back from the pool, nothing is signed",
    "spoke.signed": "the evidence is signed, the hub does not have it",
    "worker.begun": "an actor has an attempt",
    "worker.writing": "connected to the provider, no byte of the request has left",
    "worker.written": "the request has left, no reply has been read",
    "worker.read": "the provider's reply has been read",
    "audit.committing": "a batch of statements is about to be committed",
    "audit.committed": "a batch is committed, the high-water mark is old",
    "audit.marked": "a batch and its mark are durable, nobody has a receipt",
}

Reach: TypeAlias = Callable[..., None]


class FailpointError(Exception):
    """What an armed point raises when it is told to break."""

    reason = "FAILPOINT"


class Failpoints:
    """The armed points of one process."""

    def __init__(self, directory: Path, *, trace: Path | None = None, role: str = "") -> None:
        self._directory = directory
        self._trace = trace / f"{role or 'process'}-{os.getpid()}" if trace else None
        self._role = role
        self._clock = SystemClock()
        self._passes: dict[tuple[Path, int], int] = {}

    def reach(self, name: str, *ids: str) -> None:
        """Passes a point on behalf of attempts, jobs or events; acts if the point is armed."""
        action = self._taken(name)
        if self._trace is not None:
            self._note(self._trace, name, ids, action)
        if action == KILL:
            os.kill(os.getpid(), signal.SIGKILL)
        elif action == PAUSE:
            os.kill(os.getpid(), signal.SIGSTOP)
        elif action == ERROR:
            raise FailpointError(f"{name} was told to break")

    def _taken(self, name: str) -> str:
        """What to do here; "" for nothing. Of several processes, the one that removes the file acts."""
        for path in (self._directory / f"{self._role}.{name}", self._directory / name):
            try:
                action, _, passes = path.read_text().strip().partition(" after ")
                if not self._is_spared(path, int(passes or 0)):
                    path.unlink()
                    return action
            except FileNotFoundError:
                continue
        return ""

    def _is_spared(self, path: Path, passes: int) -> bool:
        armed = (path, path.stat().st_mtime_ns)
        self._passes[armed] = self._passes.get(armed, 0) + 1
        return self._passes[armed] <= passes

    def _note(self, trace: Path, name: str, ids: tuple[str, ...], action: str) -> None:
        line = " ".join((f"{self._clock.monotonic():.6f}", name, *ids, *([f"!{action}"] if action else [])))
        # Appended by one call, so that the line is there whole when the next call is a kill.
        with trace.open("ab", buffering=0) as file:
            file.write(line.encode() + b"\n")


def from_variables(variables: Mapping[str, str]) -> Reach:
    """What `reach` is in a process that was started with these variables."""
    if not (directory := variables.get(DIRECTORY)):
        return _inert
    trace = variables.get(TRACE)
    points = Failpoints(Path(directory), trace=Path(trace) if trace else None, role=variables.get(ROLE, ""))
    return points.reach


def _inert(name: str, *ids: str) -> None:
    """Nothing."""


# Read here and not in a settings file: the call sites take whatever `reach` is once and for all, so that
# a point costs one empty call, and no service has to hand a tool of the tests down to its stores.
reach: Final[Reach] = from_variables(os.environ)
