"""What follows from each outcome."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.jobs.decide import (
    ABSENT_ONCE,
    ANSWER_MISMATCH,
    POISON_AFTER,
    SAVED_ERROR,
    after_attempt,
    after_event,
    must_be_alone,
)
from hub.jobs.decision import Moment, backoff
from hub.jobs.letters import Cause, cause_of
from hub.jobs.looking import OVERTIME
from hub.jobs.model import LONGEST_LIFE, SETTLED, TRANSITIONS, Claimed, JobState, Purpose
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
from tests.hub.jobs import NOW, POLICY, claimed, spec
from tests.hub.virtual_lane import VirtualLane

MOMENT = Moment(NOW, 0.5)
SAVED = replace(spec(), saves_errors=True)
LONGEST = int(LONGEST_LIFE.total_seconds())
OUTCOMES: list[Outcome] = [
    Succeeded("T", b"r", "ref"),
    Pending("T", b"r", "ref"),
    Declined("CARD_DECLINED", "no"),
    Unknown("REPLY_TIMEOUT", "?"),
    *(NotSent(cause, "R", "m") for cause in NotSentCause),
]


@pytest.mark.parametrize("outcome", OUTCOMES, ids=repr)
@pytest.mark.parametrize("replay", Replay)
def test_an_attempt_only_leads_where_the_table_of_transitions_allows(
    outcome: Outcome, replay: Replay
) -> None:
    decision = after_attempt(claimed(), outcome, spec(replay), MOMENT)
    assert decision.state in TRANSITIONS[JobState.RUNNING]


@pytest.mark.parametrize("outcome", OUTCOMES, ids=repr)
@pytest.mark.parametrize("state", [JobState.IN_DOUBT, JobState.WAITING_CONFIRMATION])
def test_a_look_up_only_leads_where_the_table_allows_or_leaves_the_job_where_it_is(
    outcome: Outcome, state: JobState
) -> None:
    decision = after_attempt(claimed(purpose=Purpose.LOOK_UP, state=state), outcome, spec(), MOMENT)
    assert decision.state in TRANSITIONS[state] | {state}


@pytest.mark.parametrize("replay", [Replay.NATIVE_KEY, Replay.QUERYABLE])
def test_an_unknown_outcome_is_looked_up_after_the_lag_and_not_resent(replay: Replay) -> None:
    decision = after_attempt(claimed(), Unknown("REPLY_TIMEOUT", ""), spec(replay), MOMENT)
    assert (decision.state, decision.wait) == (JobState.IN_DOUBT, timedelta(seconds=2))


def test_an_unknown_outcome_that_cannot_be_looked_up_waits_for_a_person() -> None:
    blind = spec(Replay.BLIND, can_look_up=False)
    decision = after_attempt(claimed(), Unknown("REPLY_TIMEOUT", ""), blind, MOMENT)
    assert (decision.state, decision.wait) == (JobState.IN_DOUBT, None)


def test_an_unknown_outcome_stays_unknown_when_the_attempts_are_used_up() -> None:
    decision = after_attempt(claimed(attempt_count=3), Unknown("REPLY_TIMEOUT", ""), spec(), MOMENT)
    assert decision.state is JobState.IN_DOUBT


def test_a_look_up_that_finds_nothing_lets_the_work_be_sent_again() -> None:
    job = claimed(purpose=Purpose.LOOK_UP, state=JobState.IN_DOUBT)
    decision = after_attempt(job, NotSent(NotSentCause.ABSENT, "NOT_FOUND", ""), spec(), MOMENT)
    assert decision.state is JobState.RETRY_WAIT


def test_work_that_the_provider_accepted_and_forgot_waits_for_a_person() -> None:
    job = claimed(purpose=Purpose.LOOK_UP, state=JobState.WAITING_CONFIRMATION)
    decision = after_attempt(job, NotSent(NotSentCause.ABSENT, "NOT_FOUND", ""), spec(), MOMENT)
    assert (decision.state, decision.wait) == (JobState.IN_DOUBT, None)


@pytest.mark.parametrize(
    "outcome", [Unknown("X", ""), NotSent(NotSentCause.PROVIDER_DOWN, "X", "")], ids=repr
)
@pytest.mark.parametrize("state", [JobState.IN_DOUBT, JobState.WAITING_CONFIRMATION])
def test_a_look_up_that_could_not_ask_is_repeated_for_ever(outcome: Outcome, state: JobState) -> None:
    job = claimed(purpose=Purpose.LOOK_UP, state=state, attempt_count=99, seq=99)
    decision = after_attempt(job, outcome, spec(), MOMENT)
    assert decision.state is state
    assert decision.wait is not None
    assert decision.wait > timedelta()


def test_work_that_was_not_sent_is_retried_until_its_attempts_are_used_up() -> None:
    down = NotSent(NotSentCause.PROVIDER_DOWN, "CONNECTION_REFUSED", "")
    states = [after_attempt(claimed(attempt_count=n), down, spec(), MOMENT).state for n in (1, 2, 3)]
    assert states == [JobState.RETRY_WAIT, JobState.RETRY_WAIT, JobState.DEAD]


def test_the_providers_wait_is_never_shortened() -> None:
    limited = NotSent(NotSentCause.THROTTLED, "RATE_LIMITED", "", timedelta(seconds=30))
    assert after_attempt(claimed(), limited, spec(), MOMENT).wait == timedelta(seconds=30)


@pytest.mark.parametrize("cause", [NotSentCause.FENCED, NotSentCause.OVERLOADED])
def test_what_is_our_own_doing_burns_no_attempt(cause: NotSentCause) -> None:
    decision = after_attempt(claimed(attempt_count=3), NotSent(cause, "R", ""), spec(), MOMENT)
    assert (decision.state, decision.counts) == (JobState.RETRY_WAIT, False)


def test_a_provider_that_throttles_burns_no_attempt() -> None:
    throttled = NotSent(NotSentCause.THROTTLED, "R", "")
    decision = after_attempt(claimed(attempt_count=3), throttled, spec(), MOMENT)
    assert (decision.state, decision.counts) == (JobState.RETRY_WAIT, False)


def test_a_wrong_key_that_holds_the_lane_burns_no_attempt() -> None:
    refused, held = NotSent(NotSentCause.MISCONFIGURED, "R", ""), replace(MOMENT, on_trial=True)
    decision = after_attempt(claimed(attempt_count=3), refused, spec(), held)
    assert (decision.state, decision.counts) == (JobState.RETRY_WAIT, False)


def test_what_burns_no_attempt_still_waits_longer_each_time() -> None:
    overloaded = NotSent(NotSentCause.OVERLOADED, "R", "")
    waits = [after_attempt(claimed(seq=n), overloaded, spec(), MOMENT).wait for n in (1, 2, 3)]
    assert waits == [timedelta(seconds=s) for s in (0.5, 1, 2)]


@given(st.integers(1, 200), st.floats(0, 1, exclude_max=True))
def test_backoff_is_jittered_fully_and_capped(attempt: int, draw: float) -> None:
    ceiling = min(POLICY.max_backoff, POLICY.initial_backoff * 2 ** min(attempt - 1, 20))
    assert backoff(POLICY, attempt, draw) == ceiling * draw


@pytest.mark.parametrize("state", JobState)
@pytest.mark.parametrize("outcome", [Succeeded("T", b"", "ref"), Declined("NO", "")], ids=repr)
def test_a_webhook_moves_a_job_only_forward(state: JobState, outcome: Outcome) -> None:
    decision = after_event(state, outcome)
    waits = {JobState.WAITING_CONFIRMATION, JobState.IN_DOUBT, JobState.RETRY_WAIT, JobState.DEAD}
    assert (decision is not None) == (state in waits)
    if decision:
        assert decision.state in TRANSITIONS[state] & SETTLED


@pytest.mark.parametrize("outcome", [Pending("T", b""), Unknown("X", "")], ids=repr)
def test_a_webhook_without_a_final_word_moves_nothing(outcome: Outcome) -> None:
    assert all(after_event(state, outcome) is None for state in JobState)


def test_an_attempt_on_an_open_breaker_is_not_the_jobs_own() -> None:
    down = NotSent(NotSentCause.PROVIDER_DOWN, "CONNECTION_REFUSED", "")
    decision = after_attempt(claimed(attempt_count=99), down, spec(), Moment(NOW, 0.5, on_trial=True))
    assert (decision.state, decision.counts) == (JobState.RETRY_WAIT, False)


@pytest.mark.parametrize("state", [JobState.IN_DOUBT, JobState.WAITING_CONFIRMATION])
def test_an_answer_that_does_not_fit_goes_to_a_person_after_one_look_up(state: JobState) -> None:
    misfit = Unknown(ANSWER_MISMATCH, "another amount", "ref")
    first = after_attempt(claimed(), misfit, spec(), MOMENT)
    assert (first.state, first.letter, first.doubts) == (JobState.IN_DOUBT, None, True)
    assert first.wait == spec().look_up_lag
    again = after_attempt(claimed(purpose=Purpose.LOOK_UP, state=state), misfit, spec(), MOMENT)
    assert (again.state, again.wait, again.letter) == (JobState.IN_DOUBT, None, Cause.UNRESOLVED_DOUBT)
    assert (again.reason, again.provider_reference) == (ANSWER_MISMATCH, "ref")


@pytest.mark.parametrize("outcome", OUTCOMES, ids=repr)
@pytest.mark.parametrize("replay", Replay)
@pytest.mark.parametrize("can_look_up", [True, False])
def test_whatever_needs_a_person_has_a_dead_letter_and_nothing_else_has(
    outcome: Outcome, replay: Replay, can_look_up: bool
) -> None:
    decision = after_attempt(claimed(attempt_count=3), outcome, spec(replay, can_look_up=can_look_up), MOMENT)
    waits_for_a_person = decision.state is JobState.DEAD or (
        decision.state is JobState.IN_DOUBT and decision.wait is None
    )
    assert (decision.letter is not None) == waits_for_a_person


def test_an_unknown_outcome_that_a_key_would_protect_but_nobody_can_be_asked_about_waits_for_a_person() -> (
    None
):
    keyed = spec(Replay.NATIVE_KEY, can_look_up=False)
    decision = after_attempt(claimed(), Unknown("REPLY_TIMEOUT", ""), keyed, MOMENT)
    assert (decision.state, decision.wait, decision.letter) == (
        JobState.IN_DOUBT,
        None,
        Cause.UNRESOLVED_DOUBT,
    )


@pytest.mark.parametrize("purpose", [Purpose.EXECUTE, Purpose.LOOK_UP])
def test_what_was_once_in_doubt_dies_only_after_a_second_look(purpose: Purpose) -> None:
    outcome = (
        NotSent(NotSentCause.ABSENT, "ABSENT", "")
        if purpose is Purpose.LOOK_UP
        else NotSent(NotSentCause.PROVIDER_DOWN, "CONNECTION_REFUSED", "")
    )
    state = JobState.IN_DOUBT if purpose is Purpose.LOOK_UP else JobState.RUNNING
    job = claimed(purpose=purpose, state=state, attempt_count=3, doubted=True)
    first = after_attempt(job, outcome, spec(), MOMENT)
    assert (first.state, first.reason) == (JobState.IN_DOUBT, ABSENT_ONCE)
    again = claimed(
        purpose=Purpose.LOOK_UP, state=JobState.IN_DOUBT, attempt_count=3, doubted=True, reason=ABSENT_ONCE
    )
    absent = NotSent(NotSentCause.ABSENT, "ABSENT", "")
    assert after_attempt(again, absent, spec(), MOMENT).state is JobState.DEAD


def test_what_is_absent_twice_after_its_time_is_given_up_as_expired() -> None:
    job = claimed(purpose=Purpose.LOOK_UP, state=JobState.IN_DOUBT, doubted=True, reason=ABSENT_ONCE)
    late = Moment(job.expire_at, 0.5)
    decision = after_attempt(job, NotSent(NotSentCause.ABSENT, "ABSENT", ""), spec(), late)
    assert (decision.state, decision.letter) == (JobState.DEAD, Cause.EXPIRED)


@pytest.mark.parametrize(
    ("replay", "later"), [(Replay.QUERYABLE, timedelta()), (Replay.NATIVE_KEY, timedelta(hours=24))]
)
def test_without_a_key_that_protects_it_work_is_resent_only_if_it_is_absent_twice(
    replay: Replay, later: timedelta
) -> None:
    absent, moment = NotSent(NotSentCause.ABSENT, "ABSENT", ""), Moment(NOW + later, 0.5)
    job = claimed(purpose=Purpose.LOOK_UP, state=JobState.IN_DOUBT)
    first = after_attempt(job, absent, spec(replay), moment)
    assert (first.state, first.reason) == (JobState.IN_DOUBT, ABSENT_ONCE)
    assert first.wait is not None
    assert first.wait >= 2 * spec().timeout
    again = claimed(purpose=Purpose.LOOK_UP, state=JobState.IN_DOUBT, reason=ABSENT_ONCE)
    wanted = replace(again, expire_at=moment.now + timedelta(hours=1))
    assert after_attempt(wanted, absent, spec(replay), moment).state is JobState.RETRY_WAIT


def test_work_that_kills_its_worker_every_time_is_given_up_as_poison() -> None:
    lost = after_attempt(claimed(), Unknown("ACTOR_LOST", "", cause=UnknownCause.WORKER_LOST), spec(), MOMENT)
    assert lost.lost
    absent = NotSent(NotSentCause.ABSENT, "ABSENT", "")
    jobs = [claimed(purpose=Purpose.LOOK_UP, state=JobState.IN_DOUBT, losses=n) for n in (1, POISON_AFTER)]
    ends = [after_attempt(job, absent, spec(), MOMENT) for job in jobs]
    assert [(e.state, e.letter) for e in ends] == [
        (JobState.RETRY_WAIT, None),
        (JobState.DEAD, Cause.POISON),
    ]


def test_a_job_must_be_alone_when_the_next_lost_worker_would_make_it_poison_but_not_to_be_looked_up() -> None:
    assert [must_be_alone(claimed(losses=n)) for n in range(POISON_AFTER + 1)] == [False, False, True, True]
    asked = claimed(purpose=Purpose.LOOK_UP, state=JobState.IN_DOUBT, losses=POISON_AFTER - 1)
    assert not must_be_alone(asked)


def test_a_doubt_that_nobody_could_settle_in_the_jobs_time_goes_to_a_person() -> None:
    job = claimed(purpose=Purpose.LOOK_UP, state=JobState.IN_DOUBT)
    decision = after_attempt(job, Unknown("X", ""), spec(), Moment(job.expire_at, 0.5))
    assert (decision.state, decision.wait, decision.letter) == (
        JobState.IN_DOUBT,
        None,
        Cause.UNRESOLVED_DOUBT,
    )


UNASKED = [
    *(
        (NotSent(cause, "R", ""), False)
        for cause in NotSentCause
        if cause not in {NotSentCause.ABSENT, NotSentCause.UNSUPPORTED}
    ),
    (Unknown("ACTOR_LOST", "", cause=UnknownCause.WORKER_LOST), False),
    (Unknown("REPLY_TIMEOUT", "", cause=UnknownCause.PROVIDER), True),
]


@pytest.mark.parametrize(("outcome", "on_trial"), UNASKED, ids=repr)
@pytest.mark.parametrize("state", [JobState.IN_DOUBT, JobState.WAITING_CONFIRMATION])
def test_what_is_over_goes_to_a_person_only_once_somebody_could_be_asked_or_after_a_day(
    outcome: NotSent | Unknown, on_trial: bool, state: JobState
) -> None:
    job = claimed(purpose=Purpose.LOOK_UP, state=state, reason="R")
    late = Moment(job.expire_at, 0.5, on_trial)
    again = after_attempt(job, outcome, spec(), late)
    assert (again.state, again.letter) == (state, None)
    assert again.wait is not None
    assert timedelta(minutes=1) <= again.wait <= OVERTIME
    last = after_attempt(job, outcome, spec(), replace(late, now=job.expire_at + OVERTIME))
    assert (last.state, last.wait, last.letter) == (JobState.IN_DOUBT, None, Cause.UNRESOLVED_DOUBT)


@pytest.mark.parametrize(
    ("reason", "offered"), [(ABSENT_ONCE, spec()), (SAVED_ERROR, spec()), ("PROVIDER_ERROR", SAVED)]
)
@pytest.mark.parametrize("outcome", [Unknown("X", ""), NotSent(NotSentCause.THROTTLED, "X", "")], ids=repr)
def test_a_look_up_that_finds_nothing_out_makes_a_job_forget_nothing(
    reason: str, offered: OperationSpec, outcome: Outcome
) -> None:
    job = claimed(purpose=Purpose.LOOK_UP, state=JobState.IN_DOUBT, doubted=True, reason=reason)
    assert after_attempt(job, outcome, offered, MOMENT).reason == reason


def test_every_cause_of_not_sending_has_a_cause_of_death() -> None:
    assert {cause_of(cause) for cause in NotSentCause} <= set(Cause)


@pytest.mark.parametrize(("ahead", "wait"), [(90, 90), (0, 0), (-90, 0), (2 * LONGEST, LONGEST)])
def test_what_a_provider_confirms_by_an_instant_is_looked_at_then_if_that_is_within_reason(
    ahead: int, wait: int
) -> None:
    pending = Pending("T", b"r", "ref", confirm_by=NOW + timedelta(seconds=ahead))
    assert after_attempt(claimed(), pending, spec(), MOMENT).wait == timedelta(seconds=wait)


@pytest.mark.parametrize("outcome", OUTCOMES, ids=repr)
@pytest.mark.parametrize("replay", Replay)
def test_how_long_a_job_waits_does_not_depend_on_what_time_it_is(outcome: Outcome, replay: Replay) -> None:
    moments = [Moment(NOW + timedelta(hours=hours), 0.5) for hours in (-1, 0)]
    first, second = (after_attempt(claimed(), outcome, spec(replay), moment) for moment in moments)
    assert first == second


FAILED = Unknown("PROVIDER_ERROR", "", cause=UnknownCause.PROVIDER, answered=True)


def test_a_saved_error_is_not_asked_for_again_and_again() -> None:
    posts = []

    def provider(job: Claimed, now: float) -> Outcome:
        if job.purpose is Purpose.LOOK_UP:
            return NotSent(NotSentCause.ABSENT, "ABSENT", "")
        posts.append(job.job_id)
        return FAILED if job.job_id == "0" else Succeeded("T", b"r")

    lane = VirtualLane(provider, jobs=20, offered=SAVED)
    lane.run(60)
    assert (lane.count(JobState.SUCCEEDED), lane.rows[0].state, lane.rows[0].reason) == (
        19,
        JobState.DEAD,
        SAVED_ERROR,
    )
    assert posts.count("0") == 2


@pytest.mark.parametrize(
    ("job", "outcome", "offered", "on_trial"),
    [
        (claimed(doubted=True, reason="PROVIDER_ERROR"), replace(FAILED, answered=False), SAVED, False),
        (claimed(doubted=True, reason="REPLY_TIMEOUT"), FAILED, SAVED, False),
        (claimed(doubted=True, reason="PROVIDER_ERROR"), FAILED, spec(), False),
        (claimed(doubted=True, reason="PROVIDER_ERROR"), FAILED, SAVED, True),
        (claimed(reason="PROVIDER_ERROR"), FAILED, SAVED, False),
    ],
    ids=["no answer", "another answer", "not saved", "fails for all", "the first"],
)
def test_only_the_same_answer_under_a_key_that_saves_errors_is_called_saved(
    job: Claimed, outcome: Unknown, offered: OperationSpec, on_trial: bool
) -> None:
    assert after_attempt(job, outcome, offered, Moment(NOW, 0.5, on_trial)).reason != SAVED_ERROR
    job, moment = claimed(doubted=True, reason="PROVIDER_ERROR"), Moment(NOW, 0.5)
    assert after_attempt(job, FAILED, SAVED, moment).reason == SAVED_ERROR


def test_a_saved_error_that_was_done_after_all_is_found() -> None:
    look = claimed(purpose=Purpose.LOOK_UP, state=JobState.IN_DOUBT, doubted=True, reason=SAVED_ERROR)
    unasked = after_attempt(look, Unknown("X", ""), SAVED, MOMENT)
    assert (unasked.state, unasked.reason) == (JobState.IN_DOUBT, SAVED_ERROR)
    assert after_attempt(look, Succeeded("T", b"r", "ref"), SAVED, MOMENT).state is JobState.SUCCEEDED
