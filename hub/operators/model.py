"""Lanes, attempts and dead letters as operators see them."""

from dataclasses import dataclass
from datetime import datetime

from hub.jobs.letters import Cause
from hub.jobs.model import Job, Purpose
from hub.lanes.breaker import BreakerState
from hub.lanes.model import LaneMode


@dataclass(frozen=True, slots=True)
class LaneView:
    """A lane as it stands in the store; `oldest_seconds` is None if no job could go now."""

    lane: str
    mode: LaneMode
    mode_actor: str
    mode_reason: str
    mode_at: datetime | None
    owner: str
    term: int
    lease_until: datetime | None
    breaker_state: BreakerState
    breaker_until: datetime | None
    breaker_at: datetime | None
    breaker_reason: str
    breaker_trips: int
    throttled_until: datetime | None
    waiting: int
    running: int
    unconfirmed: int
    in_doubt: int
    oldest_seconds: float | None
    letters: int


@dataclass(frozen=True, slots=True)
class AttemptView:
    """One try as the store has it."""

    attempt_id: str
    purpose: Purpose
    outcome: str
    reason: str
    claimed_at: datetime
    settled_at: datetime | None


@dataclass(frozen=True, slots=True)
class LetterView:
    """A dead letter as it stands in the store."""

    job_id: str
    cause: Cause
    entered_at: datetime
    left_at: datetime | None
    left_by: str
    alert_key: str


@dataclass(frozen=True, slots=True)
class LetterGroup:
    """Open dead letters that have something in common."""

    lane: str
    cause: Cause
    reason: str
    count: int


@dataclass(frozen=True, slots=True)
class Proposal:
    """That a job was not done, as one person says, for another one to confirm until `expire_at`."""

    actor: str
    reason: str
    ticket: str
    created_at: datetime
    expire_at: datetime


@dataclass(frozen=True, slots=True)
class Resolved:
    """A job after a person has spoken; `proposal`: another one must say the same."""

    job: Job
    proposal: Proposal | None = None
