"""What this process remembers of attempts: begun, finished, refused, and who owns a lane. No I/O."""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum
from typing import Final, Generic, TypeAlias, TypeVar

from integration.spoke.v1.spoke_service_pb2 import AttemptResult
from mesh.clock import Clock

KEEP_SECONDS: Final = 15 * 60.0
KEEP_RESULTS: Final = 30_000
KEEP_IDS: Final = 300_000
# The clocks of the hub and of this machine differ by less.
CLOCK_SKEW: Final = timedelta(seconds=1)

Handle = TypeVar("Handle")


class Knowledge(IntEnum):
    """What this instance knows of an attempt. The numbers are those of the contract."""

    NOT_STARTED = 1
    RUNNING = 2
    FINISHED = 3
    NONE = 4


@dataclass(frozen=True, slots=True)
class Fresh:
    """Nobody has begun it here: begin it."""


@dataclass(frozen=True, slots=True)
class Running(Generic[Handle]):
    """It has been begun here; `handle` leads to its end."""

    handle: Handle


@dataclass(frozen=True, slots=True)
class Finished:
    """It has ended here. `result` None: so long ago that the result is forgotten."""

    result: AttemptResult | None


@dataclass(frozen=True, slots=True)
class Closed:
    """It may not begin: its lane has a newer owner, or a fence has ruled it out."""


Standing: TypeAlias = Fresh | Running[Handle] | Finished | Closed


@dataclass(frozen=True, slots=True)
class Report:
    """What is known of one attempt."""

    attempt_id: str
    knowledge: Knowledge
    result: AttemptResult | None = None


class Attempts(Generic[Handle]):
    """The memory of one process. Results are kept for 15 minutes, or as long as there is room."""

    def __init__(self, clock: Clock, *, keep_results: int = KEEP_RESULTS) -> None:
        self._clock = clock
        self._keep_results = keep_results
        self.started_at = clock.now()
        self._terms: dict[str, int] = {}
        self._running: dict[str, Handle] = {}
        self._results: OrderedDict[str, tuple[float, AttemptResult]] = OrderedDict()
        self._begun: OrderedDict[str, None] = OrderedDict()
        self._refused: OrderedDict[str, None] = OrderedDict()
        self._reads: OrderedDict[str, None] = OrderedDict()

    def is_older(self, stated_at: datetime) -> bool:
        """True if it was stated before this process began: an earlier one may have ruled it out."""
        return stated_at < self.started_at

    def standing_read(self, attempt_id: str) -> Standing[Handle]:
        """How a read stands: whoever sends it owns nothing, and it closes nothing."""
        if (handle := self._running.get(attempt_id)) is not None:
            return Running(handle)
        return Finished(None) if attempt_id in self._reads else Fresh()

    def standing(self, attempt_id: str, *, lane: str, term: int) -> Standing[Handle]:
        """How an attempt stands that the owner of `term` sends; a newer term closes the lane to older."""
        if (handle := self._running.get(attempt_id)) is not None:
            return Running(handle)
        if attempt_id in self._begun:
            kept = self._results.get(attempt_id)
            return Finished(kept[1] if kept else None)
        if attempt_id in self._refused or not self._own(lane, term):
            return Closed()
        return Fresh()

    def begin(self, attempt_id: str, handle: Handle) -> None:
        """Notes that an attempt has begun."""
        self._running[attempt_id] = handle
        self._begun[attempt_id] = None
        while len(self._begun) > KEEP_IDS:
            self._begun.popitem(last=False)

    def finish(self, result: AttemptResult) -> None:
        """Notes that an attempt has ended."""
        now = self._clock.monotonic()
        del self._running[result.attempt_id]
        self._results[result.attempt_id] = (now, result)
        while self._results and self._is_surplus(now):
            self._results.popitem(last=False)

    def begin_read(self, attempt_id: str, handle: Handle) -> None:
        """Notes that a read has begun, in a memory of its own: reads are many, and must not push out jobs."""
        self._running[attempt_id] = handle
        self._reads[attempt_id] = None
        while len(self._reads) > KEEP_IDS:
            self._reads.popitem(last=False)

    def finish_read(self, attempt_id: str) -> None:
        """Notes that a read has ended; nobody will ask what it came to."""
        del self._running[attempt_id]

    def fence(self, lane: str, term: int, claims: Sequence[tuple[str, datetime]]) -> list[Report]:
        """Closes the lane to terms before `term`, and each attempt asked about that has not begun."""
        self._own(lane, term)
        return [self._report(attempt_id, claimed_at) for attempt_id, claimed_at in claims]

    @property
    def running(self) -> Sequence[Handle]:
        """The attempts under way."""
        return list(self._running.values())

    def _own(self, lane: str, term: int) -> bool:
        newest = max(term, self._terms.get(lane, 0))
        self._terms[lane] = newest
        return term == newest

    def _report(self, attempt_id: str, claimed_at: datetime) -> Report:
        if attempt_id in self._running:
            return Report(attempt_id, Knowledge.RUNNING)
        if (kept := self._results.get(attempt_id)) is not None:
            return Report(attempt_id, Knowledge.FINISHED, kept[1])
        if attempt_id in self._begun:
            return Report(attempt_id, Knowledge.NONE)
        self._refused[attempt_id] = None
        while len(self._refused) > KEEP_IDS:
            self._refused.popitem(last=False)
        here_since_before = claimed_at >= self.started_at + CLOCK_SKEW
        return Report(attempt_id, Knowledge.NOT_STARTED if here_since_before else Knowledge.NONE)

    def _is_surplus(self, now: float) -> bool:
        oldest = next(iter(self._results.values()))[0]
        return len(self._results) > self._keep_results or oldest < now - KEEP_SECONDS
