"""What the hub is told by its environment."""

import json
import re
from dataclasses import dataclass, field
from pathlib import Path

from hub.file_entry import is_loopback
from hub.peers.spokes import SpokeAddress
from mesh.settings import Environment, SettingsError

_PUBLIC_URL = re.compile(
    r"(?P<scheme>https?)://(?P<host>[A-Za-z0-9.-]+)(:[0-9]{1,5})?(/[A-Za-z0-9._~-]+)*", re.ASCII
)

MOST_OF_A_PUBLIC_URL = 1024

ALL_ROLES = frozenset({"edge", "lanes", "webhooks"})


@dataclass(frozen=True, slots=True)
class Settings:
    """All of the hub's settings; the database's URL holds a password and is never shown."""

    listen: str
    webhook_listen: str
    webhook_public_url: str
    database_url: str = field(repr=False)
    audit_address: str
    audit_vkey_file: Path
    spokes: tuple[SpokeAddress, ...]
    signing_key_file: Path
    identity_dir: Path
    tenants_file: Path
    quotas_file: Path | None
    max_backlog: int
    max_watchers: int
    alert_sinks_file: Path | None
    roles: frozenset[str]


def load(environment: Environment) -> Settings:
    """Reads the settings; raises mesh.settings.SettingsError naming the variable at fault."""
    quotas = environment.text("HUB_QUOTAS_FILE", default="")
    sinks = environment.text("HUB_ALERT_SINKS_FILE", default="")
    roles = frozenset(environment.text("HUB_ROLES", default="edge,lanes,webhooks").split(","))
    return Settings(
        listen=environment.address("HUB_LISTEN"),
        webhook_listen=environment.address("HUB_WEBHOOK_LISTEN"),
        webhook_public_url=webhook_public_url(environment),
        database_url=environment.text("HUB_DATABASE_URL"),
        audit_address=environment.address("HUB_AUDIT_ADDRESS"),
        audit_vkey_file=environment.path("HUB_AUDIT_VKEY_FILE"),
        spokes=_spokes(environment.path("HUB_SPOKES_FILE")),
        signing_key_file=environment.path("HUB_SIGNING_KEY_FILE"),
        identity_dir=environment.path("MESH_IDENTITY_DIR"),
        tenants_file=environment.path("HUB_TENANTS_FILE"),
        quotas_file=Path(quotas) if quotas else None,
        max_backlog=environment.integer("HUB_MAX_BACKLOG", default=100_000, least=0),
        max_watchers=environment.integer("HUB_MAX_WATCHERS", default=100, least=0),
        alert_sinks_file=Path(sinks) if sinks else None,
        roles=roles,
    )


def webhook_public_url(environment: Environment) -> str:
    """Where providers reach the webhook listener, up to "/webhooks"; raises SettingsError."""
    name = "HUB_WEBHOOK_PUBLIC_URL"
    url = environment.text(name, default="")
    parts = _PUBLIC_URL.fullmatch(url)
    is_fit = parts is not None and (parts["scheme"] == "https" or is_loopback(parts["host"]))
    if url and not (is_fit and len(url) <= MOST_OF_A_PUBLIC_URL):
        raise SettingsError(f"{name} is not https://host[:port][/path] without a slash at its end")
    return url


def _spokes(path: Path) -> tuple[SpokeAddress, ...]:
    return tuple(SpokeAddress(**entry) for entry in json.loads(path.read_text()))
