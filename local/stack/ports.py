"""The ports of the stack: fixed offsets from one base, and who holds those that are taken."""

import random
import socket
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import psutil

from hubctl.errors import NotReady, PortTaken

DEFAULT_BASE = 7400
BLOCK = 200
LOOPBACK = "127.0.0.1"

_OFFSETS: Mapping[str, int] = {
    name: offset
    for offset, name in enumerate(
        (
            "core",
            "spokes",
            "webhooks",
            "envoy-admin",
            "hub",
            "hub-webhooks",
            "audit",
            "postgres",
            "stripe-sandbox",
            "smtp-inbox",
            "echo-sandbox",
            "ray",
            "ray-nodes",
            "ray-objects",
            "ray-environments",
            "ray-agent",
            "ray-agent-http",
            "ray-metrics",
        )
    )
}
_FIRST_MORE_HUB = 24
MOST_HUBS = 1 + (40 - _FIRST_MORE_HUB) // 2
_FIRST_SPOKE = 40
_FIRST_WORKER, _LAST_WORKER = 100, BLOCK - 1


@dataclass(frozen=True, slots=True)
class Ports:
    """The ports of one stack. `detours`: addresses that stand in for those of other parts, by part."""

    base: int = DEFAULT_BASE
    spokes: tuple[str, ...] = ()
    hubs: int = 1
    detours: Mapping[str, str] = field(default_factory=dict)

    def of(self, name: str) -> int:
        """The port of a part; a spoke's is named `spoke-<name>`."""
        if name in _OFFSETS:
            return self.base + _OFFSETS[name]
        if name in (more := self._more_hubs()):
            return self.base + more[name]
        return self.base + _FIRST_SPOKE + self.spokes.index(name.removeprefix("spoke-"))

    def address(self, name: str) -> str:
        """The address of a part, host:port."""
        return self.detours.get(name) or f"{LOOPBACK}:{self.of(name)}"

    def seen_by(self, detours: Mapping[str, str] | None) -> "Ports":
        """The same ports, with some parts reached another way."""
        return replace(self, detours=detours or {})

    @property
    def hub_names(self) -> tuple[str, ...]:
        """The hub's replicas, as parts: `hub`, `hub-2` and so on."""
        return ("hub", *(f"hub-{number}" for number in range(2, self.hubs + 1)))

    @property
    def ray_workers(self) -> tuple[int, int]:
        """The first and last port that Ray may give its workers."""
        return self.base + _FIRST_WORKER, self.base + _LAST_WORKER

    def named(self) -> dict[str, int]:
        """Every port that the stack itself chooses, by name."""
        names = (*_OFFSETS, *self._more_hubs(), *(f"spoke-{name}" for name in self.spokes))
        return {name: self.of(name) for name in names}

    def _more_hubs(self) -> dict[str, int]:
        names = [each for hub in self.hub_names[1:] for each in (hub, f"{hub}-webhooks")]
        return {name: _FIRST_MORE_HUB + offset for offset, name in enumerate(names)}


def refuse_if_taken(ports: Mapping[str, int]) -> None:
    """Raises PortTaken naming every port that cannot be had and the process that holds it."""
    if lines := taken(ports):
        rest = "Stop it (`hubctl down`), or choose another --base-port."
        raise PortTaken("\n".join(["these ports are taken:", *lines, rest]))


def taken(ports: Mapping[str, int]) -> list[str]:
    """A line for every port that cannot be had, with the process that holds it."""
    held = {name: port for name, port in ports.items() if not _is_free(port)}
    holders = _holders(held.values())
    return [f"  {port} ({name}) is held by {holders[port]}" for name, port in held.items()]


def usual_or_free() -> int:
    """The usual base if its whole block is free, else another."""
    return DEFAULT_BASE if _is_block_free(DEFAULT_BASE) else free_block()


def free_block(*, attempts: int = 50) -> int:
    """A base whose whole block is free now; for tests, and for a second stack."""
    for _ in range(attempts):
        base = random.SystemRandom().randrange(12_000, 32_000 - BLOCK)
        if _is_block_free(base):
            return base
    raise NotReady("found no block of free ports")


def _is_block_free(base: int) -> bool:
    return all(_is_free(base + offset) for offset in range(BLOCK))


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def _holders(ports: Iterable[int]) -> dict[int, str]:
    holders = dict.fromkeys(ports, "a process that only its own user can see")
    try:
        connections: Sequence[psutil._common.sconn] = psutil.net_connections("tcp")
    except psutil.AccessDenied:
        return holders
    for connection in connections:
        if connection.status == psutil.CONN_LISTEN and connection.laddr.port in holders and connection.pid:
            holders[connection.laddr.port] = _describe(connection.pid)
    return holders


def _describe(pid: int) -> str:
    try:
        command = " ".join(psutil.Process(pid).cmdline())
    except psutil.Error:
        command = "?"
    return f"process {pid}: {command[:100]}"
