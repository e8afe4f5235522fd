"""The only fakes: small classes that serve a protocol of the product where a test must hold the reins."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime, timedelta

from hub.jobs.model import Claimed
from hub.jobs.outcome import Outcome, Succeeded
from hub.jobs.spec import Limits, OperationSpec
from hub.lanes.ports import (
    Knowledge,
    LogUnavailable,
    Receipt,
    Refused,
    Report,
    Result,
    SpokeUnavailable,
    Warranted,
)
from hub.reads.performing import Try
from tests.hub.jobs import NOW, spec


class HandClock:
    """A clock that stands still until it is moved."""

    def __init__(self, now: datetime = NOW) -> None:
        self._now = now
        self._seconds = 0.0

    def now(self) -> datetime:
        """The moment it was set to."""
        return self._now

    def monotonic(self) -> float:
        """Seconds that it was moved by."""
        return self._seconds

    def move(self, seconds: float) -> None:
        """Lets time pass."""
        self._now += timedelta(seconds=seconds)
        self._seconds += seconds


class FakeLog:
    """An audit log that keeps what it is given, and can be down or refuse."""

    def __init__(self) -> None:
        self.entries: list[bytes] = []
        self.down = False
        self.refuses = False
        self.error: Exception | None = None
        self.asked = asyncio.Event()

    async def append(self, envelopes: Sequence[bytes], trace: Mapping[str, str]) -> list[Receipt | Refused]:
        """Appends, or raises LogUnavailable while it is down."""
        self.asked.set()
        if self.down:
            raise LogUnavailable("down")
        if self.error is not None:
            raise self.error
        if self.refuses:
            return [Refused("MALFORMED") for _ in envelopes]
        for envelope in envelopes:
            if envelope not in self.entries:
                self.entries.append(envelope)
        return [Receipt(self.entries.index(e), b"l" * 32, (), b"note") for e in envelopes]


class FakeSpokes:
    """Spokes that answer with what the test has laid out, and note what they were sent."""

    def __init__(self, outcomes: Sequence[Outcome] = ()) -> None:
        self.outcomes = list(outcomes)
        self.evidence = b"evidence"
        self.sent: list[str] = []
        self.knowledge = Knowledge.NONE
        self.cut = self.gone = False
        self.asked = asyncio.Event()
        self.ready = True
        self.limited: Limits | None = None
        self.operation = spec()

    def is_ready(self, provider: str) -> bool:
        """As the test says."""
        return self.ready

    def spec(self, provider: str, operation: str) -> OperationSpec:
        """The same for every operation."""
        return self.operation

    def limits(self, lane: str) -> Limits | None:
        """What the test says, if it says something."""
        return self.limited

    async def perform(
        self, lane: str, term: int, attempts: Sequence[Warranted]
    ) -> AsyncIterator[list[Result]]:
        """Answers each attempt with the next outcome, or is cut off before the first."""
        self.sent += [a.claimed.attempt_id for a in attempts]
        if self.cut:
            raise SpokeUnavailable("cut")
        for attempt in attempts:
            yield [Result(attempt.claimed.attempt_id, self.outcomes.pop(0), self.evidence)]

    async def fence(self, lane: str, term: int, attempts: Sequence[Claimed]) -> list[Report]:
        """Knows of every attempt what the test says, unless it has gone."""
        self.asked.set()
        if self.gone:
            raise SpokeUnavailable("gone")
        return [Report(a.attempt_id, self.knowledge, None) for a in attempts]


class FakeNotary:
    """Signs nothing, but says what would be signed."""

    def intents(self, attempts: Sequence[Claimed]) -> list[bytes]:
        """One text per attempt."""
        return [f"intent {a.attempt_id}".encode() for a in attempts]

    def evidence(self, attempt: Claimed, outcome: Outcome, receipt: Receipt) -> bytes:
        """A text that names the attempt."""
        return f"evidence {attempt.attempt_id}".encode()


class NoEvents:
    """No webhook has come early."""

    async def apply(self, job_id: str) -> bool:
        """Nothing to apply."""
        return False


async def nothing_read(each: Try) -> Try:
    """Answers a read at once, with nothing."""
    each.outcome.set_result(Succeeded("", b""))
    return each


class HandPause:
    """A duty loop's pause that lasts until the test ends it, or until the loop's event is set."""

    def __init__(self) -> None:
        self.begun: asyncio.Queue[float | None] = asyncio.Queue()
        self._over = asyncio.Event()

    async def __call__(self, event: asyncio.Event, seconds: float | None) -> None:
        """Notes how long the loop wants to wait, and waits."""
        self._over = asyncio.Event()
        self.begun.put_nowait(seconds)
        ends = [asyncio.ensure_future(e.wait()) for e in (event, self._over)]
        try:
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for end in ends:
                end.cancel()

    def end(self) -> None:
        """Lets the time be up."""
        self._over.set()


class PastDeadline:
    """A gRPC call's context, true in all but this: its deadline has passed."""

    def __init__(self, context: object) -> None:
        self._context = context

    def __getattr__(self, name: str) -> object:
        return getattr(self._context, name)

    def time_remaining(self) -> float:
        """Nothing."""
        return 0.0
