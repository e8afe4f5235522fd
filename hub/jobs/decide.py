"""What follows from an outcome. Pure: time and chance are given."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import assert_never

from hub.jobs.letters import Cause, cause_of
from hub.jobs.model import LONGEST_LIFE, TRANSITIONS, Claimed, JobState, Purpose, RetryPolicy
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
CONFIRMATION_OVERDUE = "CONFIRMATION_OVERDUE"
CALLING_OFF = "CALLING_OFF"
"""The reason of a job that has waited to its end, while its provider is asked to call it off."""
CALLED_OFF = "CALLED_OFF"
"""The spokes' reason for work that was called off before it was done, and will not be done any more."""
CALL_OFF_WITHIN = timedelta(days=1)
"""How long a provider that cannot be reached is asked to call something off, before a person is."""
LOOKS_GROW = 4
"""How many times as old a job that waits for its confirmation is at each look as it was at the last."""
SAVED_ERROR = "SAVED_ERROR"
OVERTIME = timedelta(days=1)
"""For how long beyond its expiry a job is looked up as long as nobody could be asked about it."""

UNSETTLED = frozenset({JobState.WAITING_CONFIRMATION, JobState.IN_DOUBT, JobState.RETRY_WAIT, JobState.DEAD})
"""States in which nobody is at work on a job and a final word moves it."""

_FREE_CAUSES = frozenset({NotSentCause.OVERLOADED, NotSentCause.FENCED, NotSentCause.THROTTLED})
_LANES_CAUSES = frozenset({NotSentCause.PROVIDER_DOWN, NotSentCause.MISCONFIGURED})
_LONGEST_ASKED = timedelta(hours=1)
_LONGEST_THROTTLED = timedelta(minutes=1)
_HOPELESS_CAUSES = frozenset({NotSentCause.UNSUPPORTED})


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


def after_attempt(job: Claimed, outcome: Outcome, spec: OperationSpec, moment: Moment) -> Decision:
    """What follows when an attempt or a look-up of `job` has come to `outcome`."""
    if job.purpose is Purpose.LOOK_UP:
        return _after_look_up(job, outcome, spec, moment)
    if job.purpose is Purpose.CANCEL:
        return _after_cancel(job, outcome, moment)
    match outcome:
        case Succeeded() | Declined():
            return _final(outcome)
        case Pending():
            return _waiting(outcome, spec, moment)
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


def broken(message: str) -> Decision:
    """What becomes of a job that the hub itself cannot deal with: a person has to look."""
    return Decision(JobState.IN_DOUBT, None, "HUB_FAULT", message, letter=Cause.BUG, doubts=True)


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
        return _final(outcome)
    return None


def backoff(policy: RetryPolicy, attempt_count: int, draw: float) -> timedelta:
    """Full jitter: a wait drawn evenly from zero to the doubled backoff, capped."""
    doublings: int = 2 ** min(max(attempt_count - 1, 0), 30)
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


def _still_pending(job: Claimed, outcome: Pending, spec: OperationSpec, moment: Moment) -> Decision:
    """Looked at less and less often, a last time when it is over, and then a person's."""
    if job.state is not JobState.WAITING_CONFIRMATION:
        return _waiting(outcome, spec, moment)
    last = _last_look(job, outcome.confirm_by)
    if moment.now >= last:
        return _overdue(spec, "the provider has not confirmed it in time", outcome.provider_reference)
    named = _until(outcome.confirm_by, moment) if outcome.confirm_by else timedelta()
    return _waits(outcome, min(max(named, _until_next_look(job, spec, moment)), last - moment.now))


