"""Rows to jobs and jobs to columns."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import RowMapping

from hub.jobs.decision import Decision
from hub.jobs.model import Cancel, Event, Job, JobState, NewJob

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


def ending_columns(decisions: Mapping[str, Decision], *, left: Collection[JobState], by: str) -> Columns:
    """The parameters of `end_jobs`: how each job ends, which states it may be in, and by what."""
    columns = decision_columns(list(decisions.values()))
    return {
        "job_ids": list(decisions),
        "from_states": [int(state) for state in left],
        "left_by": by,
        **columns,
    }


def decision_columns(decisions: Sequence[Decision]) -> Columns:
    """What jobs become, a list per column."""
    return {
        "states": [int(d.state) for d in decisions],
        "reasons": [d.reason for d in decisions],
        "messages": [d.message for d in decisions],
        "references": [d.provider_reference for d in decisions],
        "result_types": [d.result_type for d in decisions],
        "results": [d.result for d in decisions],
    }


def job_from_row(row: RowMapping) -> Job:
    """The job that a row of `get_jobs` or `list_jobs` speaks of."""
    job = _job(
        row,
        row["due_at"],
        row["updated_at"],
        (row["result_type"], row["result"]),
        row["labels"],
        proven=not row["has_open_statements"],
    )
    if row["cancel_actor"] is None:
        return job
    return replace(job, cancel=Cancel(row["cancel_actor"], row["cancel_reason"], row["cancel_ticket"]))


def event_from_row(row: RowMapping) -> Event:
    """The event of a row of `read_events` and its like, without a result."""
    return Event(row["cursor"], _job(row, None, row["at"], ("", b""), row["labels"], proven=False))


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
