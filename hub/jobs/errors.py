"""What the hub can refuse.

JobError
├── KeyReused          the idempotency key belongs to a job with other content
├── JobNotFound        the tenant has no job of that id
├── NotCancellable     an attempt may already have had an effect
├── UnknownProvider    no spoke of that name offers the operation
├── UnknownAccount     the spoke has no such account
├── ProviderAmbiguous  several spokes offer the operation and none was named
├── TenantNotPermitted the caller may not act for the tenant
├── AlreadyExpired     the request's expiry lies in the past
├── Overloaded         the hub takes no more for now
└── LaneLost           another replica owns the lane (never shown to callers)
"""

from collections.abc import Mapping
from datetime import timedelta


class JobError(Exception):
    """The hub refuses; `reason` is what clients branch on."""

    reason = "JOB_ERROR"
    retry_after: timedelta | None = None

    def __init__(self, message: str, **metadata: str) -> None:
        super().__init__(message)
        self.metadata: Mapping[str, str] = metadata


class KeyReused(JobError):
    """The idempotency key belongs to a job with other content; metadata names that job."""

    reason = "REQUEST_ID_REUSED"


class JobNotFound(JobError):
    """The tenant has no job of that id."""

    reason = "JOB_NOT_FOUND"


class NotCancellable(JobError):
    """An attempt may already have had an effect."""

    reason = "NOT_CANCELLABLE"


class UnknownProvider(JobError):
    """No spoke of that name offers the operation."""

    reason = "UNKNOWN_PROVIDER"


class UnknownAccount(JobError):
    """The spoke has no such account."""

    reason = "UNKNOWN_ACCOUNT"


class ProviderAmbiguous(JobError):
    """Several spokes offer the operation and the request names none."""

    reason = "PROVIDER_AMBIGUOUS"


class TenantNotPermitted(JobError):
    """The caller may not act for the tenant."""

    reason = "TENANT_NOT_PERMITTED"


class AlreadyExpired(JobError):
    """The request's expiry lies in the past."""

    reason = "ALREADY_EXPIRED"


class Overloaded(JobError):
    """The hub takes no more for now; come back after `retry_after`."""

    reason = "OVERLOADED"
    retry_after = timedelta(seconds=1)


class LaneLost(JobError):
    """Another replica owns the lane; what this one still writes is refused."""

    reason = "LANE_LOST"
