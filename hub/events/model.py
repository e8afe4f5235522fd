"""What comes by webhook, and what it says."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from hub.events.told import EventKind
from hub.jobs.agreeing import Sum


@dataclass(frozen=True, slots=True)
class Delivery:
    """A webhook as it came: headers by lower-case name, in order, and the raw bytes."""

    lane: str
    headers: Sequence[tuple[str, str]]
    body: bytes
    received_at: datetime


@dataclass(frozen=True, slots=True)
class Concern:
    """What Core is told of although no job waits for it; `reference`: the provider's id of what a job did."""

    kind: EventKind
    reference: str = ""
    amount: Sum | None = None


@dataclass(frozen=True, slots=True)
class ArrivedEvent:
    """A verified event. `outcome` and `confirmation` are opaque bytes; empty where there is none.

    `happened_at`: by the provider's clock, where it says when.
    """

    lane: str
    event_id: str
    type: str
    job_id: str
    outcome: bytes
    confirmation: bytes
    happened_at: datetime | None = None
    concern: Concern | None = None


@dataclass(frozen=True, slots=True)
class Kept:
    """What the store made of an event: whether it, or all that it says, is new, and the trace of its job."""

    is_new: bool
    trace: Mapping[str, str]


class WebhookRefused(Exception):
    """The webhook is not the provider's: forged, stale, or not for this account."""
