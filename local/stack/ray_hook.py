"""Called by `ray start` (RAY_START_HOOK): keeps it on loopback, which its command line cannot."""

from typing import Any

LOOPBACK = "127.0.0.1"


def stay_on_loopback(parameters: Any, _: bool) -> None:
    """Binds every port to loopback, and starts no server for remote clients (port 10001)."""
    parameters.node_ip_address = LOOPBACK
    parameters.node_name = LOOPBACK
    parameters.ray_client_server_port = None
