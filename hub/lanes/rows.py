"""Rows to attempts and grants, and settlements to columns."""

import json
from collections.abc import Sequence

from sqlalchemy import RowMapping

from hub.jobs.decide import Decision
from hub.jobs.model import Claimed, Ending, JobState, Origin, Purpose, RetryPolicy, Work
from hub.jobs.rows import Columns, decision_columns
from hub.lanes.breaker import BreakerState
from hub.lanes.model import LaneMode
from hub.lanes.ports import Grant, Settled, Settlement


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


def claimed_from_row(row: RowMapping, term: int) -> Claimed:
    """The attempt that a row of `claim` or `adopt` speaks of."""
    provider, account = row["lane_id"].split("/", 1)
    state = JobState(row["state"])
    return Claimed(
        job_id=str(row["job_id"]),
        seq=row["seq"],
        purpose=Purpose.EXECUTE if state is JobState.RUNNING else Purpose.LOOK_UP,
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
        result_type=row["to_type"],
        result=row["to_result"],
    )
    return Settled(str(row["job_id"]), ending, row["has_held_events"])
