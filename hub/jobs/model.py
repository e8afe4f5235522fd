"""What a job is, where it can stand, and where it can go from there."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import IntEnum


class JobState(IntEnum):
    """Where a job stands. The numbers are those of the contract and of the store."""

    QUEUED = 1
    RUNNING = 2
    WAITING_CONFIRMATION = 3
    RETRY_WAIT = 4
    IN_DOUBT = 5
    SUCCEEDED = 6
    DECLINED = 7
    DEAD = 8
    CANCELLED = 9
    EXPIRED = 10


_S = JobState

TRANSITIONS: Mapping[JobState, frozenset[JobState]] = {
    _S.QUEUED: frozenset({_S.RUNNING, _S.CANCELLED, _S.EXPIRED}),
    _S.RUNNING: frozenset(
        {_S.SUCCEEDED, _S.DECLINED, _S.WAITING_CONFIRMATION, _S.RETRY_WAIT, _S.IN_DOUBT, _S.DEAD}
    ),
    _S.RETRY_WAIT: frozenset(
        {_S.RUNNING, _S.IN_DOUBT, _S.CANCELLED, _S.DEAD, _S.SUCCEEDED, _S.DECLINED, _S.EXPIRED}
    ),
    _S.WAITING_CONFIRMATION: frozenset({_S.SUCCEEDED, _S.DECLINED, _S.IN_DOUBT, _S.EXPIRED}),
    _S.IN_DOUBT: frozenset({_S.SUCCEEDED, _S.DECLINED, _S.WAITING_CONFIRMATION, _S.RETRY_WAIT, _S.DEAD}),
    _S.SUCCEEDED: frozenset(),
    _S.DECLINED: frozenset(),
    _S.DEAD: frozenset({_S.RETRY_WAIT, _S.IN_DOUBT, _S.SUCCEEDED, _S.DECLINED, _S.CANCELLED}),
    _S.CANCELLED: frozenset(),
    _S.EXPIRED: frozenset(),
}
"""Every change of state that can happen; the README's diagram is made from it."""

FINAL = frozenset(state for state, successors in TRANSITIONS.items() if not successors)
"""States that a job never leaves."""

SETTLED = FINAL | {_S.DEAD}
"""States in which nothing more happens by itself: a dead letter waits for a person."""

NOT_BEGUN = frozenset({_S.QUEUED, _S.RETRY_WAIT})
"""States in which certainly nothing has been done, so that the job can be withdrawn."""


LONGEST_LIFE = timedelta(days=400)
"""The longest time that a job can be given to be done in."""


class Purpose(IntEnum):
    """What an attempt is for."""

    EXECUTE = 1
    LOOK_UP = 2
    READ = 3
    CANCEL = 4


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How attempts are repeated."""

    max_attempts: int
    initial_backoff: timedelta
    max_backoff: timedelta


@dataclass(frozen=True, slots=True)
class Origin:
    """Who asked: Core's identity, whom it acts for, and its trace."""

    actor: str
    principal: str = ""
    trace: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Work:
    """What is to be done: the request as Core sent it, and how the provider will know it."""

    operation: str
    request_type: str
    request: bytes
    salt: bytes
    provider_key: str


@dataclass(frozen=True, slots=True)
class NewJob:
    """A request on its way into the store. `expire_at` is aware UTC."""

    job_id: str
    tenant: str
    request_id: str
    fingerprint: bytes
    provider: str
    account: str
    priority: int
    expire_at: datetime
    policy: RetryPolicy
    labels: Mapping[str, str]
    origin: Origin
    work: Work

    @property
    def lane(self) -> str:
        """The lane that will work on it."""
        return lane_id(self.provider, self.account)


@dataclass(frozen=True, slots=True)
class Cancel:
    """Who withdraws a job, why, and under which ticket."""

    actor: str
    reason: str = ""
    ticket: str = ""


@dataclass(frozen=True, slots=True)
class Job:
    """A job as it stands in the store."""

    job_id: str
    state: JobState
    operation: str
    provider: str
    account: str
    tenant: str
    request_id: str
    attempt_count: int
    created_at: datetime
    updated_at: datetime
    expire_at: datetime
    due_at: datetime | None
    provider_reference: str
    reason: str
    message: str
    result_type: str
    result: bytes
    labels: Mapping[str, str]
    proven: bool
    cancel: Cancel | None = None


@dataclass(frozen=True, slots=True)
class Claimed:
    """A job whose next attempt the lane's owner has claimed.

    `losses` counts the attempts whose worker died; `reason` is that of the last outcome; `doubted`: an
    attempt may have had an effect.
    """

    job_id: str
    seq: int
    purpose: Purpose
    state: JobState
    attempt_count: int
    tenant: str
    provider: str
    account: str
    provider_reference: str
    created_at: datetime
    claimed_at: datetime
    expire_at: datetime
    policy: RetryPolicy
    origin: Origin
    work: Work
    term: int
    losses: int = 0
    reason: str = ""
    doubted: bool = False

    @property
    def attempt_id(self) -> str:
        """The attempt's id in the contracts and in the log."""
        return f"{self.job_id}.{self.seq}"


@dataclass(frozen=True, slots=True)
class Ending:
    """How a job ended, as the store has it."""

    state: JobState
    attempt_count: int
    at: datetime
    reason: str
    message: str
    provider_reference: str
    result_type: str
    result: bytes


@dataclass(frozen=True, slots=True)
class Event:
    """A job as of one change of its state."""

    cursor: int
    job: Job

    @property
    def tenant(self) -> str:
        """Who owns the job."""
        return self.job.tenant

    @property
    def job_id(self) -> str:
        """Which job."""
        return self.job.job_id


def lane_id(provider: str, account: str) -> str:
    """The name of the lane of one account at one provider."""
    return f"{provider}/{account}"


def queued(new: NewJob, created_at: datetime) -> Job:
    """The job that a request has just become."""
    return Job(
        job_id=new.job_id,
        state=JobState.QUEUED,
        operation=new.work.operation,
        provider=new.provider,
        account=new.account,
        tenant=new.tenant,
        request_id=new.request_id,
        attempt_count=0,
        created_at=created_at,
        updated_at=created_at,
        expire_at=new.expire_at,
        due_at=created_at,
        provider_reference="",
        reason="",
        message="",
        result_type="",
        result=b"",
        labels=new.labels,
        proven=False,
    )


def ended(new: NewJob, created_at: datetime, ending: Ending) -> Job:
    """The job that a request became, at its end. Its evidence is still on its way to the log."""
    return replace(
        queued(new, created_at),
        state=ending.state,
        attempt_count=ending.attempt_count,
        updated_at=ending.at,
        due_at=None,
        provider_reference=ending.provider_reference,
        reason=ending.reason,
        message=ending.message,
        result_type=ending.result_type,
        result=ending.result,
    )
