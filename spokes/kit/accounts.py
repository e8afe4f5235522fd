"""Accounts at the provider: where it is and how we prove who we are. Secrets never show themselves."""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from spokes.kit.errors import UnknownAccount


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
