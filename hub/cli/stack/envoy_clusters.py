"""Envoy's way to each service: mTLS, pinned to that service's identity, and never a retry."""

from typing import Any

from hub.cli.stack.envoy_tls import Certificate
from hub.cli.stack.ports import LOOPBACK

Node = dict[str, Any]

_HTTP = "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
_MOST_REQUESTS = 4096


def grpc(name: str, port: int, certificate: Certificate, *, peer: str) -> Node:
    """A service over HTTP/2."""
    http2 = {"connection_keepalive": {"interval": "60s", "timeout": "10s"}}
    protocol = {"explicit_http_config": {"http2_protocol_options": http2}}
    return _cluster(name, port, certificate.upstream(peer, alpn="h2"), protocol)


def http(name: str, port: int, certificate: Certificate, *, peer: str) -> Node:
    """A service over HTTP/1.1."""
    protocol: Node = {"explicit_http_config": {"http_protocol_options": {}}}
    return _cluster(name, port, certificate.upstream(peer, alpn="http/1.1"), protocol)


def _cluster(name: str, port: int, transport_socket: Node, protocol: Node) -> Node:
    address = {"socket_address": {"address": LOOPBACK, "port_value": port}}
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
                    "max_retries": 0,
                }
            ]
        },
        "transport_socket": transport_socket,
        "typed_extension_protocol_options": {
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {"@type": _HTTP} | protocol
        },
        "load_assignment": {
            "cluster_name": name,
            "endpoints": [{"lb_endpoints": [{"endpoint": {"address": address}}]}],
        },
    }
