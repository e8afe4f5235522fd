"""What comes by webhook, and what it says."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from hub.events.told import EventKind
from hub.jobs.agreeing import Sum


@dataclass(frozen=True, slots=True)
class WebhookRules:
    """How a provider calls, by its manifest: what else comes is refused. `room`: deliveries at once."""

    methods: frozenset[str]
    content_types: frozenset[str]
    max_bytes: int
    room: int


@dataclass(frozen=True, slots=True)
class Delivery:
    """A webhook as it came: headers by lower-case name, in order, and the raw bytes.

    `url` is the public address without its query, empty if the hub was not told; `query` its raw text.
    """

    lane: str
    headers: Sequence[tuple[str, str]]
    body: bytes
    received_at: datetime
    method: str
    url: str
    query: str


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
class Answer:
    """What a provider is told, as the challenge that it sent."""

    status: int
    content_type: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Heard:
    """What a verified webhook says. `answer` None: the provider is told that it was taken."""

    events: Sequence[ArrivedEvent] = ()
    answer: Answer | None = None


@dataclass(frozen=True, slots=True)
class Kept:
    """What the store made of an event: whether it, or all that it says, is new, and the trace of its job."""

    is_new: bool
    trace: Mapping[str, str]


class WebhookRefused(Exception):
    """The webhook is not the provider's: forged, stale, or not for this account."""
