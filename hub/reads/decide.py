"""What becomes of a read. Pure: times in seconds, chance given."""

from datetime import timedelta
from typing import assert_never

from hub.errors import LaneHeld, ReadDeclined, ReadImpossible, ReadRefused, ReadUnanswered
from hub.jobs.decision import backoff
from hub.jobs.model import Claimed
from hub.jobs.outcome import Declined, NotSent, NotSentCause, Outcome, Pending, Succeeded, Unknown
from hub.lanes.breaker import FOREVER, PROBES, BreakerState
from hub.reads.model import Standing

_LONGEST_TOLD = 3600.0
_REPEATABLE = frozenset(
    {NotSentCause.PROVIDER_DOWN, NotSentCause.THROTTLED, NotSentCause.OVERLOADED, NotSentCause.FENCED}
)
_IMPOSSIBLE = frozenset({NotSentCause.UNSUPPORTED, NotSentCause.ABSENT})


def held(standing: Standing, passed: float, in_flight: int, lane: str) -> LaneHeld | None:
    """Why the lane lets no read through, `passed` seconds after it stood like this; None: it does.

    A breaker whose time is over lets a few through at once. They are no trials: nothing follows from them.
    """
    if not standing.works:
        return LaneHeld(f"an operator holds lane {lane}", lane=lane)
    if (wait := standing.throttled_seconds - passed) > 0:
        return LaneHeld(f"the provider of {lane} wants a wait", retry_after=_told(wait), lane=lane)
    if standing.breaker is BreakerState.CLOSED:
        return None
    is_open = standing.breaker is BreakerState.OPEN
    if is_open and (wait := standing.open_seconds - passed) > 0:
        return LaneHeld(f"the breaker of {lane} is open", retry_after=_told(wait), lane=lane)
    if in_flight >= PROBES:
        return LaneHeld(f"the breaker of {lane} lets only a few through", lane=lane)
    return None


def result_of(outcome: Outcome, provider: str) -> Succeeded | Pending | ReadRefused:
    """What the caller is told."""
    match outcome:
        case Succeeded() | Pending():
            return outcome
        case Declined(reason, message):
            return ReadDeclined(message or "the provider says no", provider=provider, provider_code=reason)
        case NotSent(cause, reason, message) if cause in _IMPOSSIBLE:
            return ReadImpossible(message or "it cannot be read", provider=provider, provider_code=reason)
        case NotSent(_, reason, message, retry_after):
            said = message or "it was not read"
            return ReadUnanswered(said, retry_after=retry_after, provider=provider, provider_code=reason)
        case Unknown(reason, message):
            said = message or "there was no answer"
            return ReadUnanswered(said, provider=provider, provider_code=reason)
    assert_never(outcome)


def wait_before_next(claimed: Claimed, outcome: Outcome, *, left: float, draw: float) -> float | None:
    """Seconds until it is tried again; None: not at all. What may have been read is never read twice."""
    if not isinstance(outcome, NotSent) or outcome.cause not in _REPEATABLE:
        return None
    if claimed.attempt_count >= claimed.policy.max_attempts:
        return None
    asked = outcome.retry_after or timedelta()
    wait = max(asked, backoff(claimed.policy, claimed.attempt_count, draw)).total_seconds()
    return wait if wait < left else None


def _told(seconds: float) -> timedelta:
    return timedelta(seconds=_LONGEST_TOLD if seconds == FOREVER else min(seconds, _LONGEST_TOLD))
