"""What the hub can refuse.

JobError
├── KeyReused          the idempotency key belongs to a job with other content
├── JobNotFound        the tenant has no job of that id
├── NotCancellable     an attempt may already have had an effect
├── UnknownProvider    no spoke of that name offers the operation
├── ProviderNotReady   its spoke has not said yet what it offers
├── UnknownAccount     the spoke has no such account
├── ProviderAmbiguous  several spokes offer the operation and none was named
├── TenantNotPermitted the caller may not act for the tenant
├── FieldRefused       what a field of the request names is not the tenant's
│   ├── AccountNotAllowed  the account
│   └── ReferenceNotYours  the earlier work at the provider
├── AlreadyExpired     the request's expiry lies in the past
├── Overloaded         the hub takes no more for now
├── StoreUnavailable   the hub's database is away
│   └── StoreConflict  two changes stood in each other's way, and this one was undone
├── TooManyStreams     the tenant follows as many streams as it may
├── CursorOutOfRange   the cursor is not one of this history of events
├── BacklogFull        the lane holds as many unfinished jobs as it may
├── QuotaExceeded      the tenant has, or asks, more than it may
├── LaneClosed         an operator lets the lane take no new jobs
├── ReadRefused        a read was not made, or has no result
│   ├── LaneHeld          its lane lets no calls through for now
│   ├── ReadsBusy         as many reads are under way as this replica may make
│   ├── LogAway           the audit log takes no intents, so nothing was sent
│   ├── IntentRefused     the audit log refuses the intent, so nothing was sent
│   ├── ReadDeclined      the provider says no
│   ├── ReadImpossible    the spoke or the provider cannot carry it
│   ├── ReadUnanswered    the provider, or its spoke, gave no answer
│   └── ReadTooLate       the caller's time was over first
├── UnknownLane        there is no lane of that name
├── LetterNotFound     the job has never been a dead letter
├── NotResolvable      the job is not parked in doubt
├── PlanNotFound       there is no plan of that id
├── PlanRefused        the filter does not make a plan
├── PlanTooLarge       the filter matches too much
├── PlanNotApprovable  the plan does not stand where this could be done to it
├── SecondPersonNeeded another person must approve the plan, or confirm what this one says
└── LaneLost           another replica owns the lane (never shown to callers)
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import NamedTuple


class Fault(NamedTuple):
    """The field of a request that is at fault, and what is wrong with it."""

    field: str
    description: str


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


class ProviderNotReady(JobError):
    """The spoke has not said yet what it offers: this replica has just started, or the spoke is down."""

    reason = "PROVIDER_NOT_READY"
    retry_after = timedelta(seconds=1)


class UnknownAccount(JobError):
    """The spoke has no such account."""

    reason = "UNKNOWN_ACCOUNT"


class ProviderAmbiguous(JobError):
    """Several spokes offer the operation and the request names none."""

    reason = "PROVIDER_AMBIGUOUS"


class TenantNotPermitted(JobError):
    """The caller may not act for the tenant."""

    reason = "TENANT_NOT_PERMITTED"


class FieldRefused(JobError):
    """What a field of the request names is not the tenant's; `field` is its path."""

    fault = ""

    def __init__(self, message: str, *, field: str, **metadata: str) -> None:
        super().__init__(message, **metadata)
        self.violations: Sequence[Fault] = (Fault(field, self.fault),)


class AccountNotAllowed(FieldRefused):
    """The tenant may not use the account."""

    reason = "ACCOUNT_NOT_ALLOWED"
    fault = "is not among what the tenant may use"


class ReferenceNotYours(FieldRefused):
    """No job of the tenant has made, at that account, the work that the request names."""

    reason = "REFERENCE_NOT_YOURS"
    fault = "names no work of the tenant's own"


class AlreadyExpired(JobError):
    """The request's expiry lies in the past."""

    reason = "ALREADY_EXPIRED"


class Overloaded(JobError):
    """The hub takes no more for now; come back after `retry_after`."""

    reason = "OVERLOADED"
    retry_after = timedelta(seconds=1)


class StoreUnavailable(JobError):
    """The hub's database is away. What was asked may have been stored: the same key finds out."""

    reason = "STORE_UNAVAILABLE"
    retry_after = timedelta(seconds=1)


