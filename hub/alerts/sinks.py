"""Where alerts go: a file of sinks. Errors name the entry and the field, and never show a value."""

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from hub.alerts.alertmanager import Alertmanager
from hub.alerts.mail import Mail, Tls
from hub.alerts.model import AlertSink
from hub.alerts.signed_webhook import SignedWebhook
from hub.file_entry import FileEntry, is_loopback, read_json
from mesh.mail import is_mailbox
from mesh.settings import SettingsError

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_HOST = re.compile(r"[A-Za-z0-9.:-]{1,253}")
_PLAIN = re.compile(r"([\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?)?")
_TLS: Mapping[str, Tls] = {"implicit": "implicit", "starttls": "starttls", "none": "none"}


def load_sinks(path: Path) -> Sequence[AlertSink]:
    """Reads the sinks and their secrets; raises SettingsError. Secrets' paths count from the file."""
    entries = read_json(path)
    if not isinstance(entries, list):
        raise SettingsError(f"{path.name} is not a list of sinks")
    sinks = [_sink(FileEntry.of(entry, f"{path.name}[{n}]", path.parent)) for n, entry in enumerate(entries)]
    if len({sink.name for sink in sinks}) < len(sinks):
        raise SettingsError(f"{path.name} names two sinks the same")
    return sinks


def _sink(entry: FileEntry) -> AlertSink:
    kinds: Mapping[str, Callable[[FileEntry], AlertSink]] = {
        "alertmanager": _alertmanager,
        "webhook": _webhook,
        "smtp": _mail,
    }
    kind = kinds.get(entry.text("kind"))
    if kind is None:
        raise entry.wrong("kind", f"is none of {', '.join(kinds)}")
    return kind(entry)


def _alertmanager(entry: FileEntry) -> AlertSink:
    entry.only("name", "kind", "url", "bearer_token_file")
    token = entry.secret("bearer_token_file")
    return Alertmanager(entry.text("name", _NAME), entry.url(plain_only_to_loopback=bool(token)), token)


def _webhook(entry: FileEntry) -> AlertSink:
    entry.only("name", "kind", "url", "secret_file")
    keys = entry.keys("secret_file")
    return SignedWebhook(entry.text("name", _NAME), entry.url(plain_only_to_loopback=True), keys)


def _mail(entry: FileEntry) -> AlertSink:
    entry.only("name", "kind", "host", "port", "tls", "from", "to", "username", "password_file")
    tls, host = entry.text("tls", default="starttls"), entry.text("host", _HOST)
    port, sender, receivers = entry.fields.get("port"), entry.text("from"), entry.fields.get("to")
    if tls not in _TLS or (tls == "none" and not is_loopback(host)):
        raise entry.wrong("tls", "is neither starttls nor implicit, nor none to loopback")
    if not isinstance(port, int) or isinstance(port, bool) or not 0 < port < 65536:
        raise entry.wrong("port", "is not a port")
    if not isinstance(receivers, list) or not receivers or not all(map(is_mailbox, receivers)):
        raise entry.wrong("to", "is not a list of mailboxes")
    if not is_mailbox(sender):
        raise entry.wrong("from", "is not one mailbox without a name")
    return Mail(
        entry.text("name", _NAME),
        host=host,
        port=port,
        tls=_TLS[tls],
        sender=sender,
        receivers=tuple(receivers),
        username=entry.text("username", _PLAIN, default=""),
        password=entry.secret("password_file"),
    )
