"""What a read is made of."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from hub.jobs.model import Claimed, JobState, NewJob, Purpose
from hub.lanes.breaker import BreakerState

NO_TERM = 1
"""A read needs no owner; the contract wants a number."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the provider has said, and under which id the log proves it. `age` None: it was asked just now."""

    read_id: str
    result_type: str
    result: bytes
    age: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """What holds a lane back, in seconds from when it was read. `works`: no operator holds it."""

    works: bool = True
    breaker: BreakerState = BreakerState.CLOSED
    open_seconds: float = 0.0
    throttled_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Standings:
    """How many replicas live, and the lanes that something holds back."""

    replicas: int = 1
    lanes: Mapping[str, Standing] = field(default_factory=dict)


def first_try(new: NewJob, now: datetime, until: datetime) -> Claimed:
    """The first attempt of a read, to be begun by `until`: what a job would be, but for the job."""
    return Claimed(
        job_id=new.job_id,
        seq=1,
        purpose=Purpose.READ,
        state=JobState.RUNNING,
        attempt_count=1,
        tenant=new.tenant,
        provider=new.provider,
        account=new.account,
        provider_reference="",
        created_at=now,
        claimed_at=now,
        expire_at=until,
        policy=new.policy,
        origin=new.origin,
        work=new.work,
        term=NO_TERM,
    )


def next_try(claimed: Claimed, now: datetime) -> Claimed:
    """Another attempt after one that was certainly not made: with an intent of its own."""
    return replace(claimed, seq=claimed.seq + 1, attempt_count=claimed.attempt_count + 1, claimed_at=now)
