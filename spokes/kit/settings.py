"""What a spoke is told by its environment."""

from dataclasses import dataclass
from pathlib import Path

from mesh.errors import SettingsError
from mesh.settings import Environment
from mesh.telemetry import ENDPOINT

BACKENDS = ("inline", "local", "cluster")


@dataclass(frozen=True, slots=True)
class Settings:
    """All of a spoke's settings. `ray_address` empty: a Ray of its own."""

    listen: str
    identity_dir: Path
    signing_key_file: Path
    producers_file: Path
    audit_vkey_file: Path
    accounts_file: Path
    pool_backend: str
    ray_address: str
    otlp_endpoint: str
    drain_seconds: float


def load(environment: Environment) -> Settings:
    """Reads the settings; raises SettingsError naming the variable at fault."""
    backend = environment.text("SPOKE_POOL_BACKEND", default="local")
    if backend not in BACKENDS:
        raise SettingsError(f"SPOKE_POOL_BACKEND is not one of {', '.join(BACKENDS)}")
    address = environment.text("SPOKE_RAY_ADDRESS", default="")
    if backend == "cluster" and not address:
        raise SettingsError("SPOKE_RAY_ADDRESS is not set, and the cluster pool needs it")
    return Settings(
        listen=environment.address("SPOKE_LISTEN"),
        identity_dir=environment.path("MESH_IDENTITY_DIR"),
        signing_key_file=environment.path("SPOKE_SIGNING_KEY_FILE"),
        producers_file=environment.path("MESH_PRODUCERS_FILE"),
        audit_vkey_file=environment.path("SPOKE_AUDIT_VKEY_FILE"),
        accounts_file=environment.path("SPOKE_ACCOUNTS_FILE"),
        pool_backend=backend,
        ray_address=address,
        otlp_endpoint=environment.text(ENDPOINT, default=""),
        drain_seconds=environment.seconds("SPOKE_DRAIN_SECONDS", default=20.0),
    )