class StoreConflict(StoreUnavailable):
    """Two changes stood in each other's way and the database has undone this one: again, it goes through."""

    reason = "STORE_CONFLICT"


class TooManyStreams(JobError):
    """The tenant follows as many streams of events of this replica as it may."""

    reason = "TOO_MANY_STREAMS"
    retry_after = timedelta(seconds=5)


class CursorOutOfRange(JobError):
    """The cursor lies beyond the newest, or in another history: the database is not what it was.

    Metadata names the newest cursor and the history.
    """

    reason = "CURSOR_OUT_OF_RANGE"


class BacklogFull(JobError):
    """The lane holds as many unfinished jobs as it may; nothing was stored."""

    reason = "BACKLOG_FULL"
    retry_after = timedelta(seconds=5)


class QuotaExceeded(JobError):
    """The tenant has as many unfinished jobs, or asks as often, as it may; nothing was stored."""

    reason = "QUOTA_EXCEEDED"
    retry_after = timedelta(seconds=5)

    def __init__(self, message: str, *, retry_after: timedelta | None = None, **metadata: str) -> None:
        super().__init__(message, **metadata)
        if retry_after is not None:
            self.retry_after = retry_after


class LaneClosed(JobError):
    """An operator lets the lane take no new jobs for now; nothing was stored."""

    reason = "LANE_CLOSED"
    retry_after = timedelta(seconds=30)


class ReadRefused(JobError):
    """A read was not made, or has no result. It has changed nothing, so it may be made again."""

    def __init__(self, message: str, *, retry_after: timedelta | None = None, **metadata: str) -> None:
        super().__init__(message, **metadata)
        if retry_after is not None:
            self.retry_after = retry_after


class LaneHeld(ReadRefused):
    """The lane lets no calls through for now: its breaker is open, its provider wants a wait, or an operator
    holds it.
    """

    reason = "LANE_HELD"
    retry_after = timedelta(seconds=1)


class ReadsBusy(ReadRefused):
    """As many reads are under way, or have been made just now, as this replica may make in the lane."""

    reason = "READS_BUSY"
    retry_after = timedelta(milliseconds=100)


class LogAway(ReadRefused):
    """The audit log takes no intents, so nothing was sent."""

    reason = "AUDIT_UNAVAILABLE"
    retry_after = timedelta(seconds=1)


class IntentRefused(ReadRefused):
    """The audit log refuses the intent and always will, so nothing was sent."""

    reason = "INTENT_REFUSED"


class ReadDeclined(ReadRefused):
    """The provider says no; metadata holds its `provider_code`."""

    reason = "PROVIDER_DECLINED"


class ReadImpossible(ReadRefused):
    """The spoke or the provider cannot carry it; metadata holds the `provider_code`."""

    reason = "READ_IMPOSSIBLE"


class ReadUnanswered(ReadRefused):
    """The provider, or its spoke, gave no answer; metadata holds the `provider_code`."""

    reason = "READ_UNANSWERED"
    retry_after = timedelta(seconds=1)


class ReadTooLate(ReadRefused):
    """The caller's time was over before there was an answer."""

    reason = "READ_TOO_LATE"


class UnknownLane(JobError):
    """There is no lane of that name."""

    reason = "UNKNOWN_LANE"


class LetterNotFound(JobError):
    """The job has never been a dead letter."""

    reason = "DEAD_LETTER_NOT_FOUND"


class NotResolvable(JobError):
    """The job is not parked in doubt."""

    reason = "NOT_RESOLVABLE"


class PlanNotFound(JobError):
    """There is no plan of that id."""

    reason = "PLAN_NOT_FOUND"


class PlanRefused(JobError):
    """The filter does not make a plan."""

    reason = "PLAN_REFUSED"


class PlanTooLarge(JobError):
    """The filter matches more than one plan may hold."""

    reason = "PLAN_TOO_LARGE"


class PlanNotApprovable(JobError):
    """The plan does not stand where this could be done to it."""

    reason = "PLAN_NOT_APPROVABLE"


class SecondPersonNeeded(JobError):
    """Another person must approve the plan, or confirm what this one has said of a job."""

    reason = "SECOND_PERSON_NEEDED"


class LaneLost(JobError):
    """Another replica owns the lane; what this one still writes is refused."""

    reason = "LANE_LOST"
