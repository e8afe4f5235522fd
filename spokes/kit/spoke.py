"""What a provider's folder implements: handlers, and as far as the provider allows, the rest."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum
from typing import Any, Final, Literal, Protocol, TypeAlias, runtime_checkable

from google.protobuf.message import Message

from integration.common.v1.money_pb2 import Money
from spokes.kit.accounts import Account
from spokes.kit.errors import WebhookRefused
from spokes.kit.http import ProviderHttp
from spokes.kit.outcome import Outcome
from spokes.kit.progress import Track


@dataclass(frozen=True, slots=True)
class Call:
    """One attempt or look-up, beside its request.

    `job_id` is our reference at the provider, `key` the idempotency key, `reference` the provider's
    own id from an earlier outcome or empty. `track` is for those who do not use `http`.
    """

    job_id: str
    account: Account
    key: str
    reference: str
    job_created_at: datetime
    http: ProviderHttp
    track: Track


Handler: TypeAlias = Callable[[Call, Any], Awaitable[Outcome]]
"""Performs one operation: takes its request message, returns what the attempt came to."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """A webhook as it arrived: raw bytes, and headers by lower-case name, the last one winning.

    `url` is the public address without the query, as the hub's settings and the path have it; empty where the
    hub was not told. `query` is what stood behind the question mark, byte for byte.
    """

    body: bytes
    headers: Mapping[str, str]
    received_at: datetime
    method: str = "POST"
    url: str = ""
    query: str = ""

    @property
    def address(self) -> str:
        """The public address with its query."""
        return f"{self.url}?{self.query}" if self.query else self.url


class ConcernKind(IntEnum):
    """What an event is about that is no outcome of a job's work. The numbers are those of the contract."""

    DISPUTE = 1
    REVERSAL = 2
    BOUNCE = 3
    INBOUND = 4
    OTHER = 5


@dataclass(frozen=True, slots=True)
class Concern:
    """What Core is told of, although no job waits for it.

    `reference`: the provider's id of what a job has done, such as the payment that is disputed; by it the hub
    finds whom it concerns.
    """

    kind: ConcernKind
    reference: str = ""
    amount: Money | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that the provider says has happened. `outcome` None: nothing that the hub acts on.

    `concern`: what Core is told of then.

    The hub lets it settle a job only if what it names is what the job asked for: `rpcs`, the operations it
    can speak of; `amount`, the money of that step; `fields`, other fields of the request by name.
    """

    id: str
    type: str
    job_id: str = ""
    reference: str = ""
    outcome: Outcome | None = None
    happened_at: datetime | None = None
    rpcs: tuple[str, ...] = ()
    amount: Money | None = None
    fields: Mapping[str, str] = field(default_factory=dict)
    concern: Concern | None = None


MOST_ANSWER_BYTES: Final = 4096

AnswerType: TypeAlias = Literal["text/plain", "text/xml", "application/json", "application/xml"]


@dataclass(frozen=True, slots=True)
class Answer:
    """What the provider is told instead of an empty success, as the challenge that it sent."""

    body: bytes = b""
    content_type: AnswerType = "text/plain"
    status: Literal[200, 201, 202, 204] = 200

    def __post_init__(self) -> None:
        # The body is most often the provider's own text, so too much of it is the delivery's fault.
        if len(self.body) > MOST_ANSWER_BYTES:
            raise WebhookRefused(f"it asks for an answer of more than {MOST_ANSWER_BYTES} bytes")


@dataclass(frozen=True, slots=True)
class Heard:
    """What a verified webhook says, up to 1,000 events, and what the provider is told."""

    events: Sequence[Event] = ()
    answer: Answer | None = None


@dataclass(frozen=True, slots=True)
class EventPage:
    """Some events, oldest first, and the token of the next page; empty on the last."""

    events: Sequence[Event] = field(default_factory=tuple)
    next_token: str = ""


class Spoke(Protocol):
    """The least a provider's folder offers; `spoke.py` makes it by `build()`."""

    def handlers(self) -> Mapping[str, Handler]:
        """The handlers by RPC name: exactly the manifest's operations."""
        ...


@runtime_checkable
class ChecksAccounts(Protocol):
    """A provider that needs more of an account than the kit asks for."""

    def check_account(self, account: Account) -> None:
        """Called at start; raises BadAccounts naming account and key, never the value."""
        ...


@runtime_checkable
class LooksUp(Protocol):
    """A provider that can be asked by our reference."""

    async def look_up(self, call: Call, rpc: str, request: Message) -> Outcome:
        """Says what became of the job; NotSent ABSENT if nothing is known. Changes nothing."""
        ...


@runtime_checkable
class Cancels(Protocol):
    """A provider that can call off what it has accepted and not done yet."""

    async def cancel(self, call: Call, rpc: str, request: Message) -> Outcome:
        """Calls the job's work off and says what became of it: `called_off()`, or what it had come to before.

        `call.reference` is the provider's id of it; `call.key` is for this request alone.
        """
        ...


@runtime_checkable
class HearsWebhooks(Protocol):
    """A provider that calls us."""

    def verify_webhook(self, account: Account, delivery: Delivery) -> Sequence[Event] | Heard:
        """Verifies the raw bytes, then reads them; raises WebhookRefused. No outside call.

        A challenge is answered only once it has proved to be the provider's, or to be for a topic that the
        account's settings name.
        """
        ...


@runtime_checkable
class ListsEvents(Protocol):
    """A provider that keeps a list of its events."""

    async def list_events(self, call: Call, start: datetime, end: datetime, token: str) -> EventPage:
        """One page of the events from `start`, inclusive, to `end`, exclusive."""
        ...
