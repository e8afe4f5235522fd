"""What comes by webhook, and what it says."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Delivery:
    """A webhook as it came: headers by lower-case name, in order, and the raw bytes."""

    lane: str
    headers: Sequence[tuple[str, str]]
    body: bytes
    received_at: datetime


@dataclass(frozen=True, slots=True)
class ArrivedEvent:
    """A verified event. `outcome` and `confirmation` are opaque bytes; empty where there is none."""

    lane: str
    event_id: str
    type: str
    job_id: str
    outcome: bytes
    confirmation: bytes


@dataclass(frozen=True, slots=True)
class Kept:
    """What the store made of an event: whether it, or all that it says, is new, and the trace of its job."""

    is_new: bool
    trace: Mapping[str, str]


class WebhookRefused(Exception):
    """The webhook is not the provider's: forged, stale, or not for this account."""
