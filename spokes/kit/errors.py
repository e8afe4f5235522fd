"""What a spoke can fail with.

SpokeError
├── BadManifest          spoke.toml breaks its rules; names the key
├── BadAccounts          the accounts file breaks its rules; names the key, never the value
├── BadSpoke             the folder's code does not keep what the manifest says
├── UnknownSpoke         no folder of that name
├── UnknownCapability    no contract of that name
├── UnknownAccount       the manifest has no such account
├── NotOffered           the spoke does not offer what was asked
├── WarrantRefused       the intent, or its way into the log, does not prove itself
├── WebhookRefused       a webhook that is forged, stale, from the future, or not readable
├── ListRefused          the provider will not list its events; the reason is its status, or ours
├── ProviderUnavailable  the provider could not be asked
│   └── NotListed        it did not list its events just now; the reason says why
├── PoolOverloaded       no room for more work, or no actor to do it
├── ActorLost            the process that had the work is gone: the work may have been done
└── Interrupted          a provider call that ended without an answer; carries the outcome
"""

from typing import Final

from mesh.told import MESH, Trees
from spokes.kit.outcome import NotSent, Unknown


class SpokeError(Exception):
    """Something of the spoke's own; `reason` is what callers branch on."""

    reason: str = "SPOKE_FAULT"


class BadManifest(SpokeError):
    """spoke.toml breaks its rules."""

    reason = "BAD_MANIFEST"


class BadAccounts(SpokeError):
    """The accounts file breaks its rules."""

    reason = "BAD_ACCOUNTS"


class BadSpoke(SpokeError):
    """The folder's code does not keep what the manifest says."""

    reason = "BAD_SPOKE"


class UnknownSpoke(SpokeError):
    """No folder of that name."""

    reason = "UNKNOWN_SPOKE"


class UnknownCapability(SpokeError):
    """No contract of that name."""

    reason = "UNKNOWN_CAPABILITY"


class UnknownAccount(SpokeError):
    """The manifest has no such account."""

    reason = "UNKNOWN_ACCOUNT"


class NotOffered(SpokeError):
    """The spoke does not offer what was asked."""

    reason = "NOT_OFFERED"


class WarrantRefused(SpokeError):
    """The intent, or its way into the log, does not prove itself."""

    reason = "NO_RECEIPT"


class WebhookRefused(SpokeError):
    """A webhook that is forged, stale, from the future, or not readable."""

    reason = "WEBHOOK_REFUSED"


class ProviderUnavailable(SpokeError):
    """The provider could not be asked."""

    reason = "PROVIDER_UNAVAILABLE"


class ListRefused(SpokeError):
    """The provider will not list its events: asking again is useless."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"the provider will not list its events: {reason}")
        self.reason = reason


class NotListed(ProviderUnavailable):
    """The provider did not list its events just now."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"the provider did not list its events: {reason}")
        self.reason = reason


class PoolOverloaded(SpokeError):
    """No room for more work, or no actor to do it."""

    reason = "POOL_OVERLOADED"


class ActorLost(SpokeError):
    """The process that had the work is gone: the work may have been done."""

    reason = "ACTOR_LOST"


class Interrupted(SpokeError):
    """A provider call that ended without an answer the handler could use."""

    reason = "INTERRUPTED"

    def __init__(self, outcome: NotSent | Unknown) -> None:
        super().__init__(outcome.reason)
        self.outcome = outcome


OWN: Final[Trees] = (*MESH, SpokeError)
"""The errors whose texts a spoke may log."""
