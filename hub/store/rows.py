"""Rows to values and values to columns."""

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import RowMapping

from hub.jobs.breaker import BreakerState
from hub.jobs.decide import Decision
from hub.jobs.lanes import LaneMode
from hub.jobs.model import Claimed, Ending, Event, Job, JobState, NewJob, Origin, Purpose, RetryPolicy, Work
from hub.jobs.ports import Grant, Settled, Settlement

Columns = dict[str, Any]


def new_job_columns(jobs: Sequence[NewJob]) -> Columns:
    """The parameters of `accept`, a list per column."""
    return {
        "job_ids": [j.job_id for j in jobs],
        "tenants": [j.tenant for j in jobs],
        "request_ids": [j.request_id for j in jobs],
        "fingerprints": [j.fingerprint for j in jobs],
        "lanes": [j.lane for j in jobs],
        "operations": [j.work.operation for j in jobs],
        "priorities": [j.priority for j in jobs],
        "expire_ats": [j.expire_at for j in jobs],
        "request_types": [j.work.request_type for j in jobs],
        "requests": [j.work.request for j in jobs],
        "salts": [j.work.salt for j in jobs],
        "provider_keys": [j.work.provider_key for j in jobs],
        "max_attempts": [j.policy.max_attempts for j in jobs],
        "initial_backoffs": [j.policy.initial_backoff for j in jobs],
        "max_backoffs": [j.policy.max_backoff for j in jobs],
        "actors": [j.origin.actor for j in jobs],
        "principals": [j.origin.principal for j in jobs],
        "traces": [_text_of(j.origin.trace) for j in jobs],
        "labels": [_text_of(j.labels) for j in jobs],
    }


def settlement_columns(settlements: Sequence[Settlement]) -> Columns:
    """The parameters of `settle`, a list per column."""
    return {
        "job_ids": [s.job_id for s in settlements],
        "seqs": [s.seq for s in settlements],
        "outcomes": [s.outcome for s in settlements],
        "statement_ids": [s.statement_id for s in settlements],
        "envelopes": [s.evidence for s in settlements],
        **_decision_columns([s.decision for s in settlements]),
    }


def ending_columns(decisions: Mapping[str, Decision], *, left: Collection[JobState], by: str) -> Columns:
    """The parameters of `end_jobs`: how each job ends, which states it may be in, and by what."""
    columns = _ending_columns(list(decisions.values()))
    return {
        "job_ids": list(decisions),
        "from_states": [int(state) for state in left],
        "left_by": by,
        **columns,
    }


def _ending_columns(decisions: Sequence[Decision]) -> Columns:
    return {
        "states": [int(d.state) for d in decisions],
        "reasons": [d.reason for d in decisions],
        "messages": [d.message for d in decisions],
        "references": [d.provider_reference for d in decisions],
        "result_types": [d.result_type for d in decisions],
        "results": [d.result for d in decisions],
    }


def _decision_columns(decisions: Sequence[Decision]) -> Columns:
    return _ending_columns(decisions) | {
        "waits": [d.wait for d in decisions],
        "uncounted": [0 if d.counts else 1 for d in decisions],
        "causes": [int(d.letter or 0) for d in decisions],
        "cause_names": [d.letter.name.lower() if d.letter else "" for d in decisions],
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
        attempt_count=row["new_attempt_count"],
        at=row["settled_at"],
        reason=row["new_reason"],
        message=row["new_message"],
        provider_reference=row["new_reference"],
        result_type=row["new_result_type"],
        result=row["new_result"],
    )
    return Settled(str(row["job_id"]), ending, row["has_held_events"])


def job_from_row(row: RowMapping) -> Job:
    """The job that a row of `get_jobs` or `list_jobs` speaks of."""
    return _job(
        row,
        row["due_at"],
        row["updated_at"],
        (row["result_type"], row["result"]),
        row["labels"],
        proven=not row["has_open_statements"],
    )


def event_from_row(row: RowMapping) -> Event:
    """The event of a row of `read_events`, without labels and result."""
    return Event(row["cursor"], _job(row, None, row["at"], ("", b""), "{}", proven=False))


def _job(
    row: RowMapping, due_at: Any, updated_at: Any, result: tuple[str, bytes], labels: str, *, proven: bool
) -> Job:
    provider, account = row["lane_id"].split("/", 1)
    return Job(
        job_id=str(row["job_id"]),
        state=JobState(row["state"]),
        operation=row["operation"],
        provider=provider,
        account=account,
        tenant=row["tenant"],
        request_id=row["request_id"],
        attempt_count=row["attempt_count"],
        created_at=row["created_at"],
        updated_at=updated_at,
        expire_at=row["expire_at"],
        due_at=due_at,
        provider_reference=row["provider_reference"],
        reason=row["reason"],
        message=row["message"],
        result_type=result[0],
        result=result[1],
        labels=json.loads(labels),
        proven=proven,
    )


def _text_of(pairs: Mapping[str, str]) -> str:
    return json.dumps(dict(pairs)) if pairs else "{}"
