"""The parts of the stack: what each waits for, how it starts, and when it is ready."""

import asyncio
import os
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial

from hubctl import probes
from local.sandboxes.all import SANDBOXES
from local.sandboxes.sandbox import Sandbox
from local.stack import envoy, postgres, ray, services
from local.stack.certificates import OPERATOR
from local.stack.layout import Layout
from local.stack.ports import Ports
from local.stack.processes import Command
from local.stack.services import Urls

CLUSTER, INLINE = "cluster", "inline"
RAY = "ray"


@dataclass(frozen=True, slots=True)
class Part:
    """One process. `drain_level`: the higher goes first when the stack stops."""

    name: str
    after: tuple[str, ...]
    probe: str
    address: str
    command: Callable[[], Command]
    is_ready: Callable[[], Awaitable[bool]]
    drain_level: int = 1
    patience_seconds: float = 60.0


def ray_part(layout: Layout, ports: Ports) -> Part:
    """The one Ray of all spokes."""

    def command() -> Command:
        ray.prepare(layout)
        return ray.command(layout, ports, cpus=len(os.sched_getaffinity(0)))

    ready = partial(ray.is_ready, layout.log("ray"))
    return Part(RAY, (), "tcp", ports.address("ray"), command, ready, patience_seconds=120)


def postgres_part(layout: Layout, ports: Ports) -> Part:
    """The server of both databases, durable."""
    address = ports.address("postgres")

    def command() -> Command:
        own = postgres.prepare(layout.data("postgres"))
        return Command(own.command(ports.of("postgres")), user=postgres.run_as())

    return Part("postgres", (), "postgres", address, command, _probed("postgres", address, layout), 0)


def sandbox_part(layout: Layout, ports: Ports, sandbox: Sandbox) -> Part:
    """A provider's stand-in."""
    after = ("sandboxes", "files") if sandbox.own_environment else ("files",)
    return Part(
        sandbox.part,
        after,
        "tcp",
        ports.address(sandbox.part),
        partial(sandbox.command, layout, ports),
        partial(sandbox.is_ready, layout, ports),
    )


def audit_part(layout: Layout, ports: Ports, urls: Callable[[], Urls]) -> Part:
    """The log."""
    address = ports.address("audit")
    return Part(
        "audit",
        ("audit-schema", "files"),
        "grpc",
        address,
        lambda: services.audit(layout, ports, urls()),
        _probed("grpc", address, layout),
    )


def envoy_part(layout: Layout, ports: Ports, spokes: Sequence[str]) -> Part:
    """The proxy of every hop."""
    path = envoy.bootstrap_file(layout)

    def command() -> Command:
        envoy.write(envoy.Edge(layout, ports, spokes), path)
        return envoy.command(path)

    url = f"http://{ports.address('envoy-admin')}/ready"

    async def is_ready() -> bool:
        return await asyncio.to_thread(probes.http_answers, url)

    return Part("envoy", ("files",), "http", f"{ports.address('envoy-admin')}/ready", command, is_ready)


def spoke_part(layout: Layout, ports: Ports, name: str, *, pool: str) -> Part:
    """One spoke, with its actors in the stack's Ray or its code in its own process."""
    address = ports.address(f"spoke-{name}")
    sandboxes = tuple(sandbox.part for sandbox in SANDBOXES if sandbox.spoke == name)
    return Part(
        f"spoke-{name}",
        ("files", *sandboxes, *((RAY,) if pool == CLUSTER else ())),
        "grpc",
        address,
        lambda: services.spoke(layout, ports, name, pool=pool),
        _probed("grpc", address, layout),
        drain_level=2,
        patience_seconds=120,
    )


def hub_part(layout: Layout, ports: Ports, name: str, urls: Callable[[], Urls]) -> Part:
    """A replica of the hub: ready when it is, and when one can be reached through Envoy."""
    direct, through_envoy = ports.address(name), ports.address("core")

    async def is_ready() -> bool:
        identity = layout.identity(*OPERATOR)
        return await probes.grpc_serving(direct, identity) and await probes.grpc_serving(
            through_envoy, identity
        )

    return Part(
        name,
        ("hub-schema", "files", "audit", "envoy", *(f"spoke-{spoke}" for spoke in ports.spokes)),
        "grpc",
        direct,
        lambda: services.hub(layout, ports, name, urls()),
        is_ready,
        drain_level=3,
    )


def _probed(kind: str, address: str, layout: Layout) -> Callable[[], Awaitable[bool]]:
    return lambda: probes.probe(kind, address, layout.identity(*OPERATOR))
