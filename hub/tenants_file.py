"""The file of the tenants: who may act for them, and what they may use. Errors name the key at fault."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hub.file_entry import FileEntry
from hub.posting.http import is_private
from hub.tenants import ANY, Endpoint, Rights, Tenants
from integration.common.v1.context_pb2 import RequestContext
from mesh.errors import IdentityError
from mesh.identity import SpiffeId
from mesh.settings import SettingsError
from mesh.validation import violations

MOST_BYTES = 4 << 20
MOST_ENTRIES = 10_000

_PARTS = frozenset({"callers", "tenants"})
_RIGHTS = frozenset({"accounts", "foreign_references", "events"})


def load(path: Path) -> Tenants:
    """Reads `{"callers": {"spiffe://…": ["acme"]}, "tenants": {"acme": {"accounts": ["stripe/live"]}}}`.

    `"*"` stands for all tenants of a caller, for all tenants that have no entry of their own, and for all
    accounts of a provider. A tenant without an entry may use none. Secrets' paths count from the file.
    Raises SettingsError.
    """
    if path.stat().st_size > MOST_BYTES:
        raise SettingsError(f"{path.name} holds more than {MOST_BYTES} bytes")
    try:
        written = json.loads(path.read_bytes(), object_pairs_hook=_once)
    except ValueError:
        raise SettingsError(f"{path.name} is not JSON, or names a key twice") from None
    parts = _object(written, path.name, _PARTS)
    callers, tenants = (
        _object(parts.get(part, {}), f"{path.name} {part}") for part in ("callers", "tenants")
    )
    return Tenants(
        {_caller(c, path.name): _tenants(t, f"{path.name} callers.{c}") for c, t in callers.items()},
        {
            _tenant(t, f"{path.name} tenants"): _rights(r, f"{path.name} tenants.{t}", path.parent)
            for t, r in tenants.items()
        },
    )


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(pairs)) < len(pairs):
        raise ValueError("a key stands twice")
    return dict(pairs)


def _object(written: Any, place: str, names: frozenset[str] | None = None) -> Mapping[str, Any]:
    if not isinstance(written, dict) or len(written) > MOST_ENTRIES:
        raise SettingsError(f"{place} is not an object of at most {MOST_ENTRIES} entries")
    if names is not None and not written.keys() <= names:
        raise SettingsError(f"{place} may hold {', '.join(sorted(names))} only")
    return written


def _list(written: Any, place: str) -> list[Any]:
    if not isinstance(written, list) or len(written) > MOST_ENTRIES:
        raise SettingsError(f"{place} is not a list of at most {MOST_ENTRIES} entries")
    return written


def _caller(written: str, place: str) -> str:
    try:
        return str(SpiffeId.parse(written))
    except IdentityError as error:
        raise SettingsError(f"{place} callers holds what is {error}") from None


def _tenants(written: Any, place: str) -> frozenset[str]:
    return frozenset(_tenant(t, f"{place}[{n}]") for n, t in enumerate(_list(written, place)))


def _tenant(written: Any, place: str) -> str:
    if written != ANY and not _fits("tenant", written):
        raise SettingsError(f"{place} is, or holds, no name of a tenant")
    return str(written)


def _rights(written: Any, place: str, directory: Path) -> Rights:
    entry = _object(written, place, _RIGHTS)
    accounts: dict[str, frozenset[str]] = {}
    for n, text in enumerate(_list(entry.get("accounts", []), f"{place}.accounts")):
        provider, _, account = text.partition("/") if isinstance(text, str) else ("", "", "")
        if not _fits("provider", provider) or not (account == ANY or _fits("account", account)):
            raise SettingsError(f"{place}.accounts[{n}] is not provider/account, nor provider/*")
        accounts[provider] = accounts.get(provider, frozenset()) | {account}
    if not isinstance(foreign := entry.get("foreign_references", False), bool):
        raise SettingsError(f"{place}.foreign_references is not true or false")
    return Rights(accounts, foreign, _endpoint(entry, place, directory))


def _endpoint(rights: Mapping[str, Any], place: str, directory: Path) -> Endpoint | None:
    if "events" not in rights:
        return None
    entry = FileEntry.of(rights["events"], f"{place}.events", directory)
    entry.only("url", "secret_file", "allow_private")
    url, allow_private = entry.url(plain_only_to_loopback=True), entry.flag("allow_private")
    if not allow_private and is_private(url):
        raise entry.wrong("url", "lies in our own network, which the entry does not allow")
    return Endpoint(url, entry.keys("secret_file"), allow_private)


def _fits(field: str, value: Any) -> bool:
    """Whether a request of the contract could hold it."""
    if not isinstance(value, str) or not value or not value.isascii():
        return False
    context = RequestContext(request_id="x", tenant="x")
    setattr(context, field, value)
    return not violations(context)
