"""Rows of lanes, and what the store says of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from hub.lanes.breaker import BreakerState
from hub.lanes.ports import Grant, Survey

PAUSED = 2
LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass(slots=True)
class LaneRow:
    """A row of `lane`."""

    owner: str = ""
    term: int = 0
    lease_until: datetime = LONG_AGO
    mode: int = 1
    breaker: BreakerState = BreakerState.CLOSED
    breaker_until: datetime | None = None
    breaker_reason: str = ""
    breaker_trips: int = 0
    breaker_by_writes: bool = False
    breaker_orders: int = 0
    throttled_until: datetime | None = None


def survey(
    owner: str,
    rows: Mapping[str, LaneRow],
    replicas: Mapping[str, tuple[datetime, Sequence[str]]],
    *,
    now: datetime,
    lease: timedelta,
) -> Survey:
    """As survey.sql, once it has written down what it was told."""
    owned = {lane: row for lane, row in rows.items() if row.owner}
    lapsed = {(row.owner, lane) for lane, row in owned.items() if row.lease_until < now}
    held = {lane: row for lane, row in owned.items() if row.lease_until >= now}
    others = [(row.lease_until - now).total_seconds() for row in held.values() if row.owner != owner]
    return Survey(
        offers={
            name: lanes
            for name, (at, lanes) in replicas.items()
            if name != owner and at > now - lease and not any((name, lane) in lapsed for lane in lanes)
        },
        owners={lane: row.owner for lane, row in held.items()},
        lapses=min(others, default=None),
    )


def grant(row: LaneRow, now: datetime) -> Grant:
    """As acquire_lanes.sql answers of a lane that is owned."""
    return Grant(
        term=row.term,
        at=now,
        orders=row.breaker_orders,
        breaker_state=row.breaker,
        open_seconds=_left(row.breaker_until, now),
        breaker_reason=row.breaker_reason,
        breaker_trips=row.breaker_trips,
        breaker_by_writes=row.breaker_by_writes,
        throttled_seconds=_left(row.throttled_until, now),
        is_paused=row.mode == PAUSED,
    )


def _left(until: datetime | None, now: datetime) -> float:
    return (until - now).total_seconds() if until else 0.0
