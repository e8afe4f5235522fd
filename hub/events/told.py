"""What a provider says that no job's own work answers, as it is told to those whom it concerns."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum

from hub.jobs.agreeing import Sum
from hub.jobs.contradicting import Proposal
from hub.jobs.model import JobState


class EventKind(IntEnum):
    """What a provider's word is. The numbers are those of the contract and of the store."""

    CONTRADICTION = 1
    DISPUTE = 2
    REVERSAL = 3
    BOUNCE = 4
    INBOUND = 5
    OTHER = 6


@dataclass(frozen=True, slots=True)
class Side:
    """What one side says: a word for how it stands, its id of it, and the money."""

    word: str = ""
    reference: str = ""
    amount: Sum | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """One event. `job_id` is empty, and `state` None, where no job is known; `tenant` is empty then too."""

    cursor: int
    tenant: str
    kind: EventKind
    lane: str
    event_id: str
    type: str
    kept_at: datetime
    happened_at: datetime | None
    job_id: str
    operation: str
    state: JobState | None
    job: Side
    provider: Side
    differs: str
    proposal: Proposal


@dataclass(frozen=True, slots=True)
class EndpointView:
    """How what a tenant's endpoint should take stands. `oldest`, `off_at`: None where there is none."""

    tenant: str
    waiting: int
    given_up: int
    oldest: datetime | None
    reason: str
    off_at: datetime | None


PROPOSALS: Mapping[EventKind, Proposal] = {
    EventKind.DISPUTE: Proposal.INVESTIGATE,
    EventKind.REVERSAL: Proposal.INVESTIGATE,
    EventKind.BOUNCE: Proposal.INVESTIGATE,
    EventKind.INBOUND: Proposal.NOTHING,
    EventKind.OTHER: Proposal.NOTHING,
}
"""What is proposed for what concerns a job but does not contradict it."""
