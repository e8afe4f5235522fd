"""One Ray for all spokes: a head on loopback, small, and closed to whoever has not its token."""

import secrets
import shutil
import sys
import tempfile
from pathlib import Path

from local.stack.layout import Layout
from local.stack.ports import LOOPBACK, Ports
from local.stack.processes import Command
from mesh.ca import write_file

OBJECT_STORE_BYTES = 80 << 20
STARTED = "Ray runtime started."

# Ray looks in the environment of whoever starts it, and of whoever connects to it.
_SWITCHES = {
    "RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0",  # else it packs the whole folder under `uv run`
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_GRACEFUL_SHUTDOWN_DRAIN_TIMEOUT_S": "0",
    "RAY_AUTH_MODE": "token",
}


def prepare(layout: Layout) -> None:
    """Makes the token that every client of this Ray must show, and an empty directory for it."""
    layout.data("ray").mkdir(parents=True, exist_ok=True)
    write_file(_token(layout), secrets.token_hex(32).encode(), mode=0o600)
    clean(layout)
    # Not in the state directory: Ray's sockets have long names, and the path of a socket must be short.
    _home(layout).symlink_to(tempfile.mkdtemp(prefix="ray-"))


def clean(layout: Layout) -> None:
    """Removes what an earlier Ray has left."""
    home = _home(layout)
    if home.is_symlink():
        shutil.rmtree(home.resolve(), ignore_errors=True)
        home.unlink()


def client_environment(layout: Layout) -> dict[str, str]:
    """What a process needs to connect."""
    return _SWITCHES | {"RAY_AUTH_TOKEN_PATH": str(_token(layout))}


def command(layout: Layout, ports: Ports, *, cpus: int) -> Command:
    """Starts the head, in the foreground."""
    first, last = ports.ray_workers
    options = {
        "node-ip-address": LOOPBACK,
        "port": ports.of("ray"),
        "node-manager-port": ports.of("ray-nodes"),
        "object-manager-port": ports.of("ray-objects"),
        "runtime-env-agent-port": ports.of("ray-environments"),
        "dashboard-agent-grpc-port": ports.of("ray-agent"),
        "dashboard-agent-listen-port": ports.of("ray-agent-http"),
        "metrics-export-port": ports.of("ray-metrics"),
        "min-worker-port": first,
        "max-worker-port": last,
        "num-cpus": cpus,
        "object-store-memory": OBJECT_STORE_BYTES,
        "include-dashboard": "false",
        "include-log-monitor": "false",
        "temp-dir": _home(layout).resolve(),
    }
    arguments = [str(Path(sys.executable).with_name("ray")), "start", "--head", "--block", "--no-monitor"]
    arguments += ["--disable-usage-stats", *(f"--{name}={value}" for name, value in options.items())]
    environment = client_environment(layout) | {
        "RAY_START_HOOK": "local.stack.ray_hook.stay_on_loopback",
        # By default actors come last of all processes, so a busy provider's would delay everybody else's.
        "RAY_worker_niceness": "0",
    }
    return Command(arguments, environment)


async def is_ready(log: Path) -> bool:
    """Ray says so itself."""
    return log.exists() and STARTED in log.read_text(errors="replace")


def _token(layout: Layout) -> Path:
    return layout.data("ray") / "token"


def _home(layout: Layout) -> Path:
    return layout.data("ray") / "home"
