"""What a lane at work needs from outside, and what passes between it and them."""

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum
from typing import Protocol

from hub.jobs.decide import begin_by
from hub.jobs.decision import Decision
from hub.jobs.model import Claimed, Ending, Purpose
from hub.jobs.outcome import Outcome
from hub.jobs.spec import Limits, OperationSpec
from hub.lanes.breaker import Breaker, BreakerState


@dataclass(frozen=True, slots=True)
class Settlement:
    """One attempt's end: the decision, and the signed evidence for the log."""

    job_id: str
    seq: int
    decision: Decision
    outcome: str
    statement_id: str
    evidence: bytes


@dataclass(frozen=True, slots=True)
class Settled:
    """What the store made of a settlement."""

    job_id: str
    ending: Ending
    has_held_events: bool


@dataclass(frozen=True, slots=True)
class Orphan:
    """An attempt that an older owner had claimed, with the intent that it wrote down."""

    claimed: Claimed
    intent: bytes


@dataclass(frozen=True, slots=True)
class Statement:
    """A signed statement on its way to the log."""

    statement_id: str
    envelope: bytes


@dataclass(frozen=True, slots=True)
class Receipt:
    """Where a statement stands in the log, verified against `checkpoint`."""

    index: int
    leaf_hash: bytes
    path: tuple[bytes, ...]
    checkpoint: bytes


@dataclass(frozen=True, slots=True)
class Refused:
    """The log does not take a statement, and never will."""

    reason: str


@dataclass(frozen=True, slots=True)
class Warranted:
    """A claimed attempt whose intent the log holds, and what the spoke says of its operation."""

    claimed: Claimed
    intent: bytes
    receipt: Receipt
    spec: OperationSpec

    @property
    def timeout(self) -> timedelta:
        """The longest time for the attempt."""
        return self.spec.timeout

    @property
    def begin_by(self) -> datetime | None:
        """When it has to be begun at the latest; None: what does no work has no such end."""
        return begin_by(self.claimed, self.spec) if self.claimed.purpose is Purpose.EXECUTE else None


@dataclass(frozen=True, slots=True)
class Result:
    """What an attempt came to, with the spoke's signed evidence."""

    attempt_id: str
    outcome: Outcome
    evidence: bytes


class Knowledge(IntEnum):
    """What a spoke knows of an attempt. The numbers are those of the contract."""

    NOT_STARTED = 1
    RUNNING = 2
    FINISHED = 3
    NONE = 4


@dataclass(frozen=True, slots=True)
class Report:
    """A spoke's report on one attempt."""

    attempt_id: str
    knowledge: Knowledge
    result: Result | None


@dataclass(frozen=True, slots=True)
class Grant:
    """A lane owned under a term, `at` what time by the store's clock, and what the store says of its breaker.

    `orders` counts the moves of the breaker by operators; `open_seconds` is what is left of an open one,
    `throttled_seconds` of the time for which the provider wants nothing of the lane. `breaker_by_writes`:
    only work closes it.
    """

    term: int
    at: datetime
    orders: int = 0
    breaker_state: BreakerState = BreakerState.CLOSED
    open_seconds: float = 0.0
    breaker_reason: str = ""
    breaker_trips: int = 0
    breaker_by_writes: bool = False
    throttled_seconds: float = 0.0
    is_paused: bool = False


@dataclass(frozen=True, slots=True)
class Survey:
    """The other replicas that live, with the lanes that each can work on, and the owner of each lane.

    `lapses`: seconds until the first lease of another runs out unless it is renewed; None: there is none.
    """

    offers: Mapping[str, Collection[str]]
    owners: Mapping[str, str]
    lapses: float | None = None


class LogUnavailable(Exception):
    """The audit log cannot be reached or written; nothing may be sent."""


class LogContradicts(Exception):
    """The log contradicts itself or what it said before: nothing is sent until a person has looked."""


class SpokeUnavailable(Exception):
    """The spoke cannot be reached, or the stream of its answers was cut."""


