"""What a handler says an attempt came to, and how that is written in the contract."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum
from typing import Final, TypeAlias, assert_never, cast

from google.protobuf.message import Message

from integration.spoke.v1 import outcome_pb2
from mesh.redaction import clear_secrets
from spokes.kit.progress import Track

ANSWER_MISMATCH: Final = "PROVIDER_ANSWER_MISMATCH"
"""The reason of an answer that does not fit what was asked; the hub gives it to a person."""

CALLED_OFF: Final = "CALLED_OFF"
"""The reason of what was called off before it was done; the hub ends its job as expired."""

_REASON: Final = re.compile(r"[A-Z][A-Z0-9_]{0,63}").fullmatch
_REFERENCE: Final = re.compile(r"[\x21-\x7e]{1,255}").fullmatch
_TYPE_PREFIX: Final = "type.googleapis.com/"


class Cause(IntEnum):
    """Why a request certainly had no effect. The numbers are those of the contract."""

    PROVIDER_DOWN = 1
    THROTTLED = 2
    MISCONFIGURED = 3
    OVERLOADED = 4
    NO_RECEIPT = 5
    FENCED = 6
    ABSENT = 7
    UNSUPPORTED = 8


class Doing(IntEnum):
    """Whose doing it is that an outcome is unknown. The numbers are those of the contract."""

    UNSPECIFIED = 0
    PROVIDER = 1
    WORKER_LOST = 2


@dataclass(frozen=True, slots=True)
class Succeeded:
    """The provider did it. `result` is the operation's result; `reference` the provider's id of it."""

    result: Message
    reference: str = ""


@dataclass(frozen=True, slots=True)
class Pending:
    """The provider accepted it and settles it later. `confirm_by` defaults to the manifest's."""

    result: Message
    reference: str = ""
    confirm_by: datetime | None = None


@dataclass(frozen=True, slots=True)
class Declined:
    """The provider said no. `message` is ours: never the provider's text."""

    reason: str
    message: str
    reference: str = ""


@dataclass(frozen=True, slots=True)
class NotSent:
    """Certainly not performed: nothing left, or the provider says so."""

    cause: Cause
    reason: str
    message: str
    retry_after: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Unknown:
    """May have been performed. Of a look-up: the provider could not be asked."""

    reason: str
    message: str
    reference: str = ""
    cause: Doing = Doing.UNSPECIFIED


Outcome: TypeAlias = Succeeded | Pending | Declined | NotSent | Unknown


def called_off(reference: str) -> Declined:
    """A cancel's answer: the work was called off before it was done, and will not be done."""
    return Declined(CALLED_OFF, "called off before it was done", reference)


def absent() -> NotSent:
    """A look-up's answer: the provider knows nothing under our reference."""
    return NotSent(Cause.ABSENT, "ABSENT", "the provider knows nothing under this reference")


def mismatch(what: str, reference: str = "") -> Unknown:
    """An answer that says something else than was asked: neither a yes nor a no."""
    return Unknown(ANSWER_MISMATCH, f"the provider's answer names another {what} than was asked", reference)


def doubtful(outcome: NotSent) -> Unknown:
    """What a request that did not leave means where an earlier one of the same attempt had."""
    down = outcome.cause is Cause.PROVIDER_DOWN
    return Unknown(outcome.reason, outcome.message, cause=Doing.PROVIDER if down else Doing.UNSPECIFIED)


def to_proto(outcome: Outcome) -> outcome_pb2.Outcome:
    """Writes the outcome as the contract has it.

    A reference that is not plain ASCII is left out; a reason that is not UPPER_SNAKE is not repeated.
    """
    message = outcome_pb2.Outcome()
    match outcome:
        case Succeeded():
            # What only a step that is still to be taken needs is not kept for as long as a result is.
            clear_secrets(outcome.result)
            _set_result(message.succeeded, outcome.result)
        case Pending():
            _set_result(message.pending, outcome.result)
            if outcome.confirm_by is not None:
                message.pending.confirm_by_time.FromDatetime(outcome.confirm_by)
        case Declined():
            message.declined.reason, message.declined.message = _named(outcome.reason), outcome.message
        case NotSent():
            _set_not_sent(message.not_sent, outcome)
            return message
        case Unknown():
            message.unknown.reason, message.unknown.message = _named(outcome.reason), outcome.message
            message.unknown.cause = cast(outcome_pb2.UnknownCause, int(outcome.cause))
        case _:
            assert_never(outcome)
    if _REFERENCE(outcome.reference):
        message.provider_reference = outcome.reference
    return message


def stamp(message: outcome_pb2.Outcome, track: Track, done_at: datetime) -> outcome_pb2.Outcome:
    """Adds how far the request got and when."""
    message.progress = cast(outcome_pb2.SendProgress, int(track.progress))
    if track.sent_at is not None:
        message.sent_time.FromDatetime(track.sent_at)
    message.done_time.FromDatetime(done_at)
    return message


def _set_result(target: outcome_pb2.Succeeded | outcome_pb2.Pending, result: Message) -> None:
    target.result.type_url = _TYPE_PREFIX + result.DESCRIPTOR.full_name
    target.result.value = result.SerializeToString(deterministic=True)


def _set_not_sent(target: outcome_pb2.NotSent, outcome: NotSent) -> None:
    target.cause = cast(outcome_pb2.NotSentCause, int(outcome.cause))
    target.reason, target.message = _named(outcome.reason), outcome.message
    if outcome.retry_after is not None:
        target.retry_after.FromTimedelta(outcome.retry_after)


def _named(reason: str) -> str:
    return reason if _REASON(reason) else "NOT_NAMED"
