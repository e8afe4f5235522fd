"""How our own services are started: their commands, and the files that configure them."""

import sys
from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

from local.stack import ray
from local.stack.certificates import AUDIT, CORE, HUB, spiffe_id
from local.stack.envoy_listeners import spoke_authority
from local.stack.layout import ORIGIN, Layout, write_json
from local.stack.ports import Ports
from local.stack.processes import Command

Urls = Mapping[str, str]


def write_config(layout: Layout, ports: Ports, spokes: Sequence[str]) -> None:
    """Writes which spokes the hub knows, what Core may do for which tenants, and where alerts go."""
    address = ports.address("spokes")
    known = [{"name": name, "address": address, "authority": spoke_authority(name)} for name in spokes]
    write_json(layout.config("spokes.json"), known)
    rights = {"accounts": [f"{name}/*" for name in spokes]}
    write_json(
        layout.config("tenants.json"), {"callers": {str(spiffe_id(*CORE)): ["*"]}, "tenants": {"*": rights}}
    )
    write_json(layout.config("alert-sinks.json"), [_inbox(ports)] if "smtp" in spokes else [])


def audit_migration(urls: Urls) -> Command:
    """Brings the log's database to the newest schema."""
    return _python("audit_service", "migrate", environment={"AUDIT_OWNER_DATABASE_URL": urls["audit_owner"]})


def hub_migration(urls: Urls) -> Command:
    """Brings the hub's database to the newest schema."""
    return _python("hub", "migrate", environment={"HUB_OWNER_DATABASE_URL": urls["hub_owner"]})


def audit(layout: Layout, ports: Ports, urls: Urls) -> Command:
    """Serves the log."""
    layout.data("audit").mkdir(parents=True, exist_ok=True)
    environment = _common(layout, AUDIT) | {
        "AUDIT_LISTEN": ports.address("audit"),
        "AUDIT_DATABASE_URL": _database(ports, urls["audit_writer"]),
        "AUDIT_READER_DATABASE_URL": _database(ports, urls["audit_reader"]),
        "AUDIT_ORIGIN": ORIGIN,
        "AUDIT_LOG_KEY_FILE": str(layout.signing_key("log")),
        "AUDIT_SIGNING_KEY_FILE": str(layout.signing_key("audit")),
        "AUDIT_HIGH_WATER_FILE": str(layout.data("audit") / "high-water"),
    }
    return _python("audit_service", "serve", environment=environment)


def hub(layout: Layout, ports: Ports, name: str, urls: Urls) -> Command:
    """Serves one replica of the hub, all roles in one process."""
    environment = _common(layout, HUB) | {
        "HUB_LISTEN": ports.address(name),
        "HUB_WEBHOOK_LISTEN": ports.address(f"{name}-webhooks"),
        "HUB_WEBHOOK_PUBLIC_URL": f"http://{ports.address('webhooks')}",
        "HUB_DATABASE_URL": _database(ports, urls["hub_rw"]),
        "HUB_AUDIT_ADDRESS": ports.address("audit"),
        "HUB_AUDIT_VKEY_FILE": str(layout.vkey),
        "HUB_SPOKES_FILE": str(layout.config("spokes.json")),
        "HUB_SIGNING_KEY_FILE": str(layout.signing_key("hub")),
        "HUB_TENANTS_FILE": str(layout.config("tenants.json")),
        "HUB_ALERT_SINKS_FILE": str(layout.config("alert-sinks.json")),
    }
    return _python("hub", "serve", environment=environment)


def spoke(layout: Layout, ports: Ports, name: str, *, pool: str) -> Command:
    """Serves one spoke; `pool` is `cluster` (the stack's Ray) or `inline`."""
    environment = _common(layout, ("spoke", name)) | {
        "SPOKE_LISTEN": ports.address(f"spoke-{name}"),
        "SPOKE_SIGNING_KEY_FILE": str(layout.signing_key(f"spoke-{name}")),
        "SPOKE_AUDIT_VKEY_FILE": str(layout.vkey),
        "SPOKE_ACCOUNTS_FILE": str(layout.accounts(name)),
        "SPOKE_POOL_BACKEND": pool,
    }
    if pool == "cluster":
        environment |= ray.client_environment(layout) | {"SPOKE_RAY_ADDRESS": ports.address("ray")}
    return _python("spokes", "run", name, environment=environment)


def _inbox(ports: Ports) -> dict[str, object]:
    """The mail system's stand-in, where a newcomer sees what those on call would get."""
    host, _, port = ports.address("smtp-inbox").rpartition(":")
    return {
        "name": "inbox",
        "kind": "smtp",
        "host": host,
        "port": int(port),
        "tls": "none",
        "from": "hub@example.com",
        "to": ["on-call@example.com"],
    }


def _common(layout: Layout, identity: tuple[str, str]) -> dict[str, str]:
    return {
        "MESH_IDENTITY_DIR": str(layout.identity(*identity)),
        "MESH_PRODUCERS_FILE": str(layout.producers),
    }


def _database(ports: Ports, url: str) -> str:
    detour = ports.detours.get("postgres")
    if detour is None:
        return url
    parts = urlsplit(url)
    user = parts.netloc.rpartition("@")[0]
    return parts._replace(netloc=f"{user}@{detour}").geturl()


def _python(module: str, *arguments: str, environment: Mapping[str, str]) -> Command:
    return Command([sys.executable, "-m", module, *arguments], environment)
