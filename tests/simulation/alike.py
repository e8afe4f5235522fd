"""What two stores answer, without what they may differ in."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from hub.errors import LaneLost
from hub.lanes.ports import Orphan, Settled


def of_grant(grant: Any) -> tuple[object, ...]:
    """What a grant says that two clocks agree on."""
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
    """What claimed attempts say, in the order of their jobs."""
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
    """What a job says."""
    names = ("state", "attempt_count", "provider_reference", "reason", "message", "result_type", "result")
    return tuple(getattr(row, name) for name in names)


def sign(seconds: float | None) -> str:
    """Whether something is due now, later or never."""
    return "never" if seconds is None else "now" if seconds <= 0 else "later"


def sign_at(moment: datetime | None) -> str:
    """Whether a moment is past, to come or never."""
    return "never" if moment is None else "now" if moment <= datetime.now(UTC) else "later"


async def later(call: Callable[[], list[Settled]]) -> list[Settled]:
    """The answer of the model, as the store gives its own."""
    return call()


async def caught(call: Callable[[], Awaitable[list[Settled]]]) -> object:
    """What a settlement came to, or what was raised."""
    try:
        settled = await call()
    except LaneLost as lost:
        return str(lost)
    return [(s.job_id, _ending(s.ending), s.has_held_events) for s in settled]


def _ending(ending: Any) -> Mapping[str, object]:
    names = ("state", "attempt_count", "reason", "message", "provider_reference", "result_type", "result")
    return {name: getattr(ending, name) for name in names}
