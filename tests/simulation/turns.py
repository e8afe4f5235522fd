"""The order in which a claim takes what is due, as claim.sql has it."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Protocol, TypeVar

from hub.jobs.model import NOT_BEGUN, JobState, NewJob
from hub.lanes.turns import DOUBTS

STEP = timedelta(minutes=1)
Row = TypeVar("Row", bound="Waiting")


class Waiting(Protocol):
    """A job that waits."""

    new: NewJob
    state: JobState
    due_at: datetime | None
    seq: int


def in_turn(due: Iterable[Row], limit: int, served: Sequence[str]) -> list[Row]:
    """The first `limit` of what is due: doubts have half of the room, then tenants take turns."""
    rows = list(due)
    doubts = sorted((r for r in rows if r.state is JobState.IN_DOUBT), key=_by_due)
    room = limit // 2 if limit > 1 else int(list(served[-1:]) != [DOUBTS])
    first, rest = doubts[:room], doubts[room:]
    return [*first, *_bulk([r for r in rows if r.state is not JobState.IN_DOUBT], served), *rest][:limit]


def _bulk(rows: Sequence[Row], served: Sequence[str]) -> list[Row]:
    places = {tenant: number for number, tenant in enumerate(served, start=1)}
    tenants: dict[str, list[Row]] = defaultdict(list)
    for row in sorted(rows, key=_by_urgency):
        tenants[row.new.tenant].append(row)
    turns = [
        ((turn, places.get(tenant, 0), *_by_due(row)), row)
        for tenant, own in tenants.items()
        for turn, row in enumerate(own)
    ]
    return [row for _, row in sorted(turns, key=lambda pair: pair[0])]


def _by_due(row: Waiting) -> tuple[datetime, str]:
    assert row.due_at is not None
    return row.due_at, row.new.job_id


def _by_urgency(row: Waiting) -> tuple[datetime, str]:
    due_at, job_id = _by_due(row)
    return due_at + row.new.priority * STEP, job_id


def trials(rows: Sequence[Row]) -> list[Row]:
    """In the order of claim_trials.sql; `rows` by priority and due time."""
    turns: Counter[tuple[bool, str, str]] = Counter()
    ranked = []
    for place, row in sorted(enumerate(rows), key=lambda each: (each[1].seq, each[0])):
        asks = row.state not in NOT_BEGUN
        kind = (asks, row.new.work.operation, row.new.tenant)
        turns[kind] += 1
        ranked.append((asks, turns[kind], row.seq, place))
    return [rows[place] for *_, place in sorted(ranked)]
