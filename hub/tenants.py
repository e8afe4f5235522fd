"""Which caller may act for which tenant, and what each tenant may use."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from hub.errors import AccountNotAllowed, TenantNotPermitted
from mesh.caller import current_caller

ANY = "*"
ACROSS_TENANTS = frozenset({"operator", "auditor"})
USUAL_ACCOUNT = "default"

_NO_ACCOUNTS: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a tenant wants to be told. Every key signs. `allow_private`: it may be in our own network."""

    url: str = field(repr=False)
    keys: tuple[bytes, ...] = field(repr=False)
    allow_private: bool = False

    @property
    def mark(self) -> str:
        """Another one for another address or other keys; tells neither."""
        return hashlib.sha256(b"\0".join([self.url.encode(), *self.keys])).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class Rights:
    """What one tenant may use: accounts by provider, where `*` stands for all of a provider's.

    `foreign_references`: its requests may name work that none of its own jobs has made. `events`: where what
    providers say is posted.
    """

    accounts: Mapping[str, frozenset[str]] = field(default_factory=dict)
    foreign_references: bool = False
    events: Endpoint | None = None

    def account(self, provider: str, named: str) -> str:
        """The account for a request that may leave it empty; raises AccountNotAllowed."""
        allowed = self.accounts.get(provider, _NO_ACCOUNTS)
        account = named or _only(allowed) or USUAL_ACCOUNT
        if not allowed & {account, ANY}:
            raise AccountNotAllowed(
                f"the tenant may not use account {account} of {provider}",
                field="context.account" if allowed else "context.provider",
                provider=provider,
                account=account,
            )
        return account


NOTHING = Rights()


class Tenants:
    """Callers → tenants, and tenants → rights; what stands in neither is not allowed."""

    def __init__(self, callers: Mapping[str, frozenset[str]], rights: Mapping[str, Rights]) -> None:
        self._callers = callers
        self._rights = rights

    def check(self, tenant: str) -> None:
        """Raises TenantNotPermitted unless the current caller may act for `tenant`."""
        caller = current_caller()
        allowed = self._callers.get(str(caller), frozenset())
        if caller.role not in ACROSS_TENANTS and not allowed & {tenant, ANY}:
            raise TenantNotPermitted(f"{caller} may not act for tenant {tenant}", tenant=tenant)

    def is_guest(self) -> bool:
        """Whether the current caller sees all tenants' jobs, and so no secrets of theirs."""
        return current_caller().role in ACROSS_TENANTS

    def rights(self, tenant: str) -> Rights:
        """A tenant's rights: its own entry, or that of `*`."""
        return self._rights.get(tenant) or self._rights.get(ANY, NOTHING)


def _only(allowed: frozenset[str]) -> str:
    return next(iter(allowed)) if len(allowed) == 1 and ANY not in allowed else ""
