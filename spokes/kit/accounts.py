"""Accounts at the provider: where it is and how we prove who we are. Secrets never show themselves."""

import ipaddress
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from spokes.kit.errors import BadAccounts, UnknownAccount

_KNOWN: Final = frozenset({"base_url", "sandbox", "api_key", "webhook_secrets", "limits"})


class Secret:
    """A text that is only shown to who asks for it by `reveal`."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text itself, for the wire."""
        return self._text

    def __repr__(self) -> str:
        return "Secret(...)"

    def __bool__(self) -> bool:
        return bool(self._text)


@dataclass(frozen=True, slots=True)
class Account:
    """One account. `sandbox` permits a loopback address; `limits` overrule the manifest's; `extra` holds what
    only this provider needs.
    """

    name: str
    base_url: str
    sandbox: bool = False
    api_key: Secret = field(default_factory=lambda: Secret(""))
    webhook_secrets: tuple[Secret, ...] = ()
    limits: Mapping[str, object] = field(default_factory=dict)
    extra: Mapping[str, str] = field(default_factory=dict)

    @property
    def host(self) -> str:
        """The host of the base URL."""
        return urlsplit(self.base_url).hostname or ""

    @property
    def port(self) -> int | None:
        """The port of the base URL, if it names one."""
        return urlsplit(self.base_url).port


def load_accounts(path: Path, *, names: frozenset[str], egress: frozenset[str]) -> dict[str, Account]:
    """Reads `{name: {base_url, sandbox?, api_key?, webhook_secrets?, limits?, ...}}`; raises BadAccounts."""
    try:
        rows = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise BadAccounts(f"cannot read {path} as JSON") from error
    if not isinstance(rows, dict) or set(rows) != names:
        raise BadAccounts(f"{path} must name exactly the manifest's accounts: {', '.join(sorted(names))}")
    accounts = {name: _account(name, row) for name, row in rows.items()}
    for account in accounts.values():
        _refuse_elsewhere(account, egress)
    return accounts


def find(accounts: Mapping[str, Account], name: str) -> Account:
    """The account of that name; raises UnknownAccount."""
    if name not in accounts:
        raise UnknownAccount(f"there is no account {name}")
    return accounts[name]


def is_loopback(host: str) -> bool:
    """Whether a host is this machine, by literal address or as localhost."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _account(name: str, row: object) -> Account:
    if not isinstance(row, dict):
        raise BadAccounts(f"{name}: not an object")
    sandbox, secrets = row.get("sandbox", False), row.get("webhook_secrets", [])
    limits = row.get("limits", {})
    if not isinstance(sandbox, bool):
        raise BadAccounts(f"{name}.sandbox: not true or false")
    if not isinstance(secrets, list) or not all(isinstance(s, str) and s for s in secrets):
        raise BadAccounts(f"{name}.webhook_secrets: not a list of texts")
    if not isinstance(limits, dict):
        raise BadAccounts(f"{name}.limits: not an object")
    return Account(
        name=name,
        base_url=_text(name, row, "base_url").rstrip("/"),
        sandbox=sandbox,
        api_key=Secret(_text(name, row, "api_key") if "api_key" in row else ""),
        webhook_secrets=tuple(Secret(s) for s in secrets),
        limits=limits,
        extra={key: _text(name, row, key) for key in row if key not in _KNOWN},
    )


def _text(name: str, row: Mapping[str, object], key: str) -> str:
    value = row.get(key)
    if not isinstance(value, str) or not value:
        raise BadAccounts(f"{name}.{key}: missing, or not a text")
    return value


def _refuse_elsewhere(account: Account, egress: frozenset[str]) -> None:
    parts = urlsplit(account.base_url)
    if parts.username or parts.query or parts.fragment or not account.host:
        raise BadAccounts(f"{account.name}.base_url: only scheme, host, port and path")
    if account.sandbox:
        if not is_loopback(account.host) and account.host not in egress:
            raise BadAccounts(f"{account.name}.base_url: neither loopback nor one of the egress hosts")
        return
    if account.host not in egress:
        raise BadAccounts(
            f"{account.name}.base_url: not one of the manifest's egress hosts (loopback needs sandbox: true)"
        )
    if parts.scheme not in {"https", "smtps", "smtp"}:
        raise BadAccounts(f"{account.name}.base_url: a real provider needs TLS")
