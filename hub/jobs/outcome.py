"""What an attempt, a look-up or a webhook came to."""

from collections.abc import Mapping
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


class UnknownCause(IntEnum):
    """Whose doing it is that an outcome is unknown. The numbers are those of the contract."""

    UNSPECIFIED = 0
    PROVIDER = 1
    WORKER_LOST = 2


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
    """May have been performed. `answered`: a whole reply was read, and said nothing certain."""

    reason: str
    message: str
    provider_reference: str = ""
    cause: UnknownCause = UnknownCause.UNSPECIFIED
    answered: bool = False


Outcome = Succeeded | Pending | Declined | NotSent | Unknown

WORDS: Mapping[type[Outcome], str] = {
    Succeeded: "succeeded",
    Pending: "pending",
    Declined: "declined",
    NotSent: "not_sent",
    Unknown: "unknown",
}
"""The outcomes by their names in the contract, in the evidence and in the store."""
