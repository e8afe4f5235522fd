"""Looking at what waits for its provider's word: when next, which look is the last, and what then. Pure."""

from datetime import datetime, timedelta
from typing import assert_never

from hub.jobs.decision import (
    FREE_CAUSES,
    HOPELESS_CAUSES,
    LANES_CAUSES,
    LONGEST_ASKED,
    LONGEST_THROTTLED,
    Decision,
    Moment,
    backoff,
    final,
    parked,
    wait_after,
)
from hub.jobs.model import LONGEST_LIFE, Claimed, JobState
from hub.jobs.outcome import Declined, NotSent, Outcome, Pending, Succeeded, Unknown, UnknownCause
from hub.jobs.spec import OperationSpec

CONFIRMATION_OVERDUE = "CONFIRMATION_OVERDUE"
CALLING_OFF = "CALLING_OFF"
"""The reason of a job that has waited to its end, while its provider is asked to call it off."""
CALLED_OFF = "CALLED_OFF"
"""The spokes' reason for work that was called off before it was done, and will not be done any more."""
CALL_OFF_WITHIN = timedelta(days=1)
"""How long a provider that cannot be reached is asked to call something off, before a person is."""
LOOKS_GROW = 4
"""How many times as old a job that waits for its confirmation is at each look as it was at the last."""
OVERTIME = timedelta(days=1)
"""For how long beyond its expiry a job is looked up as long as nobody could be asked about it."""


def waiting(outcome: Pending, spec: OperationSpec, moment: Moment) -> Decision:
    """Its provider has it, and confirms it later: the first look is when it should have."""
    wait = _until(outcome.confirm_by, moment) if outcome.confirm_by else spec.confirm_within
    return _waits(outcome, wait)


def _waits(outcome: Pending, wait: timedelta) -> Decision:
    return Decision(
        JobState.WAITING_CONFIRMATION,
        wait=wait,
        provider_reference=outcome.provider_reference,
        result_type=outcome.result_type,
        result=outcome.result,
    )


def _until(instant: datetime, moment: Moment) -> timedelta:
    """The wait for an instant that the provider has named; what is past needs none."""
    return min(max(instant - moment.now, timedelta()), LONGEST_LIFE)


def still_pending(job: Claimed, outcome: Pending, spec: OperationSpec, moment: Moment) -> Decision:
    """Looked at less and less often, a last time when it is over, and then a person's."""
    if job.state is not JobState.WAITING_CONFIRMATION:
        return waiting(outcome, spec, moment)
    last = _last_look(job, outcome.confirm_by)
    if moment.now >= last:
        return _overdue(spec, "the provider has not confirmed it in time", outcome.provider_reference)
    named = _until(outcome.confirm_by, moment) if outcome.confirm_by else timedelta()
    return _waits(outcome, min(max(named, _until_next_look(job, spec, moment)), last - moment.now))


def unanswered(job: Claimed, outcome: NotSent | Unknown, spec: OperationSpec, moment: Moment) -> Decision:
    """A look-up that has not found out whether the provider has confirmed; at its end it is called off."""
    if spec.can_cancel and moment.now >= job.expire_at:
        return _overdue(spec, f"not confirmed, and the last look-up failed: {outcome.reason}")
    # Without a reason it is the first that failed: the instant that was named may lie far beyond the expiry.
    if is_the_last_look(job, outcome, moment) and (_has_asked(outcome, moment) or job.reason):
        return _overdue(spec, f"not confirmed, and the last look-up failed: {outcome.reason}")
    if moment.now >= job.expire_at:
        return Decision(job.state, overtime_wait(job, spec, moment), outcome.reason, outcome.message)
    wait = min(max(_until_next_look(job, spec, moment), spec.look_up_lag), job.expire_at - moment.now)
    return Decision(job.state, wait, outcome.reason, outcome.message)


def is_the_last_look(job: Claimed, outcome: NotSent | Unknown, moment: Moment) -> bool:
    """Whether a look-up that left it unknown is the last: of what is over, once somebody could be asked."""
    return moment.now >= job.expire_at + (timedelta() if _has_asked(outcome, moment) else OVERTIME)


def _has_asked(outcome: NotSent | Unknown, moment: Moment) -> bool:
    """Whether the provider was asked, or never will be, and not only to see whether it is back."""
    if isinstance(outcome, NotSent):
        return outcome.cause in HOPELESS_CAUSES
    return outcome.cause is not UnknownCause.WORKER_LOST and not moment.on_trial


def overtime_wait(job: Claimed, spec: OperationSpec, moment: Moment) -> timedelta:
    """Until the next look at what is over and could not be asked about: as long again as it has been over."""
    over = moment.now - job.expire_at
    left = OVERTIME - over if over < OVERTIME else LONGEST_ASKED
    return min(max(over, spec.look_up_lag, LONGEST_THROTTLED), left)


def _overdue(spec: OperationSpec, message: str, reference: str = "") -> Decision:
    """The provider calls it off where it can; else a person has to find out."""
    if spec.can_cancel:
        return Decision(JobState.WAITING_CONFIRMATION, timedelta(), CALLING_OFF, message, reference)
    return parked(CONFIRMATION_OVERDUE, message, reference)


def after_cancel(job: Claimed, outcome: Outcome, moment: Moment) -> Decision:
    """What became of work that its provider was asked to call off: once, but for what certainly never was."""
    match outcome:
        case Declined(reason=reason) if reason == CALLED_OFF:
            return Decision(JobState.EXPIRED, None, reason, outcome.message, outcome.provider_reference)
        case Succeeded() | Declined():
            return final(outcome)
        case NotSent(cause=cause) if cause in FREE_CAUSES | LANES_CAUSES:
            over = moment.now - job.expire_at
            if over >= CALL_OFF_WITHIN:
                return parked(CONFIRMATION_OVERDUE, outcome.message)
            wait = max((LOOKS_GROW - 1) * over, wait_after(outcome, backoff(job.policy, 1, 1.0)))
            return Decision(job.state, min(wait, CALL_OFF_WITHIN), CALLING_OFF, outcome.message)
        case Pending():
            return parked(CONFIRMATION_OVERDUE, "the provider cannot call it off", outcome.provider_reference)
        case NotSent():
            return parked(outcome.reason, outcome.message)
        case Unknown():
            return parked(outcome.reason, outcome.message, outcome.provider_reference)
    assert_never(outcome)


def _last_look(job: Claimed, confirm_by: datetime | None) -> datetime:
    """When nobody waits any longer: the job's expiry, or the provider's own instant if that is later."""
    return max(job.expire_at, min(confirm_by, job.created_at + LONGEST_LIFE) if confirm_by else job.expire_at)


def _until_next_look(job: Claimed, spec: OperationSpec, moment: Moment) -> timedelta:
    # By its age, so that nothing has to be remembered; but one that was long in coming is not taken for one
    # that has been looked at often.
    growth: int = LOOKS_GROW ** min(job.seq - job.attempt_count, 15)
    first = max(spec.confirm_within, timedelta(seconds=1))
    return min((LOOKS_GROW - 1) * (moment.now - job.created_at), first * growth)
