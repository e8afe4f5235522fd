"""The events that a backfill takes in, to the columns of its items and back."""

from collections.abc import Sequence

from sqlalchemy import RowMapping

from hub.events.model import ArrivedEvent, Concern
from hub.events.rows import sum_columns
from hub.events.told import EventKind
from hub.jobs.agreeing import Sum
from hub.jobs.rows import Columns


def event_columns(events: Sequence[ArrivedEvent | None]) -> Columns:
    """The parameters of `plan_create` that hold the items' events, a list per column."""
    concerns = [e.concern if e else None for e in events]
    return {
        "event_types": [e.type if e else "" for e in events],
        "outcomes": [e.outcome if e else b"" for e in events],
        "confirmations": [e.confirmation if e else b"" for e in events],
        "happened_ats": [e.happened_at if e else None for e in events],
        "concern_kinds": [int(c.kind) if c else 0 for c in concerns],
        "concern_references": [c.reference if c else "" for c in concerns],
        **sum_columns("concern", [c.amount if c else None for c in concerns]),
    }


def event_from_row(row: RowMapping, lane: str, job_id: str) -> ArrivedEvent | None:
    """The event of a row of `plan_items`; None for an item that is a job."""
    if not row["event_type"]:
        return None
    return ArrivedEvent(
        lane,
        row["subject"],
        row["event_type"],
        job_id,
        row["event_outcome"],
        row["event_confirmation"],
        row["event_happened_at"],
        _concern(row),
    )


def _concern(row: RowMapping) -> Concern | None:
    if not row["concern_kind"]:
        return None
    units = row["concern_units"]
    amount = None if units is None else Sum(units, row["concern_currency"])
    return Concern(EventKind(row["concern_kind"]), row["concern_reference"], amount)
