"""Envoy's listeners: Core's calls to the hub, the hub's calls to the spokes, and providers' webhooks."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from local.stack.certificates import HUB, spiffe_id
from local.stack.envoy_tls import Certificate
from local.stack.layout import TRUST_DOMAIN
from local.stack.ports import LOOPBACK

Node = dict[str, Any]

MOST_WEBHOOK_BYTES = 256 << 10
WEBHOOK_SECONDS = 10

_EXTENSIONS = "type.googleapis.com/envoy.extensions"
_FILTERS = f"{_EXTENSIONS}.filters"
_HEALTH = "/grpc.health.v1.Health/"
_REFLECTION = "/grpc.reflection.v1alpha.ServerReflection/"
_JOBS = "/integration.jobs.v1.JobsService/"
_EVENTS = "/integration.events.v1.EventsService/"
_SPOKE = "/integration.spoke.v1.SpokeService/"
_AUDIT = "/integration.audit.v1.AuditService/"
_OPERATIONS = "/integration.operations.v1.OperationsService/"

# Sent to another replica only if the first certainly never saw it; all else is for the caller to repeat.
_NEVER_REACHED: Node = {
    "retry_on": "connect-failure,refused-stream",
    "num_retries": 2,
    "retry_host_predicate": [
        {
            "name": "envoy.retry_host_predicates.previous_hosts",
            "typed_config": {"@type": f"{_EXTENSIONS}.retry.host.previous_hosts.v3.PreviousHostsPredicate"},
        }
    ],
    "host_selection_retry_max_attempts": 10,
}


def core(port: int, certificate: Certificate, log: Path) -> Node:
    """Core, operators and auditors to the hub."""
    not_for_core = [_path(prefix) for prefix in (_SPOKE, _AUDIT, _OPERATIONS)]
    policies = {
        "core": {
            "permissions": [
                {"and_rules": {"rules": [_path("/integration."), {"not_rule": _any(not_for_core)}]}},
                _path(_HEALTH),
            ],
            "principals": [_role("core")],
        },
        "people": {
            "permissions": [_path(prefix) for prefix in (_JOBS, _EVENTS, _OPERATIONS, _HEALTH, _REFLECTION)],
            "principals": [_role("operator"), _role("auditor")],
        },
    }
    route = _grpc_route("hub")
    route["route"]["retry_policy"] = _NEVER_REACHED
    hosts = [{"name": "hub", "domains": ["*"], "routes": [route]}]
    return _listener("core", port, _grpc_manager("core", hosts, policies, log), certificate)


def spokes(port: int, certificate: Certificate, log: Path, names: Sequence[str]) -> Node:
    """The hub, and nobody else, to the spoke that `:authority` names."""
    policies = {
        "hub": {
            "permissions": [_path(prefix) for prefix in (_SPOKE, _HEALTH)],
            "principals": [{"authenticated": {"principal_name": {"exact": str(spiffe_id(*HUB))}}}],
        }
    }
    hosts = [
        {"name": name, "domains": [spoke_authority(name)], "routes": [_grpc_route(f"spoke-{name}")]}
        for name in names
    ]
    return _listener("spokes", port, _grpc_manager("spokes", hosts, policies, log), certificate)


def webhooks(port: int, log: Path) -> Node:
    """Providers to the hub. In the cloud TLS ends before this listener; here it is loopback."""
    route = {
        "match": {"prefix": "/webhooks/"},
        "route": {
            "cluster": "hub-webhooks",
            "timeout": f"{WEBHOOK_SECONDS}s",
            "retry_policy": _NEVER_REACHED,
        },
    }
    manager = _manager("webhooks", [{"name": "hub", "domains": ["*"], "routes": [route]}], log) | {
        "forward_client_cert_details": "SANITIZE",
        "request_timeout": f"{WEBHOOK_SECONDS}s",
        "stream_idle_timeout": f"{WEBHOOK_SECONDS}s",
        "max_request_headers_kb": 16,
        "http_filters": [
            _filter("buffer", "http.buffer.v3.Buffer", {"max_request_bytes": MOST_WEBHOOK_BYTES}),
            _router(),
        ],
    }
    return _listener("webhooks", port, manager, None)


def spoke_authority(name: str) -> str:
    """The `:authority` by which the hub reaches a spoke."""
    return f"{name}.spokes.internal"


def socket_address(host: str, port: int) -> Node:
    """An address, as Envoy has it."""
    return {"socket_address": {"address": host, "port_value": port}}


def _listener(name: str, port: int, manager: Node, certificate: Certificate | None) -> Node:
    chain: Node = {
        "filters": [{"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]
    }
    if certificate is not None:
        chain["transport_socket"] = certificate.downstream()
    return {
        "name": name,
        "address": socket_address(LOOPBACK, port),
        "enable_reuse_port": False,  # a second Envoy must fail, not share the port
        "per_connection_buffer_limit_bytes": 1 << 20,
        "filter_chains": [chain],
    }


def _grpc_manager(name: str, hosts: list[Node], policies: Node, log: Path) -> Node:
    rules = {"rules": {"action": "ALLOW", "policies": policies}}
    return _manager(name, hosts, log) | {
        "codec_type": "HTTP2",
        "forward_client_cert_details": "SANITIZE_SET",
        "set_current_client_cert_details": {"uri": True},
        "stream_idle_timeout": "0s",  # a watch may be silent for long; keepalive finds dead peers
        "http2_protocol_options": {
            "max_concurrent_streams": 1024,
            "connection_keepalive": {"interval": "60s", "timeout": "10s"},
        },
        "http_filters": [_filter("rbac", "http.rbac.v3.RBAC", rules), _router()],
    }


def _manager(name: str, hosts: list[Node], log: Path) -> Node:
    return {
        "@type": f"{_FILTERS}.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": name,
        "use_remote_address": True,
        "normalize_path": True,
        "path_with_escaped_slashes_action": "REJECT_REQUEST",
        "request_headers_timeout": "5s",
        "route_config": {"name": name, "virtual_hosts": hosts},
        "access_log": [_access_log(name, log)],
    }


def _grpc_route(cluster: str) -> Node:
    return {
        "match": {"prefix": "/", "grpc": {}},
        "route": {
            "cluster": cluster,
            # A route's timeout would end as UNAVAILABLE, which invites a repetition; the caller's own
            # deadline ends as DEADLINE_EXCEEDED.
            "timeout": "0s",
            "max_stream_duration": {"grpc_timeout_header_max": "0s"},
        },
    }


def _access_log(name: str, log: Path) -> Node:
    return {
        "name": "envoy.access_loggers.file",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog",
            "path": str(log),
            "log_format": {
                "json_format": {
                    "time": "%START_TIME%",
                    "listener": name,
                    "path": "%PATH(NQ)%",
                    "authority": "%REQ(:AUTHORITY)%",
                    "peer": "%DOWNSTREAM_PEER_URI_SAN%",
                    "status": "%RESPONSE_CODE%",
                    "grpc_status": "%GRPC_STATUS%",
                    "flags": "%RESPONSE_FLAGS%",
                    "replica": "%UPSTREAM_HOST%",
                    "sent": "%UPSTREAM_REQUEST_ATTEMPT_COUNT%",
                    "trace_id": "%TRACE_ID%",
                    "milliseconds": "%DURATION%",
                }
            },
        },
    }


def _filter(name: str, kind: str, options: Node) -> Node:
    typed = {"@type": f"{_FILTERS}.{kind}"} | options
    return {"name": f"envoy.filters.http.{name}", "typed_config": typed}


def _router() -> Node:
    return _filter("router", "http.router.v3.Router", {})


def _path(prefix: str) -> Node:
    return {"url_path": {"path": {"prefix": prefix}}}


def _any(permissions: list[Node]) -> Node:
    return {"or_rules": {"rules": permissions}}


def _role(role: str) -> Node:
    return {"authenticated": {"principal_name": {"prefix": f"spiffe://{TRUST_DOMAIN}/{role}/"}}}
