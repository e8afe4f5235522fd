"""Envoy's way to each service: mTLS, pinned to that service's identity."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from local.stack.envoy_tls import Certificate
from local.stack.ports import LOOPBACK

Node = dict[str, Any]

_HTTP = "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
_MOST_REQUESTS = 8192
_KEEPALIVE = {"connection_keepalive": {"interval": "60s", "timeout": "10s"}}


@dataclass(frozen=True, slots=True)
class Replica:
    """One process of a service: where it takes requests, and where it says how it is."""

    port: int
    health_port: int


def grpc(name: str, port: int, certificate: Certificate, *, peer: str) -> Node:
    """A service of one process, over HTTP/2. A request that fails is never sent again."""
    protocol = {"explicit_http_config": {"http2_protocol_options": _KEEPALIVE}}
    endpoint = {"endpoint": {"address": _address(port)}}
    return _cluster(name, [endpoint], certificate.upstream(peer, alpn="h2"), protocol, retries=0)


def replicated_grpc(name: str, replicas: Sequence[Replica], certificate: Certificate, *, peer: str) -> Node:
    """A service of several processes, over HTTP/2; those that are not SERVING get no requests."""
    protocol = {"explicit_http_config": {"http2_protocol_options": _KEEPALIVE}}
    return _replicated(name, replicas, certificate.upstream(peer, alpn="h2"), protocol)


def replicated_http(name: str, replicas: Sequence[Replica], certificate: Certificate, *, peer: str) -> Node:
    """The same over HTTP/1.1, on a port beside the one that says how the process is."""
    # What each port speaks is agreed upon with it: HTTP/1.1 for requests, HTTP/2 for the health checks.
    protocol: Node = {"auto_config": {"http_protocol_options": {}, "http2_protocol_options": _KEEPALIVE}}
    return _replicated(name, replicas, certificate.upstream(peer, alpn="http/1.1"), protocol)


def _replicated(name: str, replicas: Sequence[Replica], transport_socket: Node, protocol: Node) -> Node:
    endpoints = [
        {
            "endpoint": {
                "address": _address(replica.port),
                "health_check_config": {"port_value": replica.health_port},
            }
        }
        for replica in replicas
    ]
    return _cluster(name, endpoints, transport_socket, protocol, retries=_MOST_REQUESTS) | {
        # Not by least requests: a replica that has just died has the least of all.
        "lb_policy": "ROUND_ROBIN",
        "health_checks": [_HEALTH_CHECK],
        "common_lb_config": {
            # Where none is well, the checks may be what is wrong: then all are tried.
            "healthy_panic_threshold": {"value": 1},
            "update_merge_window": "0s",  # else what a check finds counts a second later
        },
    }


# The word NOT_SERVING counts at once; only what may be a hiccup, a silence, must happen twice.
_HEALTH_CHECK: Node = {
    "interval": "0.5s",
    "no_traffic_interval": "0.5s",
    "timeout": "1s",
    "unhealthy_threshold": 2,
    "healthy_threshold": 1,
    "grpc_health_check": {},
    "tls_options": {"alpn_protocols": ["h2"]},
}


def _address(port: int) -> Node:
    return {"socket_address": {"address": LOOPBACK, "port_value": port}}


def _cluster(
    name: str, endpoints: Sequence[Node], transport_socket: Node, protocol: Node, *, retries: int
) -> Node:
    return {
        "name": name,
        "type": "STATIC",
        "connect_timeout": "1s",
        "circuit_breakers": {
            "thresholds": [
                {
                    "max_connections": 64,
                    "max_pending_requests": _MOST_REQUESTS,
                    "max_requests": _MOST_REQUESTS,
                    "max_retries": retries,
                }
            ]
        },
        "transport_socket": transport_socket,
        "typed_extension_protocol_options": {
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {"@type": _HTTP} | protocol
        },
        "load_assignment": {
            "cluster_name": name,
            "endpoints": [{"lb_endpoints": list(endpoints)}],
        },
    }
