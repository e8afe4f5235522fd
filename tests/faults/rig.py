"""One stack with failpoints in every process, and the means to arm, kill and mend its parts."""

import asyncio
import os
import re
import signal
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

import psutil

from local.place import Place, load
from local.stack.layout import Layout
from local.stack.ports import Ports
from local.stack.postgres import Server
from local.stack.stack import Options, Say, Stack
from mesh import failpoints
from mesh.clock import SystemClock
from tests.alerts.alertmanager import Alertmanager
from tests.alerts.sinks import ALERTMANAGER, ON_CALL, write_sinks
from tests.faults import trace
from tests.faults.trace import Pass

PEERS = ("echo", "stripe", "smtp")
SANDBOXES: Mapping[str, str] = {"echo": "echo-sandbox", "stripe": "stripe-sandbox", "smtp": "smtp-inbox"}
LOOK_SECONDS = 0.01
DYING_SECONDS = 10.0

# A lease outlives its owner by some seconds: here they pass at once, as the owner is known to be dead.
_END_LEASES = "UPDATE lane SET lease_until = '-infinity';"
_UNSETTLED = """
SELECT (SELECT count(*) FROM job WHERE due_at IS NOT NULL OR claimed_term <> 0)
     + (SELECT count(*) FROM outbox);
"""


class Rig:
    """The stack of a campaign, with the spokes of `peers`. `mended`: the seconds of each restart, by part.

    With an Alertmanager, which runs as long as the stack does, the hub tells its alerts to it, and by mail
    where there is a mail system. `sinks` are their names.
    """

    def __init__(
        self,
        state: Path,
        *,
        base_port: int,
        peers: tuple[str, ...] = PEERS,
        alertmanager: Alertmanager | None = None,
        say: Say | None = None,
    ) -> None:
        self._state = state
        self._armed, self._trace = state / "armed", state / "trace"
        self._clock = SystemClock()
        self.mended: dict[str, list[float]] = defaultdict(list)
        self.peers = peers
        self.alertmanager = alertmanager
        self.sinks: frozenset[str] = frozenset()
        roles = {"hub": "hub", "audit": "audit", "ray": "actor"} | {f"spoke-{p}": f"spoke-{p}" for p in peers}
        environment = {part: self._variables(role) for part, role in roles.items()}
        if alertmanager is not None:
            mail = Ports(base_port).address(SANDBOXES["smtp"]) if "smtp" in peers else ""
            environment["hub"] |= write_sinks(state, alertmanager, inbox=mail)
            self.sinks = frozenset({ALERTMANAGER, ON_CALL} if mail else {ALERTMANAGER})
        options = Options(Layout.at(state), base_port=base_port, spokes=peers, environment=environment)
        self._stack = Stack(options, say=say)

    async def start(self) -> None:
        """Returns when every part is ready."""
        for directory in (self._armed, self._trace):
            directory.mkdir(parents=True)
        if self.alertmanager is not None:
            await asyncio.to_thread(self.alertmanager.start)
        try:
            await self._stack.start()
        except BaseException:
            self._stop_alertmanager()
            raise

    async def stop(self) -> None:
        """Drains every part."""
        await self._stack.stop()
        self._stop_alertmanager()

    @property
    def place(self) -> Place:
        """Where everything is, as of now."""
        return load(self._state)

    @property
    def layout(self) -> Layout:
        """The stack's files."""
        return self._stack.layout

    def now(self) -> float:
        """The clock that traces are written by."""
        return self._clock.monotonic()

    def arm(self, point: str, peer: str, *, after: int = 0) -> None:
        """Kills the next process that passes the point in the peer's way, after it has passed so often."""
        draft = self._armed / ".draft"
        draft.write_text(f"{failpoints.KILL} after {after}")
        draft.rename(self._armed / f"{role_of(point, peer)}.{point}")

    async def struck(self, point: str, peer: str, *, seconds: float) -> bool:
        """Whether an armed point was passed within the time."""
        deadline = self.now() + seconds
        file = self._armed / f"{role_of(point, peer)}.{point}"
        while file.exists():
            if self.now() > deadline:
                file.unlink(missing_ok=True)
                return False
            await asyncio.sleep(LOOK_SECONDS)
        return True

    def kill(self, part: str) -> None:
        """Ends a part, and all its processes, as a crash would."""
        children = psutil.Process(self.place.pids[part]).children(recursive=True)
        self._stack.kill(part)
        # A Postgres does not start while any process of the one before still has its memory.
        psutil.wait_procs(children, timeout=DYING_SECONDS)

    def kill_actors(self, peer: str) -> None:
        """Ends the actors of a spoke as a crash would."""
        for pid in self._actors(peer):
            os.kill(pid, signal.SIGKILL)

    async def ended(self, part: str) -> None:
        """Returns when a part that was struck has ended."""
        while all(process.name != part for process in self._stack.fallen()):
            await asyncio.sleep(LOOK_SECONDS)

    async def mend(self) -> None:
        """Starts what has ended; returns when it is ready."""
        fallen = [process.name for process in self._stack.fallen()]
        for part in sorted(fallen, key=("postgres", "audit").__contains__, reverse=True):
            if part == "hub":
                await self.sql(_END_LEASES)
            began = self.now()
            await self._stack.start_part(part)
            self.mended[part].append(self.now() - began)

    def pause(self, part: str) -> None:
        """Stops a part without ending it."""
        self._signal(part, signal.SIGSTOP)

    def resume(self, part: str) -> None:
        """Lets a paused part go on."""
        self._signal(part, signal.SIGCONT)

    async def settled(self, *, seconds: float) -> bool:
        """Whether nothing is due, claimed or unproven any more, within the time."""
        deadline = self.now() + seconds
        while int(await self.sql(_UNSETTLED)):
            if self.now() > deadline:
                return False
            await asyncio.sleep(0.2)
        return True

    async def sql(self, script: str) -> str:
        """Asks the hub's database, as its superuser."""
        return await asyncio.to_thread(self._server().run, script, database="hub")

    def passes(self) -> list[Pass]:
        """The trace so far."""
        return trace.read(self._trace)

    def forget_passes(self) -> None:
        """Begins a new trace."""
        for file in self._trace.iterdir():
            file.unlink()

    def _stop_alertmanager(self) -> None:
        if self.alertmanager is not None:
            self.alertmanager.stop()

    def _server(self) -> Server:
        return self._stack.postgres_server()

    def _actors(self, peer: str) -> list[int]:
        log = self.layout.log(f"spoke-{peer}").read_text()
        pids = {int(pid) for pid in re.findall(r'"actor_pid": (\d+)', log)}
        return [pid for pid in pids if psutil.pid_exists(pid)]

    def _signal(self, part: str, number: signal.Signals) -> None:
        pid = self.place.pids[part]
        for process in (psutil.Process(pid), *psutil.Process(pid).children(recursive=True)):
            process.send_signal(number)

    def _variables(self, role: str) -> dict[str, str]:
        return {
            failpoints.DIRECTORY: str(self._armed),
            failpoints.TRACE: str(self._trace),
            failpoints.ROLE: role,
        }


def role_of(point: str, peer: str) -> str:
    """The role of the processes that pass a point in a peer's way."""
    owner = point.partition(".")[0]
    return {"spoke": f"spoke-{peer}", "worker": "actor"}.get(owner, owner)


def part_of(point: str, peer: str) -> str | None:
    """The part of the stack that a point is in; None: an actor, which its pool replaces."""
    role = role_of(point, peer)
    return None if role == "actor" else role