class LaneStore(Protocol):
    """The store as the lanes use it. Every write is fenced by the lane's term."""

    async def claim(
        self,
        lane: str,
        term: int,
        limit: int,
        intents: Callable[[Sequence[Claimed]], list[bytes]],
        *,
        served: Sequence[str] = (),
        trial: bool = False,
    ) -> list[Orphan]:
        """Claims up to `limit` due jobs and writes down their intents, in one commit.

        `served`: tenants served lately, the one that has waited longest first; the others come before them.
        "" among them is what is in doubt.
        `trial`: such as tell most about the provider, tried least, of different operations and tenants.
        """
        ...

    async def adopt(self, lane: str, term: int) -> list[Orphan]:
        """Takes over what an older owner had claimed."""
        ...

    async def settle(self, lane: str, term: int, settlements: Sequence[Settlement]) -> list[Settled]:
        """Settles attempts in one commit; raises LaneLost if the term is over."""
        ...

    async def save_breaker(
        self, lane: str, term: int, breaker: Breaker, *, orders: int, seconds: float
    ) -> None:
        """Writes down how the breaker stands, open for `seconds`, and raises or ends its alert."""
        ...

    async def save_throttle(self, lane: str, term: int, seconds: float, *, orders: int) -> None:
        """Writes down that the provider wants nothing for `seconds`, unless an operator has spoken."""
        ...

    async def next_due(self, lane: str) -> float | None:
        """Seconds until the next job is due; None if none waits."""
        ...

    async def read_outbox(self, lane: str, limit: int) -> list[Statement]:
        """The oldest statements that the log has not confirmed."""
        ...

    async def clear_outbox(self, done: Sequence[str], refused: Mapping[str, str]) -> None:
        """Forgets confirmed statements and sets refused ones aside, by id and reason."""
        ...


class HeldEvents(Protocol):
    """Webhooks that have been kept and not handled yet."""

    async def apply(self, job_id: str) -> bool:
        """Lets them settle the job, if nobody is working on it; True if it has now ended."""
        ...


class LaneLeases(Protocol):
    """Who owns which lane."""

    async def survey(self, owner: str, lanes: Sequence[str], lease: timedelta) -> Survey:
        """Says that this replica lives, for a lease's time, and can work on the lanes; how things stand."""
        ...

    async def acquire(self, owner: str, lanes: Sequence[str], lease: timedelta) -> Mapping[str, Grant]:
        """Renews own lanes and takes free ones; the lanes now owned."""
        ...

    async def release(self, owner: str, lanes: Sequence[str]) -> None:
        """Gives up lanes; whoever takes them next has a new term."""
        ...

    async def retire(self, owner: str) -> None:
        """Gives up all lanes and says that this replica goes."""
        ...


class Notary(Protocol):
    """Signs what the hub states."""

    def intents(self, attempts: Sequence[Claimed]) -> list[bytes]:
        """One signed intent per attempt, in order."""
        ...

    def evidence(self, attempt: Claimed, outcome: Outcome, receipt: Receipt) -> bytes:
        """Signed evidence of an attempt that no spoke can speak for."""
        ...


class AuditLog(Protocol):
    """The write-once log. Receipts are verified before they are returned."""

    async def append(self, envelopes: Sequence[bytes], trace: Mapping[str, str]) -> list[Receipt | Refused]:
        """Appends in order; raises LogUnavailable."""
        ...


class Spokes(Protocol):
    """The spokes, by name."""

    def is_ready(self, provider: str) -> bool:
        """Whether the spoke answered when it was last asked."""
        ...

    def spec(self, provider: str, operation: str) -> OperationSpec:
        """What the spoke says of an operation; raises UnknownProvider."""
        ...

    def limits(self, lane: str) -> Limits | None:
        """The limits that the spoke says now; None: it has said none."""
        ...

    def perform(self, lane: str, term: int, attempts: Sequence[Warranted]) -> AsyncIterator[list[Result]]:
        """Performs attempts or look-ups of one purpose; raises SpokeUnavailable when cut off."""
        ...

    async def fence(self, lane: str, term: int, attempts: Sequence[Claimed]) -> list[Report]:
        """Closes the lane to older owners and asks about their attempts; raises SpokeUnavailable."""
        ...


Settle = Callable[[Settlement], Awaitable[Settled]]
"""Settles one attempt, sharing its commit with others; raises LaneLost."""
