"""What follows from an outcome. Pure: time and chance are given."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import assert_never

from hub.jobs.decision import (
    FREE_CAUSES,
    HOPELESS_CAUSES,
    LANES_CAUSES,
    Decision,
    Moment,
    backoff,
    final,
    parked,
    wait_after,
)
from hub.jobs.letters import Cause, cause_of
from hub.jobs.looking import (
    CALLING_OFF,
    after_cancel,
    is_the_last_look,
    overtime_wait,
    still_pending,
    unanswered,
    waiting,
)
from hub.jobs.model import TRANSITIONS, Claimed, JobState, Purpose
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
from hub.jobs.spec import OperationSpec, Replay

POISON_AFTER = 3
ABSENT_ONCE = "ABSENT_ONCE"
ANSWER_MISMATCH = "PROVIDER_ANSWER_MISMATCH"
"""The spokes' reason for an answer that does not fit what was asked. Asking again would not change it."""
SAVED_ERROR = "SAVED_ERROR"

UNSETTLED = frozenset({JobState.WAITING_CONFIRMATION, JobState.IN_DOUBT, JobState.RETRY_WAIT, JobState.DEAD})
"""States in which nobody is at work on a job and a final word moves it."""


def after_attempt(job: Claimed, outcome: Outcome, spec: OperationSpec, moment: Moment) -> Decision:
    """What follows when an attempt or a look-up of `job` has come to `outcome`."""
    if job.purpose is Purpose.LOOK_UP:
        return _after_look_up(job, outcome, spec, moment)
    if job.purpose is Purpose.CANCEL:
        return after_cancel(job, outcome, moment)
    match outcome:
        case Succeeded() | Declined():
            return final(outcome)
        case Pending():
            return waiting(outcome, spec, moment)
        case NotSent():
            return _after_not_sent(job, outcome, spec, moment)
        case Unknown():
            lost = outcome.cause is UnknownCause.WORKER_LOST
            then = _doubt(job, outcome, spec, moment)
            counts = then.counts and (lost or not moment.on_trial)
            return replace(then, lost=lost, doubts=True, counts=counts)
    assert_never(outcome)


def purpose_of(state: JobState, reason: str) -> Purpose:
    """What the next attempt of a claimed job is for."""
    if state is JobState.RUNNING:
        return Purpose.EXECUTE
    calls_off = state is JobState.WAITING_CONFIRMATION and reason == CALLING_OFF
    return Purpose.CANCEL if calls_off else Purpose.LOOK_UP


def must_be_alone(job: Claimed) -> bool:
    """Whether only the next lost worker would make `job` poison: then no other job may share that worker."""
    return job.purpose is Purpose.EXECUTE and job.losses >= POISON_AFTER - 1


def is_legal(job: Claimed, decision: Decision) -> bool:
    """Whether the table of transitions lets `job` go where the decision says."""
    stays = decision.state is job.state and job.purpose is not Purpose.EXECUTE
    return stays or decision.state in TRANSITIONS[job.state]


def begin_by(job: Claimed, spec: OperationSpec) -> datetime:
    """When an attempt of `job` has to be begun at the latest, by the store's clock.

    What an earlier attempt may have done must reach a provider that still knows its key.
    """
    if not job.doubted:
        return job.expire_at
    return min(job.expire_at, _key_known_until(job, spec))


def unsent(job: Claimed, spec: OperationSpec, now: datetime) -> NotSent | None:
    """Why an attempt that is about to be sent must not be, since time has passed; None: it may go."""
    if job.purpose is not Purpose.EXECUTE or now < begin_by(job, spec):
        return None
    if now >= job.expire_at:
        return NotSent(NotSentCause.FENCED, "TIME_OVER", "the job's time was over before it could be sent")
    return NotSent(
        NotSentCause.FENCED, "KEY_TOO_OLD", "the provider may have forgotten the key: it is asked first"
    )


def after_event(state: JobState, outcome: Outcome) -> Decision | None:
    """What a verified webhook changes in a job that stands in `state`; None: nothing.

    Only a final word moves a job, and only forward: the order of deliveries does not matter.
    """
    if state in UNSETTLED and isinstance(outcome, Succeeded | Declined):
        return final(outcome)
    return None


def _after_not_sent(job: Claimed, outcome: NotSent, spec: OperationSpec, moment: Moment) -> Decision:
    counts = _is_the_jobs_own(outcome, moment)
    if outcome.cause in HOPELESS_CAUSES or (counts and job.attempt_count >= job.policy.max_attempts):
        return _given_up(job, outcome, spec, cause_of(outcome.cause))
    if job.doubted and moment.now >= _key_known_until(job, spec):
        return _asked_first(job, outcome, spec, counts=counts)
    # What burns no attempt must still wait longer each time, so it goes by the claims.
    tries = job.attempt_count if counts else job.seq
    wait = wait_after(outcome, backoff(job.policy, tries, moment.draw))
    return Decision(JobState.RETRY_WAIT, wait, outcome.reason, outcome.message, counts=counts)


def _asked_first(job: Claimed, outcome: NotSent, spec: OperationSpec, *, counts: bool) -> Decision:
    """No key protects a resend any more from what an earlier attempt may have done."""
    if not spec.can_look_up:
        return replace(parked(outcome.reason, outcome.message), counts=counts)
    return Decision(JobState.IN_DOUBT, timedelta(), outcome.reason, outcome.message, counts=counts)