def _unanswered(job: Claimed, outcome: NotSent | Unknown, spec: OperationSpec, moment: Moment) -> Decision:
    """A look-up that has not found out whether the provider has confirmed; at its end it is called off."""
    if spec.can_cancel and moment.now >= job.expire_at:
        return _overdue(spec, f"not confirmed, and the last look-up failed: {outcome.reason}")
    # Without a reason it is the first that failed: the instant that was named may lie far beyond the expiry.
    if _is_the_last_look(job, outcome, moment) and (_has_asked(outcome, moment) or job.reason):
        return _overdue(spec, f"not confirmed, and the last look-up failed: {outcome.reason}")
    if moment.now >= job.expire_at:
        return Decision(job.state, _overtime_wait(job, spec, moment), outcome.reason, outcome.message)
    wait = min(max(_until_next_look(job, spec, moment), spec.look_up_lag), job.expire_at - moment.now)
    return Decision(job.state, wait, outcome.reason, outcome.message)


def _is_the_last_look(job: Claimed, outcome: NotSent | Unknown, moment: Moment) -> bool:
    """Whether a look-up that left it unknown is the last: of what is over, once somebody could be asked."""
    return moment.now >= job.expire_at + (timedelta() if _has_asked(outcome, moment) else OVERTIME)


def _has_asked(outcome: NotSent | Unknown, moment: Moment) -> bool:
    """Whether the provider was asked, or never will be, and not only to see whether it is back."""
    if isinstance(outcome, NotSent):
        return outcome.cause in _HOPELESS_CAUSES
    return outcome.cause is not UnknownCause.WORKER_LOST and not moment.on_trial


def _overtime_wait(job: Claimed, spec: OperationSpec, moment: Moment) -> timedelta:
    """Until the next look at what is over and could not be asked about: as long again as it has been over."""
    over = moment.now - job.expire_at
    left = OVERTIME - over if over < OVERTIME else _LONGEST_ASKED
    return min(max(over, spec.look_up_lag, _LONGEST_THROTTLED), left)


def _overdue(spec: OperationSpec, message: str, reference: str = "") -> Decision:
    """The provider calls it off where it can; else a person has to find out."""
    if spec.can_cancel:
        return Decision(JobState.WAITING_CONFIRMATION, timedelta(), CALLING_OFF, message, reference)
    return _parked(CONFIRMATION_OVERDUE, message, reference)


def _after_cancel(job: Claimed, outcome: Outcome, moment: Moment) -> Decision:
    """What became of work that its provider was asked to call off: once, but for what certainly never was."""
    match outcome:
        case Declined(reason=reason) if reason == CALLED_OFF:
            return Decision(JobState.EXPIRED, None, reason, outcome.message, outcome.provider_reference)
        case Succeeded() | Declined():
            return _final(outcome)
        case NotSent(cause=cause) if cause in _FREE_CAUSES | _LANES_CAUSES:
            over = moment.now - job.expire_at
            if over >= CALL_OFF_WITHIN:
                return _parked(CONFIRMATION_OVERDUE, outcome.message)
            wait = max((LOOKS_GROW - 1) * over, _wait(outcome, backoff(job.policy, 1, 1.0)))
            return Decision(job.state, min(wait, CALL_OFF_WITHIN), CALLING_OFF, outcome.message)
        case Pending():
            return _parked(
                CONFIRMATION_OVERDUE, "the provider cannot call it off", outcome.provider_reference
            )
        case NotSent():
            return _parked(outcome.reason, outcome.message)
        case Unknown():
            return _parked(outcome.reason, outcome.message, outcome.provider_reference)
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


def _after_not_sent(job: Claimed, outcome: NotSent, spec: OperationSpec, moment: Moment) -> Decision:
    counts = _is_the_jobs_own(outcome, moment)
    if outcome.cause in _HOPELESS_CAUSES or (counts and job.attempt_count >= job.policy.max_attempts):
        return _given_up(job, outcome, spec, cause_of(outcome.cause))
    if job.doubted and moment.now >= _key_known_until(job, spec):
        return _asked_first(job, outcome, spec, counts=counts)
    # What burns no attempt must still wait longer each time, so it goes by the claims.
    tries = job.attempt_count if counts else job.seq
    wait = _wait(outcome, backoff(job.policy, tries, moment.draw))
    return Decision(JobState.RETRY_WAIT, wait, outcome.reason, outcome.message, counts=counts)


