"""What is told of events, to columns and from rows."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import RowMapping

from hub.events.model import ArrivedEvent
from hub.events.told import PROPOSALS, EventKind, Side, Told
from hub.jobs.agreeing import Compared, Sum
from hub.jobs.contradicting import Contradiction, Proposal
from hub.jobs.model import JobState
from hub.jobs.outcome import WORDS, Declined, Succeeded
from hub.jobs.rows import Columns


@dataclass(frozen=True, slots=True)
class Stand:
    """Where a job that nobody works on stands."""

    lane: str
    state: JobState
    tenant: str
    operation: str
    provider_reference: str


@dataclass(frozen=True, slots=True)
class Contradicted:
    """An event that contradicts its job, and how the job stood then."""

    event_id: str
    stand: Stand
    outcome: Succeeded | Declined
    compared: Compared
    found: Contradiction


def contradiction_columns(found: Sequence[Contradicted]) -> Columns:
    """The parameters of `tell_contradictions`, a list per column."""
    return {
        "lanes": [c.stand.lane for c in found],
        "event_ids": [c.event_id for c in found],
        "tenants": [c.stand.tenant for c in found],
        "operations": [c.stand.operation for c in found],
        "references": [c.outcome.provider_reference for c in found],
        "differs": [c.found.what for c in found],
        "proposals": [int(c.found.proposal) for c in found],
        "states": [int(c.stand.state) for c in found],
        "job_references": [c.stand.provider_reference for c in found],
        "said": [WORDS[type(c.outcome)] for c in found],
        **sum_columns("job", [c.compared.asked for c in found]),
        **sum_columns("said", [c.compared.named for c in found]),
    }


def concern_columns(events: Sequence[ArrivedEvent]) -> Columns:
    """The parameters of `tell_concerns`, a list per column: of those events that Core is told of."""
    told = [(e, e.concern) for e in events if e.concern]
    return {
        "lanes": [e.lane for e, _ in told],
        "event_ids": [e.event_id for e, _ in told],
        "types": [e.type for e, _ in told],
        "happened_ats": [e.happened_at for e, _ in told],
        "job_ids": [e.job_id or None for e, _ in told],
        "references": [c.reference for _, c in told],
        "kinds": [int(c.kind) for _, c in told],
        "proposals": [int(PROPOSALS[c.kind]) for _, c in told],
        **sum_columns("said", [c.amount for _, c in told]),
    }


def sum_columns(whose: str, sums: Sequence[Sum | None]) -> Columns:
    """Amounts of money, in two columns."""
    return {
        f"{whose}_units": [s.minor_units if s else None for s in sums],
        f"{whose}_currencies": [s.currency if s else "" for s in sums],
    }


def told_from_row(row: RowMapping) -> Told:
    """The event of a row of `read_told`."""
    state = JobState(row["job_state"]) if row["job_state"] else None
    return Told(
        cursor=row["cursor"],
        tenant=row["tenant"],
        kind=EventKind(row["kind"]),
        lane=row["lane_id"],
        event_id=row["event_id"],
        type=row["type"],
        kept_at=row["kept_at"],
        happened_at=row["happened_at"],
        job_id=str(row["job_id"] or ""),
        operation=row["operation"],
        state=state,
        job=Side(state.name if state else "", row["job_reference"], _sum(row, "job")),
        provider=Side(row["said"].upper(), row["provider_reference"], _sum(row, "said")),
        differs=row["differs"],
        proposal=Proposal(row["proposal"]),
    )


def _sum(row: RowMapping, whose: str) -> Sum | None:
    units = row[f"{whose}_units"]
    return None if units is None else Sum(units, row[f"{whose}_currency"])
