"""What an attempt, a look-up or a webhook came to."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum


class NotSentCause(IntEnum):
    """Why a request certainly had no effect. The numbers are those of the contract."""

    PROVIDER_DOWN = 1
    THROTTLED = 2
    MISCONFIGURED = 3
    OVERLOADED = 4
    NO_RECEIPT = 5
    FENCED = 6
    ABSENT = 7
    UNSUPPORTED = 8


@dataclass(frozen=True, slots=True)
class Succeeded:
    """The provider did it. `result` is the serialized message named by `result_type`."""

    result_type: str
    result: bytes
    provider_reference: str = ""


@dataclass(frozen=True, slots=True)
class Pending:
    """The provider accepted it and settles it later, by `confirm_by` at the latest."""

    result_type: str
    result: bytes
    provider_reference: str = ""
    confirm_by: datetime | None = None


@dataclass(frozen=True, slots=True)
class Declined:
    """The provider said no."""

    reason: str
    message: str
    provider_reference: str = ""


@dataclass(frozen=True, slots=True)
class NotSent:
    """Certainly not performed."""

    cause: NotSentCause
    reason: str
    message: str
    retry_after: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Unknown:
    """May have been performed."""

    reason: str
    message: str
    provider_reference: str = ""


Outcome = Succeeded | Pending | Declined | NotSent | Unknown