def _wait(outcome: NotSent, own: timedelta) -> timedelta:
    """The longer of the job's own wait and the provider's, which is believed within bounds."""
    asked = outcome.retry_after or timedelta()
    if outcome.cause is NotSentCause.THROTTLED:
        # The lane waits as long as it was told; what its jobs wait beyond, nobody could cut short.
        return min(max(own, asked), _LONGEST_THROTTLED)
    return max(own, min(asked, _LONGEST_ASKED))


def _asked_first(job: Claimed, outcome: NotSent, spec: OperationSpec, *, counts: bool) -> Decision:
    """No key protects a resend any more from what an earlier attempt may have done."""
    if not spec.can_look_up:
        return replace(_parked(outcome.reason, outcome.message), counts=counts)
    return Decision(JobState.IN_DOUBT, timedelta(), outcome.reason, outcome.message, counts=counts)


def _is_the_jobs_own(outcome: NotSent, moment: Moment) -> bool:
    if outcome.cause in _LANES_CAUSES:
        return not moment.on_trial
    return outcome.cause not in _FREE_CAUSES


def _given_up(job: Claimed, outcome: NotSent, spec: OperationSpec, cause: Cause) -> Decision:
    """Dead; but what was once in doubt only after a second look, for its first request may still arrive."""
    if job.doubted and spec.can_look_up and job.reason != ABSENT_ONCE:
        return _looked_at_again(outcome, spec)
    return Decision(JobState.DEAD, None, outcome.reason, outcome.message, letter=cause)


def _looked_at_again(outcome: NotSent, spec: OperationSpec) -> Decision:
    return Decision(JobState.IN_DOUBT, _quiet(spec), ABSENT_ONCE, outcome.message)


def _parked(reason: str, message: str, reference: str = "") -> Decision:
    """In doubt, and only a person can find out. A replay of it asks again, and sends nothing before."""
    cause = Cause.UNRESOLVED_DOUBT
    return Decision(JobState.IN_DOUBT, None, reason, message, reference, letter=cause, doubts=True)


def _doubt(job: Claimed, outcome: Unknown, spec: OperationSpec, moment: Moment) -> Decision:
    if not spec.can_look_up:
        return _parked(outcome.reason, outcome.message, outcome.provider_reference)
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
            return _final(outcome)
        case Pending():
            return _still_pending(job, outcome, spec, moment)
        case NotSent(cause=NotSentCause.ABSENT):
            return _found_absent(job, outcome, spec, moment)
        case Unknown(reason=reason) if reason == ANSWER_MISMATCH:
            return _parked(outcome.reason, outcome.message, outcome.provider_reference)
        case NotSent() | Unknown() if job.state is JobState.WAITING_CONFIRMATION:
            return _unanswered(job, outcome, spec, moment)
        case NotSent() | Unknown():
            return _still_in_doubt(job, outcome, spec, moment)
    assert_never(outcome)


def _still_in_doubt(
    job: Claimed, outcome: NotSent | Unknown, spec: OperationSpec, moment: Moment
) -> Decision:
    if _is_the_last_look(job, outcome, moment):
        return _parked(outcome.reason, outcome.message)
    is_over = moment.now >= job.expire_at
    own = spec.look_up_lag + backoff(job.policy, job.seq, moment.draw)
    wait = _overtime_wait(job, spec, moment) if is_over else own
    return Decision(job.state, wait, _remembered(job, spec) or outcome.reason, outcome.message)


def _remembered(job: Claimed, spec: OperationSpec) -> str:
    """What a look-up that found nothing out must not make the job forget."""
    tells = job.reason in {SAVED_ERROR, ABSENT_ONCE} or (spec.saves_errors and job.doubted)
    return job.reason if tells else ""


def _found_absent(job: Claimed, outcome: NotSent, spec: OperationSpec, moment: Moment) -> Decision:
    if job.state is JobState.WAITING_CONFIRMATION:
        # It was accepted once and is gone now: only a person can say what that means.
        return _parked("PROVIDER_FORGOT", outcome.message)
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
