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
FOREVER = float("inf")


class BreakerState(IntEnum):
    """Whether the provider is tried. The numbers are those of the contract and of the store."""

    CLOSED = 1
    OPEN = 2
    HALF_OPEN = 3


class Verdict(Enum):
    """What an outcome says about the provider."""

    UP = "up"
    DOWN = "down"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Breaker:
    """`run` counts failures in a row while closed, successes in a row while half-open."""

    state: BreakerState = BreakerState.CLOSED
    open_until: float = 0.0
    reason: str = ""
    trips: int = 0
    run: int = 0

    @property
    def is_closed(self) -> bool:
        """True if everything may go."""
        return self.state is BreakerState.CLOSED


def verdict(outcome: Outcome) -> Verdict:
    """Only a provider that is down, or is silent after a request, speaks against it."""
    match outcome:
        case Succeeded() | Pending() | Declined():
            return Verdict.UP
        case NotSent(cause=NotSentCause.PROVIDER_DOWN):
            return Verdict.DOWN
        case NotSent(cause=NotSentCause.ABSENT | NotSentCause.THROTTLED | NotSentCause.MISCONFIGURED):
            return Verdict.UP
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
            return max(PROBES - in_flight, 0)
    assert_never(breaker.state)


def at(breaker: Breaker, now: float) -> Breaker:
    """The breaker as of `now`: an open one whose time is over lets a few through."""
    if breaker.state is BreakerState.OPEN and now >= breaker.open_until:
        return replace(breaker, state=BreakerState.HALF_OPEN, run=0)
    return breaker


def after(breaker: Breaker, outcome: Outcome, now: float) -> Breaker:
    """The breaker after an attempt has come to `outcome`."""
    said = verdict(outcome)
    if said is Verdict.NOTHING or breaker.state is BreakerState.OPEN:
        return breaker
    if said is Verdict.UP:
        return _after_success(breaker)
    if breaker.is_closed and breaker.run + 1 < FAILURES_TO_OPEN:
        return replace(breaker, run=breaker.run + 1)
    return _opened(breaker, outcome, now)


def _after_success(breaker: Breaker) -> Breaker:
    if breaker.is_closed:
        return breaker if breaker.run == 0 else replace(breaker, run=0)
    if breaker.run + 1 < SUCCESSES_TO_CLOSE:
        return replace(breaker, run=breaker.run + 1)
    return Breaker()


def _opened(breaker: Breaker, outcome: Outcome, now: float) -> Breaker:
    seconds = min(FIRST_OPEN_SECONDS * 2.0 ** min(breaker.trips, 10), LONGEST_OPEN_SECONDS)
    if isinstance(outcome, NotSent) and outcome.retry_after:
        seconds = max(seconds, outcome.retry_after.total_seconds())
    reason = outcome.reason if isinstance(outcome, NotSent | Unknown) else ""
    return Breaker(BreakerState.OPEN, now + seconds, reason, breaker.trips + 1)
