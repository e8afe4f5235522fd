"""The circuit breaker of a lane. Pure: time is given, in monotonic seconds."""

from dataclasses import dataclass, replace
from enum import Enum, IntEnum
from typing import assert_never

from hub.jobs.outcome import (
    Declined,
    NotSent,
    NotSentCause,
    Outcome,
    Pending,
    Succeeded,
    Unknown,
    UnknownCause,
)

FAILURES_TO_OPEN = 5
SUCCESSES_TO_CLOSE = 3
PROBES = 3
FIRST_OPEN_SECONDS = 5.0
LONGEST_OPEN_SECONDS = 60.0
LONGEST_ASKED_SECONDS = 3600.0
REFUSED_TO_HOLD = 3
HELD_SECONDS = 30.0
FOREVER = float("inf")
MISCONFIGURED = "MISCONFIGURED"
"""The reason of a breaker that wrong credentials or settings of ours have opened."""


class BreakerState(IntEnum):
    """Whether the provider is tried. The numbers are those of the contract and of the store."""

    CLOSED = 1
    OPEN = 2
    HALF_OPEN = 3


class Verdict(Enum):
    """What an outcome says about the provider."""

    UP = "up"
    DOWN = "down"
    REFUSES_US = "refuses us"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Breaker:
    """`run` counts failures in a row of work while closed, successes in a row while half-open.

    `asks` counts failures in a row of look-ups. `by_writes`: work has failed since it was closed,
    so only work closes it. `refused`: the jobs in a row to which the provider refused our credentials.
    """

    state: BreakerState = BreakerState.CLOSED
    open_until: float = 0.0
    reason: str = ""
    trips: int = 0
    run: int = 0
    asks: int = 0
    by_writes: bool = False
    refused: frozenset[str] = frozenset()

    @property
    def is_closed(self) -> bool:
        """True if everything may go."""
        return self.state is BreakerState.CLOSED

    @property
    def holds_misconfigured(self) -> bool:
        """True if it is our own settings that keep it from closing."""
        return not self.is_closed and self.reason == MISCONFIGURED


@dataclass(frozen=True, slots=True)
class Trials:
    """What trials have shown since the breaker was last closed: some jobs failed, another passed."""

    failed: frozenset[str] = frozenset()
    passed: bool = False

    def speaks_against(self, job_id: str) -> bool:
        """Whether a job has failed where another has not: then it is that job's own trouble."""
        return self.passed and job_id in self.failed

    def after(self, before: Breaker, then: Breaker, outcome: Outcome, *, job_id: str) -> "Trials":
        """The trials after an attempt has moved the breaker from `before` to `then`."""
        if then.is_closed:
            return Trials()
        if before.state is not BreakerState.HALF_OPEN or then == before:
            return self
        if verdict(outcome) is Verdict.UP:
            return replace(self, passed=True)
        return replace(self, failed=self.failed | {job_id})


def verdict(outcome: Outcome) -> Verdict:
    """Only a provider that is down, or is silent after a request, speaks against it."""
    match outcome:
        case Succeeded() | Pending() | Declined() | NotSent(cause=NotSentCause.ABSENT):
            return Verdict.UP
        case NotSent(cause=NotSentCause.PROVIDER_DOWN):
            return Verdict.DOWN
        case NotSent(cause=NotSentCause.MISCONFIGURED):
            return Verdict.REFUSES_US
        case NotSent():
            return Verdict.NOTHING
        case Unknown():
            return Verdict.DOWN if outcome.cause is UnknownCause.PROVIDER else Verdict.NOTHING
    assert_never(outcome)


def admits(breaker: Breaker, in_flight: int) -> int | None:
    """How many attempts more may begin; None: as many as you like."""
    match breaker.state:
        case BreakerState.CLOSED:
            return None
        case BreakerState.OPEN:
            return 0
        case BreakerState.HALF_OPEN:
            return max((1 if breaker.holds_misconfigured else PROBES) - in_flight, 0)
    assert_never(breaker.state)


def at(breaker: Breaker, now: float) -> Breaker:
    """The breaker as of `now`: an open one whose time is over lets a few through."""
    if breaker.state is BreakerState.OPEN and now >= breaker.open_until:
        return replace(breaker, state=BreakerState.HALF_OPEN, run=0)
    return breaker


def after(
    breaker: Breaker, outcome: Outcome, now: float, *, job_id: str = "", writes: bool = True
) -> Breaker:
    """The breaker after an attempt has come to `outcome`; `writes`: of work, not of a look-up."""
    match breaker.state:
        case BreakerState.OPEN:
            return breaker
        case BreakerState.HALF_OPEN:
            return _after_trial(breaker, outcome, now, writes=writes)
        case BreakerState.CLOSED:
            return _after_use(breaker, outcome, now, job_id=job_id, writes=writes)
    assert_never(breaker.state)


def _after_trial(breaker: Breaker, outcome: Outcome, now: float, *, writes: bool) -> Breaker:
    match verdict(outcome):
        case Verdict.UP:
            # That the provider answers questions does not say that it takes work; that it takes our key does.
            return breaker if breaker.by_writes and not writes else _after_success(breaker)
        case Verdict.DOWN:
            return _opened(breaker, outcome, now, writes=writes)
        case Verdict.REFUSES_US:
            return _held(breaker, now)
        case Verdict.NOTHING:
            is_garbage = isinstance(outcome, Unknown) and outcome.cause is UnknownCause.UNSPECIFIED
            return _opened(breaker, outcome, now, writes=True) if is_garbage and writes else breaker


def _after_use(breaker: Breaker, outcome: Outcome, now: float, *, job_id: str, writes: bool) -> Breaker:
    match verdict(outcome):
        case Verdict.UP:
            return Breaker() if writes else replace(breaker, asks=0, refused=frozenset())
        case Verdict.DOWN:
            failed = replace(breaker, run=breaker.run + writes, asks=breaker.asks + (not writes))
            opens = failed.run + failed.asks >= FAILURES_TO_OPEN
            return _opened(failed, outcome, now, writes=failed.run > 0) if opens else failed
        case Verdict.REFUSES_US:
            refused = replace(breaker, refused=breaker.refused | {job_id})
            return _held(refused, now) if len(refused.refused) >= REFUSED_TO_HOLD else refused
        case Verdict.NOTHING:
            return breaker


def _after_success(breaker: Breaker) -> Breaker:
    enough = 1 if breaker.holds_misconfigured else SUCCESSES_TO_CLOSE
    return replace(breaker, run=breaker.run + 1) if breaker.run + 1 < enough else Breaker()


def _held(breaker: Breaker, now: float) -> Breaker:
    until, trips = now + HELD_SECONDS, breaker.trips + 1
    return Breaker(BreakerState.OPEN, until, MISCONFIGURED, trips, by_writes=breaker.by_writes)


def _opened(breaker: Breaker, outcome: Outcome, now: float, *, writes: bool) -> Breaker:
    seconds = min(FIRST_OPEN_SECONDS * 2.0 ** min(breaker.trips, 10), LONGEST_OPEN_SECONDS)
    if isinstance(outcome, NotSent) and outcome.retry_after:
        seconds = max(seconds, min(outcome.retry_after.total_seconds(), LONGEST_ASKED_SECONDS))
    reason = outcome.reason if isinstance(outcome, NotSent | Unknown) else ""
    by_writes = breaker.by_writes or writes
    return Breaker(BreakerState.OPEN, now + seconds, reason, breaker.trips + 1, by_writes=by_writes)