def _is_the_jobs_own(outcome: NotSent, moment: Moment) -> bool:
    if outcome.cause in LANES_CAUSES:
        return not moment.on_trial
    return outcome.cause not in FREE_CAUSES


def _given_up(job: Claimed, outcome: NotSent, spec: OperationSpec, cause: Cause) -> Decision:
    """Dead; but what was once in doubt only after a second look, for its first request may still arrive."""
    if job.doubted and spec.can_look_up and job.reason != ABSENT_ONCE:
        return _looked_at_again(outcome, spec)
    return Decision(JobState.DEAD, None, outcome.reason, outcome.message, letter=cause)


def _looked_at_again(outcome: NotSent, spec: OperationSpec) -> Decision:
    return Decision(JobState.IN_DOUBT, _quiet(spec), ABSENT_ONCE, outcome.message)


def _doubt(job: Claimed, outcome: Unknown, spec: OperationSpec, moment: Moment) -> Decision:
    if not spec.can_look_up:
        return parked(outcome.reason, outcome.message, outcome.provider_reference)
    if _is_saved(job, outcome, spec, moment):
        return Decision(
            JobState.IN_DOUBT, _quiet(spec), SAVED_ERROR, outcome.message, outcome.provider_reference
        )
    wait = spec.look_up_lag
    return Decision(JobState.IN_DOUBT, wait, outcome.reason, outcome.message, outcome.provider_reference)


def _is_saved(job: Claimed, outcome: Unknown, spec: OperationSpec, moment: Moment) -> bool:
    """Whether the key can only bring the answer again that it has brought before.

    While the provider fails for all, its answers say nothing of one job's key.
    """
    again = job.doubted and outcome.answered and outcome.reason == job.reason
    return spec.saves_errors and spec.replay is Replay.NATIVE_KEY and again and not moment.on_trial


def _quiet(spec: OperationSpec) -> timedelta:
    """How long nothing is asked so that a request on its way has arrived."""
    return max(2 * spec.timeout, spec.look_up_lag)


def _key_known_until(job: Claimed, spec: OperationSpec) -> datetime:
    """Until when a request may be begun that has the same key as those before it."""
    if spec.replay is not Replay.NATIVE_KEY:
        return job.created_at
    # The key cannot be older than the job, so this never trusts it for too long.
    return job.created_at + max(spec.replay_window - spec.timeout, timedelta())


def _after_look_up(job: Claimed, outcome: Outcome, spec: OperationSpec, moment: Moment) -> Decision:
    match outcome:
        case Succeeded() | Declined():
            return final(outcome)
        case Pending():
            return still_pending(job, outcome, spec, moment)
        case NotSent(cause=NotSentCause.ABSENT):
            return _found_absent(job, outcome, spec, moment)
        case Unknown(reason=reason) if reason == ANSWER_MISMATCH:
            return parked(outcome.reason, outcome.message, outcome.provider_reference)
        case NotSent() | Unknown() if job.state is JobState.WAITING_CONFIRMATION:
            return unanswered(job, outcome, spec, moment)
        case NotSent() | Unknown():
            return _still_in_doubt(job, outcome, spec, moment)
    assert_never(outcome)


def _still_in_doubt(
    job: Claimed, outcome: NotSent | Unknown, spec: OperationSpec, moment: Moment
) -> Decision:
    if is_the_last_look(job, outcome, moment):
        return parked(outcome.reason, outcome.message)
    is_over = moment.now >= job.expire_at
    own = spec.look_up_lag + backoff(job.policy, job.seq, moment.draw)
    wait = overtime_wait(job, spec, moment) if is_over else own
    return Decision(job.state, wait, _remembered(job, spec) or outcome.reason, outcome.message)


def _remembered(job: Claimed, spec: OperationSpec) -> str:
    """What a look-up that found nothing out must not make the job forget."""
    tells = job.reason in {SAVED_ERROR, ABSENT_ONCE} or (spec.saves_errors and job.doubted)
    return job.reason if tells else ""


def _found_absent(job: Claimed, outcome: NotSent, spec: OperationSpec, moment: Moment) -> Decision:
    if job.state is JobState.WAITING_CONFIRMATION:
        # It was accepted once and is gone now: only a person can say what that means.
        return parked("PROVIDER_FORGOT", outcome.message)
    if job.reason == SAVED_ERROR:
        said = "the provider answers the error again that it has saved under the job's key"
        return Decision(JobState.DEAD, None, SAVED_ERROR, said, letter=Cause.POISON)
    if job.reason == ABSENT_ONCE:
        again = _after_absent(replace(job, doubted=False), outcome, spec, moment)
        return replace(again, doubts=False) if again.state is JobState.RETRY_WAIT else again
    if moment.now >= min(_key_known_until(job, spec), job.expire_at):
        # No key protects a resend from a request that is still on its way: give it time, and ask again.
        return _looked_at_again(outcome, spec)
    then = _after_absent(job, outcome, spec, moment)
    # What the doubt was about tells whether the next answer is the same.
    return replace(then, reason=job.reason or then.reason) if spec.saves_errors else then


def _after_absent(job: Claimed, outcome: NotSent, spec: OperationSpec, moment: Moment) -> Decision:
    """Certainly without effect, after a doubt: again, unless it is too late or kills whoever works on it."""
    if job.losses >= POISON_AFTER:
        return _given_up(job, outcome, spec, Cause.POISON)
    if moment.now >= job.expire_at:
        return _given_up(job, outcome, spec, Cause.EXPIRED)
    return _after_not_sent(job, outcome, spec, moment)
