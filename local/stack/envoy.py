"""The bootstrap of Envoy, for every hop between the deployables."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from local.stack import envoy_clusters as clusters
from local.stack import envoy_listeners as listeners
from local.stack.certificates import ENVOY, HUB, spiffe_id
from local.stack.envoy_tls import Certificate, write_secrets
from local.stack.layout import Layout
from local.stack.ports import LOOPBACK, Ports
from local.stack.processes import Command
from mesh.ca import write_file

DRAIN_SECONDS = 5
MOST_CONNECTIONS = 4096

Node = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Edge:
    """What Envoy must know of the stack. `inline`: certificates in the bootstrap, not from watched files."""

    layout: Layout
    ports: Ports
    spokes: Sequence[str]
    inline: bool = False


def write(edge: Edge, path: Path) -> None:
    """Writes the bootstrap and the secrets that it points to."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_secrets(_certificate(edge), path.parent)
    write_file(path, yaml.safe_dump(bootstrap(edge), sort_keys=False).encode())


def bootstrap(edge: Edge) -> Node:
    """The whole configuration."""
    return {
        "node": {"id": "edge", "cluster": "edge"},
        "admin": _admin(edge.ports),
        "static_resources": {"listeners": _listeners(edge), "clusters": _clusters(edge)},
        "overload_manager": _overload(),
        "stats_flush_interval": "60s",
    }


def command(path: Path) -> Command:
    """Starts Envoy, in the foreground."""
    envoy = str(Path(sys.executable).with_name("envoy"))
    options = ["--concurrency", "1", "--disable-hot-restart", "--drain-time-s", str(DRAIN_SECONDS)]
    return Command([envoy, "-c", str(path), *options, "--log-level", "warning"])


def bootstrap_file(layout: Layout) -> Path:
    """Where the bootstrap stands. The directory is watched: nothing else may be written there."""
    return layout.data("envoy") / "envoy.yaml"


def _certificate(edge: Edge) -> Certificate:
    return Certificate(edge.layout.identity(*ENVOY), bootstrap_file(edge.layout).parent, inline=edge.inline)


def _listeners(edge: Edge) -> list[Node]:
    certificate, ports = _certificate(edge), edge.ports
    log = edge.layout.log("envoy-access")
    return [
        listeners.core(ports.of("core"), certificate, log),
        listeners.spokes(ports.of("spokes"), certificate, log, edge.spokes),
        listeners.webhooks(ports.of("webhooks"), log),
    ]


def _clusters(edge: Edge) -> list[Node]:
    certificate, ports = _certificate(edge), edge.ports
    hub = str(spiffe_id(*HUB))
    made = [
        clusters.replicated_grpc("hub", _replicas(ports, "{}"), certificate, peer=hub),
        clusters.replicated_http("hub-webhooks", _replicas(ports, "{}-webhooks"), certificate, peer=hub),
    ]
    for name in edge.spokes:
        part = f"spoke-{name}"
        peer = str(spiffe_id("spoke", name))
        made.append(clusters.grpc(part, ports.of(part), certificate, peer=peer))
    return made


def _replicas(ports: Ports, part: str) -> list[clusters.Replica]:
    return [clusters.Replica(ports.of(part.format(hub)), ports.of(hub)) for hub in ports.hub_names]


def _admin(ports: Ports) -> Node:
    return {
        "address": listeners.socket_address(LOOPBACK, ports.of("envoy-admin")),
        "allow_paths": [{"exact": "/ready"}, {"prefix": "/stats"}],
    }


def _overload() -> Node:
    kind = "envoy.extensions.resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig"
    return {
        "resource_monitors": [
            {
                "name": "envoy.resource_monitors.global_downstream_max_connections",
                "typed_config": {
                    "@type": f"type.googleapis.com/{kind}",
                    "max_active_downstream_connections": MOST_CONNECTIONS,
                },
            }
        ]
    }
