"""What the store's model and the store on Postgres give, in a form in which both are the same."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from hub.errors import LaneLost
from hub.jobs.model import Claimed
from hub.lanes.ports import Orphan, Settled


def of_grant(grant: Any) -> tuple[object, ...]:
    """A grant, but for the moment and the seconds."""
    return (
        grant.term,
        grant.orders,
        grant.breaker_state,
        grant.open_seconds > 0,
        grant.breaker_reason,
        grant.breaker_trips,
        grant.breaker_by_writes,
        round(max(grant.throttled_seconds, 0.0), -2),
    )


def job_id_of(orphan: Orphan) -> str:
    """Whose attempt it is."""
    return orphan.claimed.job_id


def of_orphans(orphans: list[Orphan]) -> list[tuple[object, ...]]:
    """Attempts, by their jobs."""
    names = (
        "job_id",
        "seq",
        "purpose",
        "state",
        "attempt_count",
        "provider_reference",
        "term",
        "losses",
        "reason",
    )
    return [
        (*(getattr(o.claimed, name) for name in names), o.claimed.work, o.claimed.policy, o.intent)
        for o in sorted(orphans, key=job_id_of)
    ]


def of_row(row: Any) -> tuple[object, ...]:
    """A job, as both stores have it."""
    names = ("state", "attempt_count", "provider_reference", "reason", "message", "result_type", "result")
    return tuple(getattr(row, name) for name in names)


def sign(seconds: float | None) -> str:
    """Whether so many seconds are over."""
    return "never" if seconds is None else "now" if seconds <= 0 else "later"


def sign_at(moment: datetime | None) -> str:
    """Whether a moment is over."""
    return "never" if moment is None else "now" if moment <= datetime.now(UTC) else "later"


def of_ending(ending: Any) -> Mapping[str, object]:
    """How a job stands after a settlement."""
    names = ("state", "attempt_count", "reason", "message", "provider_reference", "result_type", "result")
    return {name: getattr(ending, name) for name in names}


async def later(call: Callable[[], list[Settled]]) -> list[Settled]:
    """The answer, as one that had to be waited for."""
    return call()


async def caught(call: Callable[[], Awaitable[list[Settled]]]) -> object:
    """What was settled, or what was raised instead."""
    try:
        settled = await call()
    except LaneLost as lost:
        return str(lost)
    return [(s.job_id, of_ending(s.ending), s.has_held_events) for s in settled]


def intents(claimed: list[Claimed] | Any) -> list[bytes]:
    """One text per attempt."""
    return [f"intent {c.attempt_id} {c.term}".encode() for c in claimed]
