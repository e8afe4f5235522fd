"""Between the contract's messages and the hub's values; the only place at the edge that knows both."""

import hashlib
import unicodedata
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from google.protobuf import symbol_database
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import DecodeError, Message
from google.protobuf.timestamp_pb2 import Timestamp

from hub.jobs.model import Event, Job, RetryPolicy
from hub.jobs.spec import OperationSpec
from integration.common.v1 import rules_pb2
from integration.common.v1.context_pb2 import RequestContext
from integration.jobs.v1 import job_pb2
from mesh.errors import InvalidRequest, Violation
from mesh.redaction import clear_secrets
from mesh.validation import violations

TYPE_PREFIX = "type.googleapis.com/"
_RULES: Any = rules_pb2.rules
_EXPIRY_RULES = RequestContext.DESCRIPTOR.fields_by_name["expire_time"].GetOptions().Extensions[_RULES]
LONGEST_LIFE = timedelta(days=_EXPIRY_RULES.ahead_lte_days)
"""The contract's bound of `expire_time`: "never" is no expiry, and what comes after it has no date."""


def job_to_proto(job: Job) -> job_pb2.Job:
    """The job as Core sees it."""
    message = job_pb2.Job(
        job_id=job.job_id,
        state=job_pb2.JobState.Name(int(job.state)),
        operation=job.operation,
        provider=job.provider,
        account=job.account,
        tenant=job.tenant,
        request_id=job.request_id,
        attempt_count=job.attempt_count,
        create_time=_stamp(job.created_at),
        update_time=_stamp(job.updated_at),
        expire_time=_stamp(job.expire_at),
        provider_reference=job.provider_reference,
        reason=job.reason,
        message=job.message,
        labels=dict(job.labels),
        proven=job.proven,
    )
    if job.cancel:
        message.cancel_actor, message.cancel_reason = job.cancel.actor, job.cancel.reason
        message.cancel_ticket = job.cancel.ticket
    if job.due_at:
        message.due_time.FromDatetime(job.due_at)
    if job.result_type:
        message.result.type_url = TYPE_PREFIX + job.result_type
        message.result.value = job.result
    return message


def job_without_result(job: Job) -> job_pb2.Job:
    """The job as anybody but its tenant sees it, and a list."""
    message = job_to_proto(job)
    message.ClearField("result")
    return message


def job_without_secrets(job: Job) -> job_pb2.Job:
    """The job as somebody sees it who acts for no tenant: nothing of a result that no contract reads."""
    try:
        result: Message = symbol_database.Default().GetSymbol(job.result_type)()
        result.ParseFromString(job.result)
    except (KeyError, DecodeError):
        return job_without_result(job)
    clear_secrets(result)
    return job_to_proto(replace(job, result=result.SerializeToString(deterministic=True)))


def event_to_proto(event: Event) -> job_pb2.JobEvent:
    """A change of state as Core sees it."""
    return job_pb2.JobEvent(cursor=event.cursor, job=job_to_proto(event.job))


def policy_from_proto(context: RequestContext, spec: OperationSpec) -> RetryPolicy:
    """Core's policy, with the manifest's values where Core says nothing."""
    retry = context.retry
    return RetryPolicy(
        max_attempts=retry.max_attempts or spec.policy.max_attempts,
        initial_backoff=_span(retry, "initial_backoff", spec.policy.initial_backoff),
        max_backoff=_span(retry, "max_backoff", spec.policy.max_backoff),
    )


def expiry_from_proto(context: RequestContext, spec: OperationSpec, now: datetime) -> datetime:
    """When the work is no longer wanted; raises InvalidRequest if that is too far ahead."""
    if not context.HasField("expire_time"):
        return now + min(spec.expire_after, LONGEST_LIFE)
    expiry = context.expire_time.ToDatetime(tzinfo=UTC)
    if expiry > now + LONGEST_LIFE:
        far = f"must lie at most {LONGEST_LIFE.days} days ahead"
        raise InvalidRequest([Violation("context.expire_time", far)])
    return expiry


def wait_seconds(message: Message, field: str, default: float) -> float:
    """A duration field in seconds, or the default where it is not set."""
    return getattr(message, field).ToTimedelta().total_seconds() if message.HasField(field) else default


def text_from_proto(message: Message, field: str, *, under: str = "") -> str:
    """A text in NFC, as the log holds texts; raises InvalidRequest if it breaks the field's rules in it."""
    composed = type(message)()
    setattr(composed, field, unicodedata.normalize("NFC", getattr(message, field)))
    # NFC makes a few texts longer.
    if found := [v for v in violations(composed) if v.field == field]:
        raise InvalidRequest([Violation(under + v.field, v.description) for v in found])
    text: str = getattr(composed, field)
    return text


def is_uuid(text: str) -> bool:
    """Whether a text is an id in the form that the store keeps: lower case, hyphens."""
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False


def fingerprint(operation: str, request: Message) -> bytes:
    """SHA-256 of what is asked for, and of whom: the provider and account that the request names.

    When, how urgently, for how long and on whose behalf is no part of it: a repetition may say otherwise.
    """
    content = type(request)()
    content.CopyFrom(request)
    context: RequestContext = content.context  # type: ignore[attr-defined]
    named = RequestContext(provider=context.provider, account=context.account)
    context.CopyFrom(named)
    return hashlib.sha256(operation.encode() + b"\0" + content.SerializeToString(deterministic=True)).digest()


def unpack(result_type: str, result: bytes, into: Message) -> None:
    """Reads a stored result into a response's field, if it is of the field's type."""
    if result_type == into.DESCRIPTOR.full_name:
        into.MergeFromString(result)


def _span(message: Message, field: str, default: timedelta) -> timedelta:
    value: Duration = getattr(message, field)
    return value.ToTimedelta() if message.HasField(field) else default


def _stamp(moment: datetime) -> Timestamp:
    stamp = Timestamp()
    stamp.FromDatetime(moment)
    return stamp
