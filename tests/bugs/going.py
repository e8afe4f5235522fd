"""Bugs of what goes away, comes late, or is too much."""

from tests.bugs.bug import Bug

GOING = (
    Bug(
        name="turns-ignored",
        file="hub/lanes/turns.py",
        old="        return list(self._served)\n",
        new="        return []\n",
        breaks="the tenant whose jobs are oldest is served again and again while others wait",
        holds="no tenant waits for more than one turn of another",
        tests=(
            "tests/hub/test_turns.py::test_where_one_job_is_claimed_at_a_time_tenants_alternate",
            "tests/simulation/test_simulation.py::test_tenants_that_share_a_lane_have_their_turns",
        ),
    ),
    Bug(
        name="priority-for-ever",
        file="hub/lanes/sql/claim.sql",
        old="ORDER BY j.due_at + g.priority * interval '1 minute', j.job_id",
        new="ORDER BY g.priority, j.due_at, j.job_id",
        breaks="a job of a lower priority waits as long as others of a higher come",
        holds="nothing waits for ever",
        tests=(
            "tests/hub/test_turns.py::test_a_lower_number_goes_first_and_a_higher_one_does_not_wait_for_ever",
        ),
    ),
    Bug(
        name="all-lanes-to-one",
        file="hub/lanes/sharing.py",
        old="return {replica: least + (place < odd) for place, replica in enumerate(order)}",
        new="return {replica: 0 if place else lanes for place, replica in enumerate(order)}",
        breaks="one replica has all lanes, and the others none",
        holds="no replica has two lanes more than another",
        tests=(
            "tests/hub/test_sharing.py::"
            "test_every_lane_has_one_home_shares_are_even_and_no_more_move_than_must",
            "tests/simulation/test_simulation.py::test_lanes_lie_evenly_among_the_replicas_that_live",
        ),
    ),
    Bug(
        name="lane-keeps-its-term",
        file="hub/lanes/ownership.py",
        old=" or lane not in offered]",
        new=" or offered is None]",
        breaks="an attempt that was under way when its account went for a moment is never settled",
        holds="whoever takes a lane takes over what was under way in it",
        tests=(
            "tests/hub/test_sharing.py::"
            "test_a_lane_that_is_not_offered_for_a_moment_comes_back_under_a_new_term_to_the_same_replica",
        ),
    ),
    Bug(
        name="sent-after-its-time",
        file="hub/jobs/decide.py",
        old="    if job.purpose is not Purpose.EXECUTE or now < begin_by(job, spec):\n",
        new="    if job.purpose is not Purpose.EXECUTE or not job.doubted or now < begin_by(job, spec):\n",
        breaks="what waited for the log is sent when it is back, though its time is over",
        holds="nothing is sent after its expiry",
        tests=(
            "tests/hub/test_before_sending.py::"
            "test_a_charge_whose_time_is_over_when_the_log_comes_back_is_not_sent_and_expires",
        ),
    ),
    Bug(
        name="never-begun-is-a-letter",
        file="hub/housekeeping/sql/expire.sql",
        old="reason IN ('TIME_OVER', 'NEVER_STARTED', 'FENCED')",
        new="reason IN ('')",
        breaks="what was never sent becomes a dead letter after an outage of the log",
        holds="what was never begun expires, and is nobody's work",
        tests=(
            "tests/hub/test_before_sending.py::"
            "test_what_was_claimed_and_never_begun_expires_and_is_nobodys_letter[NEVER_STARTED]",
        ),
    ),
    Bug(
        name="end-overwritten",
        file="hub/jobs/decide.py",
        old="    if state in UNSETTLED and isinstance(outcome, Succeeded | Declined):\n",
        new="    if state and isinstance(outcome, Succeeded | Declined):\n",
        breaks="an event that contradicts an end changes it in silence",
        holds="an end never changes, and what contradicts it is told",
        tests=(
            "tests/hub/test_contradicting.py::test_the_same_word_again_contradicts_nothing[6-word0]",
            "tests/simulation/test_simulation.py::test_what_contradicts_an_end_is_told_once_and_changes_none",
        ),
    ),
    Bug(
        name="throttling-burns",
        file="hub/jobs/decision.py",
        old="NotSentCause.OVERLOADED, NotSentCause.FENCED, NotSentCause.THROTTLED})",
        new="NotSentCause.OVERLOADED, NotSentCause.FENCED})",
        breaks="a provider that wants it slower burns the attempts of its jobs",
        holds="what holds the lane costs no job its life",
        tests=("tests/hub/test_decide.py::test_a_provider_that_throttles_burns_no_attempt",),
    ),
    Bug(
        name="wrong-key-burns",
        file="hub/jobs/decision.py",
        old="LANES_CAUSES = frozenset({NotSentCause.PROVIDER_DOWN, NotSentCause.MISCONFIGURED})",
        new="LANES_CAUSES = frozenset({NotSentCause.PROVIDER_DOWN})",
        breaks="a lane that a wrong key of ours holds burns the attempts of its jobs",
        holds="what holds the lane costs no job its life",
        tests=("tests/hub/test_decide.py::test_a_wrong_key_that_holds_the_lane_burns_no_attempt",),
    ),
    Bug(
        name="look-ups-close-the-breaker",
        file="hub/lanes/breaker.py",
        old="            return breaker if breaker.by_writes and not writes else _after_success(breaker)\n",
        new="            return _after_success(breaker)\n",
        breaks="a provider that answers questions and takes no work is sent all of it",
        holds="a provider that is down burns the attempts of few jobs",
        tests=(
            "tests/hub/test_breaker_trials.py::"
            "test_a_look_up_that_works_closes_only_what_look_ups_have_opened[True]",
        ),
    ),
    Bug(
        name="doubt-resent-after-its-time",
        file="hub/jobs/decide.py",
        old="expire_at:\n        return _given_up(job, outcome, spec, Cause.EXPIRED)\n",
        new="expire_at + OVERTIME:\n        return _given_up(job, outcome, spec, Cause.EXPIRED)\n",
        breaks="what was doubted and is not there is sent again after its time",
        holds="nothing is sent after its expiry",
        tests=("tests/hub/test_decide.py::test_what_is_absent_twice_after_its_time_is_given_up_as_expired",),
    ),
    Bug(
        name="held-for-ever",
        file="hub/events/sql/lapse_events.sql",
        old="received_at < now() - CAST(:age AS interval)",
        new="received_at < '-infinity'::timestamptz - CAST(:age AS interval)",
        breaks="events whose job never comes are held, and looked at, for ever",
        holds="what waits in vain has an end",
        tests=(
            "tests/hub/test_held_events.py::"
            "test_what_has_been_held_for_a_month_lapses_batch_after_batch_and_nothing_younger",
        ),
    ),
    Bug(
        name="unowned-never-expires",
        file="hub/housekeeping/sql/expire.sql",
        old="WHERE claimed_term = 0 AND state IN ({NOT_BEGUN}) AND expire_at <= now()",
        new=(
            "WHERE claimed_term = 0 AND state IN ({NOT_BEGUN}) AND expire_at <= now()\n"
            "      AND EXISTS (SELECT 1 FROM lane l WHERE l.lane_id = job.lane_id AND l.lease_until >= now())"
        ),
        breaks="jobs of a lane that nobody offers any more wait for ever",
        holds="all that is accepted ends, or waits for a person",
        tests=(
            "tests/hub/test_expiring.py::"
            "test_what_is_over_expires_whatever_keeps_its_lane_from_working[no owner]",
        ),
    ),
)
