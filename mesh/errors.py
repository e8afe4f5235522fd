"""What the mesh refuses, and how any error becomes the status that a caller sees.

MeshError
├── InvalidRequest      a request breaks the rules of its schema
├── NotAuthenticated    nobody can tell who calls
├── NotPermitted        the caller's role may not call the method
├── DeadlineTooShort    the call's time was up before it began
├── Full                a queue holds as much as it may
├── Closed              the service is going down and takes no more
├── IdentityError       a certificate or a SPIFFE id that cannot be used
└── SettingsError       an environment variable that is missing or wrong
"""

import logging
import re
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, NamedTuple, Protocol

import grpc
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.message import DecodeError
from google.rpc import code_pb2, error_details_pb2, status_pb2

DETAILS_KEY = "grpc-status-details-bin"
INTERNAL_REASON = "INTERNAL"
MAX_VIOLATIONS = 16
MAX_MESSAGE_CHARACTERS = 512

_REASON = re.compile(r"[A-Z][A-Z0-9_]{0,63}")

_log = logging.getLogger(__name__)


class Violation(NamedTuple):
    """One broken rule: the field's path, and what is wrong. Never the value."""

    field: str
    description: str


class Reasoned(Protocol):
    """An error that callers may see: its text goes out, and they branch on its reason.

    Optional attributes: `metadata: Mapping[str, str]`, `violations: Sequence[Violation]` and
    `retry_after: timedelta | None`.
    """

    reason: str


class MeshError(Exception):
    """The mesh refused; `reason` is what callers branch on."""

    reason = "MESH_REFUSED"


class InvalidRequest(MeshError):
    """A request breaks the rules of its schema."""

    reason = "INVALID_REQUEST"

    def __init__(self, violations: Sequence[Violation]) -> None:
        first = violations[0]
        more = f" (and {len(violations) - 1} more)" if len(violations) > 1 else ""
        super().__init__(f"{first.field}: {first.description}{more}")
        self.violations = violations


class NotAuthenticated(MeshError):
    """Nobody can tell who calls."""

    reason = "NOT_AUTHENTICATED"


class NotPermitted(MeshError):
    """The caller's role may not call the method."""

    reason = "NOT_PERMITTED"

    def __init__(self, identity: str, method: str) -> None:
        super().__init__("the caller may not call this method")
        self.metadata = {"identity": identity, "method": method}


class DeadlineTooShort(MeshError):
    """The call's time was up before it began."""

    reason = "DEADLINE_TOO_SHORT"


class Full(MeshError):
    """A queue holds as much as it may."""

    reason = "OVERLOADED"


class Closed(MeshError):
    """The service is going down and takes no more."""

    reason = "SHUTTING_DOWN"


class IdentityError(MeshError):
    """A certificate or a SPIFFE id cannot be used."""

    reason = "BAD_IDENTITY"


class SettingsError(MeshError):
    """An environment variable is missing or wrong; names the variable, never its value."""

    reason = "BAD_SETTING"


MESH_STATUSES: Mapping[type[Exception], grpc.StatusCode] = {
    InvalidRequest: grpc.StatusCode.INVALID_ARGUMENT,
    NotAuthenticated: grpc.StatusCode.UNAUTHENTICATED,
    NotPermitted: grpc.StatusCode.PERMISSION_DENIED,
    DeadlineTooShort: grpc.StatusCode.DEADLINE_EXCEEDED,
    Full: grpc.StatusCode.RESOURCE_EXHAUSTED,
    Closed: grpc.StatusCode.UNAVAILABLE,
}


def to_status(
    error: Exception, table: Mapping[type[Exception], grpc.StatusCode], domain: str
) -> status_pb2.Status:
    """The status for an error: by the table, then the mesh's own, else INTERNAL, logged, without its text."""
    code = _code_of(type(error), table)
    if code is None:
        return _internal(error, domain)
    details: list[AnyMessage] = [
        _packed(
            error_details_pb2.ErrorInfo(
                reason=getattr(error, "reason", code.name),
                domain=domain,
                metadata=getattr(error, "metadata", {}),
            )
        )
    ]
    if violations := getattr(error, "violations", ()):
        details.append(_packed(_bad_request(violations)))
    if (after := getattr(error, "retry_after", None)) is not None:
        info = error_details_pb2.RetryInfo()
        info.retry_delay.FromTimedelta(after)
        details.append(_packed(info))
    text = str(error)[:MAX_MESSAGE_CHARACTERS]
    return status_pb2.Status(code=code.value[0], message=text, details=details)


def _code_of(
    kind: type[Exception], table: Mapping[type[Exception], grpc.StatusCode]
) -> grpc.StatusCode | None:
    for ancestor in kind.__mro__:
        code = table.get(ancestor) or MESH_STATUSES.get(ancestor)
        if code is not None:
            return code
    return None


def _internal(error: Exception, domain: str) -> status_pb2.Status:
    incident = secrets.token_hex(8)
    _log.error("internal error", exc_info=error, extra={"incident": incident})
    info = error_details_pb2.ErrorInfo(reason=INTERNAL_REASON, domain=domain, metadata={"incident": incident})
    return status_pb2.Status(code=code_pb2.INTERNAL, message="internal error", details=[_packed(info)])


def _bad_request(violations: Iterable[Violation]) -> error_details_pb2.BadRequest:
    shown = list(violations)[:MAX_VIOLATIONS]
    return error_details_pb2.BadRequest(
        field_violations=[
            error_details_pb2.BadRequest.FieldViolation(field=v.field, description=v.description)
            for v in shown
        ]
    )


def _packed(
    message: error_details_pb2.ErrorInfo | error_details_pb2.BadRequest | error_details_pb2.RetryInfo,
) -> AnyMessage:
    packed = AnyMessage()
    packed.Pack(message)
    return packed


@dataclass(frozen=True, slots=True)
class ErrorDetails:
    """What a failed call says of itself."""

    reason: str
    domain: str
    metadata: Mapping[str, str] = field(default_factory=dict)
    violations: Sequence[Violation] = ()
    retry_after: timedelta | None = None


def reason_of(error: grpc.RpcError) -> str | None:
    """The reason of a failed call; None where the peer gave none."""
    details = details_of(error)
    return details.reason if details else None


def answer_of(error: grpc.aio.AioRpcError) -> str:
    """Code and reason of a failed call: its text may be of whatever stands between the peer and us."""
    reason = reason_of(error) or ""
    return f"{error.code().name}: {reason}" if _REASON.fullmatch(reason) else str(error.code().name)


def details_of(error: grpc.RpcError) -> ErrorDetails | None:
    """The details of a failed call; None where the peer gave none, or none that can be read."""
    if not isinstance(error, grpc.aio.AioRpcError):
        return None
    trailing: Any = error.trailing_metadata()
    for key, value in trailing or ():
        if key == DETAILS_KEY and isinstance(value, bytes):
            return _details_from_bytes(value)
    return None


def _details_from_bytes(data: bytes) -> ErrorDetails | None:
    info = error_details_pb2.ErrorInfo()
    bad = error_details_pb2.BadRequest()
    retry = error_details_pb2.RetryInfo()
    try:
        status = status_pb2.Status.FromString(data)
        found = [part for detail in status.details for part in (info, bad, retry) if detail.Unpack(part)]
    except (DecodeError, ValueError):
        return None
    if not info.reason:
        return None
    return ErrorDetails(
        reason=info.reason,
        domain=info.domain,
        metadata=dict(info.metadata),
        violations=tuple(Violation(v.field, v.description) for v in bad.field_violations),
        retry_after=retry.retry_delay.ToTimedelta() if retry in found else None,
    )
