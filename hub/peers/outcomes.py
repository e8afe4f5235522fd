"""Outcomes and specifications, from the contract's form to the hub's."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from hub.events.deliveries import MAX_BODY
from hub.events.model import WebhookRules
from hub.jobs.model import LONGEST_LIFE, RetryPolicy
from hub.jobs.outcome import (
    Declined,
    NotSent,
    NotSentCause,
    Outcome,
    Pending,
    Succeeded,
    Unknown,
    UnknownCause,
)
from hub.jobs.spec import Limits, OperationSpec, Replay, SpokeSpec
from integration.spoke.v1 import outcome_pb2, spoke_service_pb2

USUAL_READ_SHARE = 0.2
MOST_READ_SHARE = 0.9
LONGEST_CACHE = timedelta(hours=1)
USUAL_ROOM = 64
MOST_ROOM = 1024
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LAST_SECOND = int((datetime(9999, 1, 1, tzinfo=UTC) - _EPOCH).total_seconds())


def outcome_from_proto(message: outcome_pb2.Outcome) -> Outcome:
    """The outcome; one of a kind that this release does not know is unknown."""
    kind = message.WhichOneof("kind")
    reference = message.provider_reference
    if kind == "succeeded":
        return Succeeded(*_result(message.succeeded.result), provider_reference=reference)
    if kind == "pending":
        return _pending(message.pending, reference)
    if kind == "declined":
        return Declined(message.declined.reason, message.declined.message, reference)
    if kind == "not_sent":
        return _not_sent(message.not_sent)
    answered = message.progress == outcome_pb2.SEND_PROGRESS_REPLY_READ
    return replace(_unknown(message.unknown, reference), answered=answered)


def outcome_from_bytes(raw: bytes) -> Outcome | None:
    """The outcome of an event as it was kept; None where the event says nothing of the work."""
    return outcome_from_proto(outcome_pb2.Outcome.FromString(raw)) if raw else None


def spoke_from_proto(message: spoke_service_pb2.DescribeResponse) -> SpokeSpec:
    """What a spoke says of itself."""
    offers_reads = any(o.replay == spoke_service_pb2.REPLAY_KIND_READ for o in message.operations)
    return SpokeSpec(
        provider=message.provider,
        operations={o.operation: _operation(o) for o in message.operations},
        accounts={a.name: _limits(a, offers_reads=offers_reads) for a in message.accounts},
    )


def webhook_rules_from_proto(message: spoke_service_pb2.WebhookSpec) -> WebhookRules:
    """How a provider calls, within what the hub takes of anybody."""
    return WebhookRules(
        methods=frozenset(message.methods or ["POST"]),
        content_types=frozenset(message.content_types or ["application/json"]),
        max_bytes=min(message.max_bytes or MAX_BODY, MAX_BODY),
        room=min(message.room or USUAL_ROOM, MOST_ROOM),
    )


def _limits(message: spoke_service_pb2.AccountSpec, *, offers_reads: bool) -> Limits:
    share = min(message.read_share or USUAL_READ_SHARE, MOST_READ_SHARE) if offers_reads else 0.0
    return Limits(message.max_concurrency, message.rate_per_second, message.burst, share)


def _operation(message: spoke_service_pb2.OperationSpec) -> OperationSpec:
    return OperationSpec(
        replay=Replay(message.replay),
        replay_window=_span(message.replay_window),
        can_look_up=message.can_look_up,
        look_up_lag=_span(message.look_up_lag),
        timeout=_span(message.timeout),
        confirm_within=_span(message.confirm_within),
        expire_after=_span(message.expire_after),
        policy=RetryPolicy(message.max_attempts, _span(message.initial_backoff), _span(message.max_backoff)),
        saves_errors=message.saves_errors,
        can_cancel=message.can_cancel,
        cache=min(_span(message.cache_time), LONGEST_CACHE),
    )


def _pending(message: outcome_pb2.Pending, reference: str) -> Pending:
    by = _moment(message.confirm_by_time) if message.HasField("confirm_by_time") else None
    return Pending(*_result(message.result), provider_reference=reference, confirm_by=by)


def _not_sent(message: outcome_pb2.NotSent) -> Outcome:
    if int(message.cause) not in {int(c) for c in NotSentCause}:
        # A cause from a newer spoke: it was not sent, and nothing says that repeating is useless.
        return NotSent(NotSentCause.PROVIDER_DOWN, message.reason, message.message)
    after = _span(message.retry_after) if message.HasField("retry_after") else None
    return NotSent(NotSentCause(message.cause), message.reason, message.message, after)


def _unknown(message: outcome_pb2.Unknown, reference: str) -> Unknown:
    known = {int(c) for c in UnknownCause}
    cause = UnknownCause(message.cause) if int(message.cause) in known else UnknownCause.UNSPECIFIED
    return Unknown(message.reason or "NOT_UNDERSTOOD", message.message, reference, cause)


def _result(message: AnyMessage) -> tuple[str, bytes]:
    return message.type_url.rpartition("/")[2], message.value


def _moment(message: Timestamp) -> datetime:
    """The moment; one that no calendar holds is the nearest that ours can."""
    return _EPOCH + timedelta(seconds=min(max(message.seconds, 0), _LAST_SECOND))


def _span(message: Duration) -> timedelta:
    """The duration, from nothing to the longest wait: a number from outside must not break the reckoning."""
    seconds = min(max(message.seconds, 0), int(LONGEST_LIFE.total_seconds()))
    return min(max(timedelta(seconds=seconds, microseconds=message.nanos // 1000), timedelta()), LONGEST_LIFE)
