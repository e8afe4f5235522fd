"""What is decided of a job, and the decisions that are made in many places. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import assert_never

from hub.jobs.letters import Cause
from hub.jobs.model import JobState, RetryPolicy
from hub.jobs.outcome import Declined, NotSent, NotSentCause, Succeeded

FREE_CAUSES = frozenset({NotSentCause.OVERLOADED, NotSentCause.FENCED, NotSentCause.THROTTLED})
LANES_CAUSES = frozenset({NotSentCause.PROVIDER_DOWN, NotSentCause.MISCONFIGURED})
HOPELESS_CAUSES = frozenset({NotSentCause.UNSUPPORTED})
LONGEST_ASKED = timedelta(hours=1)
LONGEST_THROTTLED = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Moment:
    """When the decision is made, by the store's clock, and a number drawn from [0, 1) for its jitter.

    `on_trial`: the lane's breaker was not closed, so the attempt was the lane's try and not the job's.
    """

    now: datetime
    draw: float
    on_trial: bool = False


@dataclass(frozen=True, slots=True)
class Decision:
    """The next state. `wait`: the lane looks at the job again so long after the store has taken the decision,
    which is the clock that tells it when the time has come; None: only if something happens.

    `letter`: a person has to look, and why. `counts`: the attempt is one of the policy's. `lost`: the
    attempt's worker died. `doubts`: it may have had an effect, which the job must not forget; False: what it
    was doubted for is ruled out; None: as before.
    """

    state: JobState
    wait: timedelta | None = None
    reason: str = ""
    message: str = ""
    provider_reference: str = ""
    result_type: str = ""
    result: bytes = b""
    counts: bool = True
    letter: Cause | None = None
    lost: bool = False
    doubts: bool | None = None


def broken(message: str) -> Decision:
    """What becomes of a job that the hub itself cannot deal with: a person has to look."""
    return Decision(JobState.IN_DOUBT, None, "HUB_FAULT", message, letter=Cause.BUG, doubts=True)


def backoff(policy: RetryPolicy, attempt_count: int, draw: float) -> timedelta:
    """Full jitter: a wait drawn evenly from zero to the doubled backoff, capped."""
    doublings: int = 2 ** min(max(attempt_count - 1, 0), 30)
    ceiling = min(policy.max_backoff, policy.initial_backoff * doublings)
    return ceiling * draw


def final(outcome: Succeeded | Declined) -> Decision:
    """The end that a final word gives a job."""
    match outcome:
        case Succeeded(result_type, result, reference):
            return Decision(
                JobState.SUCCEEDED, provider_reference=reference, result_type=result_type, result=result
            )
        case Declined(reason, message, reference):
            return Decision(JobState.DECLINED, None, reason, message, reference)
    assert_never(outcome)


def parked(reason: str, message: str, reference: str = "") -> Decision:
    """In doubt, and only a person can find out. A replay of it asks again, and sends nothing before."""
    cause = Cause.UNRESOLVED_DOUBT
    return Decision(JobState.IN_DOUBT, None, reason, message, reference, letter=cause, doubts=True)


def wait_after(outcome: NotSent, own: timedelta) -> timedelta:
    """The longer of the job's own wait and the provider's, which is believed within bounds."""
    asked = outcome.retry_after or timedelta()
    if outcome.cause is NotSentCause.THROTTLED:
        # The lane waits as long as it was told; what its jobs wait beyond, nobody could cut short.
        return min(max(own, asked), LONGEST_THROTTLED)
    return max(own, min(asked, LONGEST_ASKED))
