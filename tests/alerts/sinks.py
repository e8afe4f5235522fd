"""A file that names the sinks of a stack's hub: a real Alertmanager, and the mail system if there is one."""

import json
from collections.abc import Mapping
from pathlib import Path

from tests.alerts.alertmanager import Alertmanager

ALERTMANAGER, ON_CALL = "alertmanager", "on-call"
FILE = "HUB_ALERT_SINKS_FILE"


def write_sinks(directory: Path, alertmanager: Alertmanager, *, inbox: str = "") -> Mapping[str, str]:
    """Writes the file into the directory; what the hub's environment needs to find it."""
    sinks: list[Mapping[str, object]] = [
        {"name": ALERTMANAGER, "kind": "alertmanager", "url": alertmanager.url}
    ]
    if inbox:
        sinks.append(_mail(inbox))
    path = directory / "sinks.json"
    path.write_text(json.dumps(sinks))
    return {FILE: str(path)}


def _mail(inbox: str) -> Mapping[str, object]:
    host, _, port = inbox.rpartition(":")
    people = {"from": "hub@example.com", "to": ["on-call@example.com"]}
    return {"name": ON_CALL, "kind": "smtp", "host": host, "port": int(port), "tls": "none", **people}
