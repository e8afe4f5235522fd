"""Rows to attempts and grants, and settlements to columns."""

import json
import logging
from collections.abc import Callable, Sequence
from uuid import NAMESPACE_OID, uuid5

from sqlalchemy import RowMapping

from hub.jobs.decide import purpose_of
from hub.jobs.decision import Decision, broken
from hub.jobs.model import Claimed, Ending, JobState, Origin, RetryPolicy, Work
from hub.jobs.rows import Columns, decision_columns
from hub.lanes.breaker import BreakerState
from hub.lanes.model import LaneMode
from hub.lanes.ports import Grant, Orphan, Settled, Settlement

_log = logging.getLogger(__name__)


def settlement_columns(settlements: Sequence[Settlement]) -> Columns:
    """The parameters of `settle`, a list per column."""
    return {
        "job_ids": [s.job_id for s in settlements],
        "seqs": [s.seq for s in settlements],
        "outcomes": [s.outcome for s in settlements],
        "statement_ids": [s.statement_id for s in settlements],
        "envelopes": [s.evidence for s in settlements],
        **_settled_columns([s.decision for s in settlements]),
    }


def _settled_columns(decisions: Sequence[Decision]) -> Columns:
    return decision_columns(decisions) | {
        "waits": [d.wait for d in decisions],
        "uncounted": [0 if d.counts else 1 for d in decisions],
        "causes": [int(d.letter or 0) for d in decisions],
        "lost": [1 if d.lost else 0 for d in decisions],
        "doubts": [d.doubts for d in decisions],
    }


def readable(
    rows: Sequence[RowMapping], term: int
) -> tuple[list[tuple[Claimed, RowMapping]], list[RowMapping]]:
    """The attempts that rows of `claim` or `adopt` speak of, and the rows that cannot be read."""
    found, unreadable = [], []
    for row in rows:
        try:
            found.append((claimed_from_row(row, term), row))
        except Exception:  # noqa: BLE001 - whatever is wrong with one row is not wrong with the others
            _log.exception("a job cannot be read", extra={"job": str(row["job_id"])})
            unreadable.append(row)
    return found, unreadable


def signed(
    claimed: Sequence[Claimed], intents: Callable[[Sequence[Claimed]], list[bytes]]
) -> tuple[list[Orphan], list[Claimed]]:
    """The attempts with their intents, and those whose intent cannot be stated."""
    try:
        return [Orphan(c, i) for c, i in zip(claimed, intents(claimed), strict=True)], []
    except Exception:  # noqa: BLE001 - as above
        if len(claimed) == 1:
            _log.exception("an intent cannot be stated", extra={"attempt": claimed[0].attempt_id})
            return [], list(claimed)
    found, broken = [], []
    for one in claimed:
        orphans, failed = signed([one], intents)
        found += orphans
        broken += failed
    return found, broken


def begun_columns(orphans: Sequence[Orphan]) -> Columns:
    """The parameters of `begin_attempts`, a list per column."""
    return {
        "job_ids": [o.claimed.job_id for o in orphans],
        "seqs": [o.claimed.seq for o in orphans],
        "purposes": [int(o.claimed.purpose) for o in orphans],
        "intents": [o.intent for o in orphans],
    }


def broken_settlement(job_id: str, seq: int, message: str) -> Settlement:
    """The end of an attempt that cannot even begin."""
    statement_id = str(uuid5(NAMESPACE_OID, f"evidence:{job_id}.{seq}"))
    return Settlement(job_id, seq, broken(message), "unknown", statement_id, b"")


def claimed_from_row(row: RowMapping, term: int) -> Claimed:
    """The attempt that a row of `claim` or `adopt` speaks of."""
    provider, account = row["lane_id"].split("/", 1)
    state = JobState(row["state"])
    return Claimed(
        job_id=str(row["job_id"]),
        seq=row["seq"],
        purpose=purpose_of(state, row["reason"]),
        state=state,
        attempt_count=row["attempt_count"],
        tenant=row["tenant"],
        provider=provider,
        account=account,
        provider_reference=row["provider_reference"],
        created_at=row["created_at"],
        claimed_at=row["claimed_at"],
        expire_at=row["expire_at"],
        policy=RetryPolicy(row["max_attempts"], row["initial_backoff"], row["max_backoff"]),
        origin=Origin(row["actor"], row["principal"], json.loads(row["trace"])),
        work=Work(row["operation"], row["request_type"], row["request"], row["salt"], row["provider_key"]),
        term=term,
        losses=row["losses"],
        reason=row["reason"],
        doubted=row["doubted"],
    )


def grant_from_row(row: RowMapping) -> Grant:
    """The lane that a row of `acquire_lanes` speaks of."""
    return Grant(
        term=row["term"],
        at=row["granted_at"],
        orders=row["breaker_orders"],
        breaker_state=BreakerState(row["breaker_state"]),
        open_seconds=row["breaker_seconds"] or 0.0,
        breaker_reason=row["breaker_reason"],
        breaker_trips=row["breaker_trips"],
        breaker_by_writes=row["breaker_by_writes"],
        throttled_seconds=row["throttled_seconds"] or 0.0,
        is_paused=row["mode"] == LaneMode.PAUSED,
    )


def settled_from_row(row: RowMapping) -> Settled:
    """What a row of `settle` says of an attempt's end."""
    ending = Ending(
        state=JobState(row["new_state"]),
        attempt_count=row["to_attempts"],
        at=row["settled_at"],
        reason=row["to_reason"],
        message=row["to_message"],
        provider_reference=row["to_reference"],
        result_type=row["kept_type"],
        result=row["kept_result"],
    )
    return Settled(str(row["job_id"]), ending, row["has_held_events"])
