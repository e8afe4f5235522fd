"""The file of accounts: all that goes onto the wire is checked at start. No error shows a value."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from mesh.webhook_keys import standard_key
from spokes.kit.accounts import Account, Secret, is_loopback
from spokes.kit.errors import BadAccounts
from spokes.kit.manifest import Manifest, Scheme

LEAST_SECRET: Final = 16
"""Characters of a webhook secret that is a key as it is."""

_USUAL: Final = frozenset({"base_url", "sandbox", "api_key", "webhook_secrets", "limits"})
_PLAIN: Final = re.compile(r"[\x21-\x7e]([\x20-\x7e]{0,4094}[\x21-\x7e])?").fullmatch
_URL: Final = re.compile(
    r"(?P<scheme>[a-z]+)://(?:[A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::(?P<port>[0-9]{1,5}))?"
    r"(?:/(?:[A-Za-z0-9._~-]|%[0-9A-Fa-f]{2})+)*/?"
).fullmatch


def load_accounts(path: Path, manifest: Manifest) -> dict[str, Account]:
    """Reads `{name: {base_url, sandbox?, api_key?, webhook_secrets?, limits?, ...}}`; raises BadAccounts.

    Beside these an account has the keys that the manifest's `account_keys` name.
    """
    try:
        rows = json.loads(path.read_bytes())
    except (OSError, ValueError):
        raise BadAccounts(f"cannot read {path} as JSON") from None
    names = set(manifest.accounts)
    if not isinstance(rows, dict) or set(rows) != names:
        raise BadAccounts(f"{path} must name exactly the manifest's accounts: {', '.join(sorted(names))}")
    accounts = {name: _account(name, row, manifest) for name, row in rows.items()}
    for account in accounts.values():
        _refuse_elsewhere(account, manifest)
    return accounts


def _account(name: str, row: object, manifest: Manifest) -> Account:
    if not isinstance(row, dict):
        raise BadAccounts(f"{name}: not an object")
    known = _USUAL | set(manifest.account_keys)
    for key in row:
        if key not in known:
            shown = f".{key}" if _PLAIN(key) else ""
            raise BadAccounts(f"{name}{shown}: no such key; there are {', '.join(sorted(known))}")
    sandbox, limits = row.get("sandbox", False), row.get("limits", {})
    if not isinstance(sandbox, bool):
        raise BadAccounts(f"{name}.sandbox: not true or false")
    if not isinstance(limits, dict):
        raise BadAccounts(f"{name}.limits: not an object")
    return Account(
        name=name,
        base_url=_base_url(name, row),
        sandbox=sandbox,
        api_key=Secret(_text(name, row, "api_key") if "api_key" in row else ""),
        webhook_secrets=_webhook_secrets(name, row, manifest.webhook.scheme),
        limits=limits,
        extra={key: _own(name, row, key, fits) for key, fits in manifest.account_keys.items() if key in row},
    )


def _text(name: str, row: Mapping[str, object], key: str) -> str:
    value = row.get(key)
    if not isinstance(value, str) or not value:
        raise BadAccounts(f"{name}.{key}: missing, or not a text")
    if not _PLAIN(value):
        raise BadAccounts(f"{name}.{key}: not printable ASCII without a blank or a new line at its ends")
    return value


def _own(name: str, row: Mapping[str, object], key: str, fits: re.Pattern[str]) -> str:
    value = _text(name, row, key)
    if not fits.fullmatch(value):
        raise BadAccounts(f"{name}.{key}: not written as {fits.pattern}")
    return value


def _base_url(name: str, row: Mapping[str, object]) -> str:
    value = _text(name, row, "base_url")
    parts = _URL(value)
    if parts is None or not 0 < int(parts["port"] or 1) < 65536:
        raise BadAccounts(f"{name}.base_url: not an address of scheme, host, port and path, and no more")
    return value.rstrip("/")


def _webhook_secrets(name: str, row: Mapping[str, object], scheme: Scheme) -> tuple[Secret, ...]:
    given = row.get("webhook_secrets", [])
    if not isinstance(given, list):
        raise BadAccounts(f"{name}.webhook_secrets: not a list of texts")
    secrets = {f"webhook_secrets[{place}]": secret for place, secret in enumerate(given)}
    return tuple(Secret(_webhook_secret(name, secrets, key, scheme)) for key in secrets)


def _webhook_secret(name: str, secrets: Mapping[str, object], key: str, scheme: Scheme) -> str:
    secret = _text(name, secrets, key)
    if scheme is Scheme.STANDARD:
        try:
            standard_key(secret)
        except ValueError as unfit:
            raise BadAccounts(f"{name}.{key}: {unfit}") from None
    elif len(secret) < LEAST_SECRET:
        raise BadAccounts(f"{name}.{key}: of less than {LEAST_SECRET} characters")
    return secret


def _refuse_elsewhere(account: Account, manifest: Manifest) -> None:
    if account.sandbox:
        if not is_loopback(account.host) and account.host not in manifest.egress:
            raise BadAccounts(f"{account.name}.base_url: neither loopback nor one of the egress hosts")
    elif account.host not in manifest.egress:
        raise BadAccounts(
            f"{account.name}.base_url: not one of the manifest's egress hosts (loopback needs sandbox: true)"
        )
    scheme = urlsplit(account.base_url).scheme
    if scheme not in {manifest.protocol, f"{manifest.protocol}s"}:
        raise BadAccounts(f"{account.name}.base_url: the provider speaks {manifest.protocol}")
    if not account.sandbox and scheme == "http":
        raise BadAccounts(f"{account.name}.base_url: a real provider needs TLS")
