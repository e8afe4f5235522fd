"""What follows from an outcome. Pure: time and chance are given."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import assert_never

from hub.jobs.model import Claimed, JobState, Purpose, RetryPolicy
from hub.jobs.outcome import Declined, NotSent, NotSentCause, Outcome, Pending, Succeeded, Unknown
from hub.jobs.spec import OperationSpec, Replay

_FREE_CAUSES = frozenset({NotSentCause.OVERLOADED, NotSentCause.FENCED})
_HOPELESS_CAUSES = frozenset({NotSentCause.UNSUPPORTED})


@dataclass(frozen=True, slots=True)
class Moment:
    """When the decision is made, and a number drawn from [0, 1) for its jitter."""

    now: datetime
    draw: float


@dataclass(frozen=True, slots=True)
class Decision:
    """The next state. `due_at` is when the lane looks at the job again; None: only if something happens."""

    state: JobState
    due_at: datetime | None = None
    reason: str = ""
    message: str = ""
    provider_reference: str = ""
    result_type: str = ""
    result: bytes = b""
    counts: bool = True


def after_attempt(job: Claimed, outcome: Outcome, spec: OperationSpec, moment: Moment) -> Decision:
    """What follows when an attempt or a look-up of `job` has come to `outcome`."""
    if job.purpose is Purpose.LOOK_UP:
        return _after_look_up(job, outcome, spec, moment)
    match outcome:
        case Succeeded() | Declined():
            return _final(outcome)
        case Pending():
            return _waiting(outcome, spec, moment)
        case NotSent():
            return _after_not_sent(job, outcome, moment)
        case Unknown():
            return _doubt(job, outcome, spec, moment)
    assert_never(outcome)


def after_event(state: JobState, outcome: Outcome) -> Decision | None:
    """What a verified webhook changes in a job that stands in `state`; None: nothing.

    Only a final word moves a job, and only forward: the order of deliveries does not matter.
    """
    waiting = {JobState.WAITING_CONFIRMATION, JobState.IN_DOUBT, JobState.RETRY_WAIT}
    if state in waiting and isinstance(outcome, Succeeded | Declined):
        return _final(outcome)
    return None


def backoff(policy: RetryPolicy, attempt_count: int, draw: float) -> timedelta:
    """Full jitter: a wait drawn evenly from zero to the doubled backoff, capped."""
    doublings: int = 2 ** min(attempt_count - 1, 30)
    ceiling = min(policy.max_backoff, policy.initial_backoff * doublings)
    return ceiling * draw


def _final(outcome: Succeeded | Declined) -> Decision:
    match outcome:
        case Succeeded(result_type, result, reference):
            return Decision(
                JobState.SUCCEEDED, provider_reference=reference, result_type=result_type, result=result
            )
        case Declined(reason, message, reference):
            return Decision(JobState.DECLINED, None, reason, message, reference)
    assert_never(outcome)


def _waiting(outcome: Pending, spec: OperationSpec, moment: Moment) -> Decision:
    return Decision(
        JobState.WAITING_CONFIRMATION,
        due_at=outcome.confirm_by or moment.now + spec.confirm_within,
        provider_reference=outcome.provider_reference,
        result_type=outcome.result_type,
        result=outcome.result,
    )


def _after_not_sent(job: Claimed, outcome: NotSent, moment: Moment) -> Decision:
    counts = outcome.cause not in _FREE_CAUSES
    if outcome.cause in _HOPELESS_CAUSES or (counts and job.attempt_count >= job.policy.max_attempts):
        return Decision(JobState.DEAD, None, outcome.reason, outcome.message)
    # What burns no attempt must still wait longer each time, so it goes by the claims.
    tries = job.attempt_count if counts else job.seq
    wait = max(backoff(job.policy, tries, moment.draw), outcome.retry_after or timedelta())
    return Decision(JobState.RETRY_WAIT, moment.now + wait, outcome.reason, outcome.message, counts=counts)


def _doubt(job: Claimed, outcome: Unknown, spec: OperationSpec, moment: Moment) -> Decision:
    if spec.replay is Replay.READ:
        # Nothing can have changed at the provider, so reading again is a plain retry.
        unread = NotSent(NotSentCause.PROVIDER_DOWN, outcome.reason, outcome.message)
        return _after_not_sent(job, unread, moment)
    due_at = moment.now + spec.look_up_lag if spec.can_look_up else None
    return Decision(JobState.IN_DOUBT, due_at, outcome.reason, outcome.message, outcome.provider_reference)


def _after_look_up(job: Claimed, outcome: Outcome, spec: OperationSpec, moment: Moment) -> Decision:
    match outcome:
        case Succeeded() | Declined():
            return _final(outcome)
        case Pending():
            return _waiting(outcome, spec, moment)
        case NotSent(cause=NotSentCause.ABSENT):
            return _after_absent(job, outcome, moment)
        case NotSent() | Unknown():
            wait = spec.look_up_lag + backoff(job.policy, job.seq, moment.draw)
            return Decision(job.state, moment.now + wait, outcome.reason, outcome.message)
    assert_never(outcome)


def _after_absent(job: Claimed, outcome: NotSent, moment: Moment) -> Decision:
    if job.state is JobState.WAITING_CONFIRMATION:
        # It was accepted once and is gone now: only a person can say what that means.
        return Decision(JobState.IN_DOUBT, None, "PROVIDER_FORGOT", outcome.message)
    return _after_not_sent(job, outcome, moment)
