"""Bugs of what is stored, by whom, and what is said of it."""

from tests.bugs.bug import Bug

_MADE = "made = (await connection.execute(_ACCEPT, new_job_columns(jobs))).mappings().all()"

STORING = (
    Bug(
        name="accepted-without-commit",
        file="hub/jobs/store.py",
        old=f"            {_MADE}\n",
        new=(
            f"            try:\n                {_MADE}\n"
            "            except Exception:\n"
            "                return {j.job_id: j.expire_at for j in jobs}, {}\n"
        ),
        breaks="a job is acknowledged although its commit failed",
        holds="what has been acknowledged is never lost",
        tests=(
            "tests/hub/test_commit.py::"
            "test_a_job_whose_commit_fails_is_not_acknowledged_and_can_be_sent_again",
        ),
    ),
    Bug(
        name="webhook-answered-early",
        file="hub/events/api.py",
        old="answer = await self._arrivals.take(delivery)",
        new="answer = None if asyncio.ensure_future(self._arrivals.take(delivery)) else None",
        breaks="a webhook is answered 2xx before it is in the store, and lost if the store fails",
        holds="what has been acknowledged is never lost",
        tests=(
            "tests/abuse/test_webhooks.py::"
            "test_w13_nothing_is_acknowledged_that_the_store_did_not_take[echo]",
        ),
    ),
    Bug(
        name="forged-webhook-taken",
        file="spokes/kit/webhooks.py",
        old="if not sum(hmac.compare_digest(e, g) for e in expected for g in given):",
        new="if not expected or not given:",
        breaks="anyone settles jobs by webhook",
        holds="only a job's own provider settles it",
        tests=(
            "tests/abuse/test_webhooks.py::test_w01_what_is_not_signed_by_a_live_secret_is_refused[echo]",
        ),
    ),
    Bug(
        name="event-taken-twice",
        file="hub/events/sql/keep_events.sql",
        old="ON CONFLICT DO NOTHING",
        new="ON CONFLICT (lane_id, event_id) DO UPDATE SET handled = ''",
        breaks="an event that is delivered again is applied again",
        holds="an event is applied once",
        tests=(
            "tests/hub/test_store.py::"
            "test_a_webhook_settles_a_waiting_job_and_its_redelivery_changes_nothing",
            "tests/operations/test_backfill.py::test_a_second_backfill_beside_traffic_finds_nothing_new",
        ),
    ),
    Bug(
        name="early-event-forgotten",
        file="hub/lanes/dispatch.py",
        old="        if settled.has_held_events:\n",
        new="        if settled.has_held_events and ended:\n",
        breaks="a webhook that comes before the provider's own reply settles nothing",
        holds="no event is lost, in whatever order things come",
        tests=(
            "tests/hub/test_early_event.py::test_it_settles_the_job_as_soon_as_the_attempt_has_ended[pending]",
        ),
    ),
    Bug(
        name="event-not-compared",
        file="hub/jobs/contradicting.py",
        old="    if differs:\n",
        new="    if differs and decision is None:\n",
        breaks="an event of another amount or payment settles a job",
        holds="an event settles only what it speaks of",
        tests=(
            "tests/abuse/test_webhook_events.py::"
            "test_w11_an_event_that_contradicts_its_job_settles_nothing[amount-echo]",
        ),
    ),
    Bug(
        name="contradiction-swallowed",
        file="hub/jobs/contradicting.py",
        old='Contradiction("state", Proposal.REPEAT) if isinstance(outcome, Declined) else None',
        new="None",
        breaks="a refund that fails after it was reported as done is told to nobody",
        holds="what contradicts the end of a job reaches Core and a person",
        tests=(
            "tests/hub/test_contradictions.py::"
            "test_a_word_against_the_end_is_told_with_both_sides_and_alarms[6-no-2]",
        ),
    ),
    Bug(
        name="contradiction-not-told",
        file="hub/events/store.py",
        old="        if contradicted:\n",
        new="        if contradicted and decisions:\n",
        breaks="a word against the end of a job alarms, and Core is never told",
        holds="what contradicts the end of a job reaches Core and a person",
        tests=(
            "tests/hub/test_contradictions.py::"
            "test_a_withdrawn_job_that_the_provider_did_all_the_same_is_told",
        ),
    ),
    Bug(
        name="anothers-dispute-told",
        file="hub/events/sql/tell_concerns.sql",
        old="FROM job_done WHERE job_id = g.job_id AND lane_id = g.lane_id",
        new="FROM job_done WHERE job_id = g.job_id",
        breaks="one provider tells a tenant of disputes about another provider's job",
        holds="only a job's own provider speaks of it",
        tests=(
            "tests/hub/test_concerns.py::"
            "test_what_concerns_no_job_of_its_lane_is_told_to_no_tenant[job-of-another-provider]",
        ),
    ),
    Bug(
        name="anothers-events-read",
        file="hub/events/sql/read_tenant_told.sql",
        old="WHERE (tenant, cursor) > (:tenant, :after)",
        new="WHERE (cursor > :after OR tenant = :tenant)",
        breaks="a tenant reads what providers say about another tenant's jobs",
        holds="a tenant's jobs are not there for another tenant",
        tests=("tests/abuse/test_told.py::test_a_tenant_reads_its_own_events_and_nobody_elses",),
    ),
    Bug(
        name="event-posted-by-two",
        file="hub/callbacks/sql/claim.sql",
        old="SET next_at = :until",
        new="SET next_at = LEAST(next_at, :until)",
        breaks="replicas that post events at once post the same ones",
        holds="what one has claimed nobody else posts",
        tests=("tests/hub/test_callbacks.py::test_replicas_that_post_at_once_post_each_event_once",),
    ),
    Bug(
        name="event-posted-inside",
        file="hub/posting/http.py",
        old="resolver=PublicResolver()",
        new="resolver=None",
        breaks="a tenant's name leads the hub to post into its own network",
        holds="an endpoint lies outside unless its entry says otherwise",
        tests=(
            "tests/hub/test_callbacks.py::"
            "test_nothing_is_posted_into_our_own_network_unless_the_entry_allows_it",
        ),
    ),
    Bug(
        name="event-numbered-early",
        file="hub/events/sql/number_told.sql",
        old="SET cursor = head.cursor + ranked.rank",
        new="SET cursor = e.position",
        breaks="what is committed late falls behind a reader's cursor and is never read",
        holds="cursors are given after the commit",
        tests=(
            "tests/hub/test_told_order.py::test_a_commit_that_comes_late_is_told_after_what_has_been_read",
        ),
    ),
    Bug(
        name="anothers-event-counts",
        file="hub/events/sql/held_events.sql",
        old="AS j(job_id, lane_id) USING (job_id, lane_id)",
        new="AS j(job_id, job_lane) USING (job_id)",
        breaks="one provider's webhook settles another provider's job",
        holds="only a job's own provider settles it",
        tests=("tests/abuse/test_webhook_events.py::test_w09_a_provider_cannot_settle_anothers_job[echo]",),
    ),
    Bug(
        name="settled-by-an-old-owner",
        file="hub/lanes/sql/settle.sql",
        old="SELECT term FROM lane WHERE lane_id = :lane AND term = :term FOR KEY SHARE",
        new="SELECT term FROM lane WHERE lane_id = :lane FOR KEY SHARE",
        breaks="an owner that has lost its lane still settles what it had claimed",
        holds="a lane has one owner at a time",
        tests=(
            "tests/hub/test_fencing.py::"
            "test_an_old_owner_settles_nothing_from_the_new_owners_first_moment_on",
        ),
    ),
    Bug(
        name="settled-without-a-claim",
        file="hub/lanes/sql/settle.sql",
        old="WHERE j.seq = g.seq AND j.claimed_term = :term",
        new="WHERE j.seq = g.seq",
        breaks="an attempt that has ended is settled a second time",
        holds="an attempt is settled once",
        tests=(
            "tests/hub/test_fencing.py::"
            "test_an_attempt_that_has_ended_does_not_end_a_second_time_while_its_job_waits",
        ),
    ),
    Bug(
        name="settled-by-another-attempt",
        file="hub/lanes/sql/settle.sql",
        old="WHERE j.seq = g.seq AND j.claimed_term = :term",
        new="WHERE j.claimed_term = :term",
        breaks="the late end of an earlier attempt settles the one under way",
        holds="an attempt is settled once",
        tests=(
            "tests/hub/test_fencing.py::"
            "test_an_earlier_attempts_late_end_does_not_settle_the_attempt_under_way",
        ),
    ),
    Bug(
        name="moved-where-it-cannot-go",
        file="hub/jobs/sql/parts/transition.sql",
        old="ELSE refuse_move(job_id, state, to_state) END AS new_state",
        new="ELSE to_state END AS new_state",
        breaks="a job goes from any state to any other",
        holds="a job changes its state only as the table says",
        tests=(
            "tests/hub/test_transition.py::test_a_move_that_the_table_does_not_have_is_refused[RETRY_WAIT]",
        ),
    ),
    Bug(
        name="lease-taken-while-it-runs",
        file="hub/lanes/sql/acquire_lanes.sql",
        old=" AND owner <> :owner AND lease_until < now()",
        new="",
        breaks="two replicas work on one lane",
        holds="a lane has one owner at a time",
        tests=(
            "tests/hub/test_store.py::"
            "test_a_lease_that_runs_cannot_be_taken_and_a_released_one_has_a_new_term",
        ),
    ),
    Bug(
        name="forgotten-intent-not-asked-for",
        file="audit_service/log/recent.py",
        old="if isinstance(said, Evidence) and of_attempt[0] is None:",
        new="if isinstance(said, Evidence) and not of_attempt:",
        breaks="evidence whose intent the log has appended long ago, or before a restart, is refused",
        holds="the log takes the evidence of every intent that it holds",
        tests=("tests/audit_service/test_recent.py::test_what_was_appended_before_a_restart_is_known",),
    ),
    Bug(
        name="claimed-under-a-spent-term",
        file="hub/lanes/sql/claim.sql",
        old="WHERE lane_id = :lane AND term = :term AND mode <> {LaneMode.PAUSED} FOR KEY SHARE",
        new="WHERE lane_id = :lane AND mode <> {LaneMode.PAUSED} FOR KEY SHARE",
        breaks="an owner that has lost its lane still claims its jobs",
        holds="a lane has one owner at a time",
        tests=("tests/hub/test_store.py::test_a_claim_under_a_spent_term_gets_nothing",),
    ),
    Bug(
        name="evidence-not-kept",
        file="hub/lanes/sql/settle.sql",
        old="envelope FROM moved WHERE envelope <> '' ORDER BY ordinal",
        new="envelope FROM moved WHERE false ORDER BY ordinal",
        breaks="an attempt is settled and its evidence never reaches the log",
        holds="each attempt has one intent and one evidence in the log",
        tests=(
            "tests/hub/test_store.py::"
            "test_a_late_contradiction_moves_nothing_but_its_confirmation_goes_to_the_log",
        ),
    ),
    Bug(
        name="hub-signs-a-success",
        file="hub/lanes/dispatch.py",
        old="if result.evidence or not isinstance(result.outcome, NotSent | Unknown):",
        new="if result.evidence:",
        breaks="the hub states by itself that something was done",
        holds="only the spoke that did it states that something was done",
        tests=(
            "tests/hub/test_unproven.py::test_the_log_holds_no_evidence_of_a_success_that_no_spoke_signed",
        ),
    ),
    Bug(
        name="log-takes-the-hubs-word",
        file="audit_service/log/entry.py",
        old='return "res.outcome: not for the hub to say" if proven else ""',
        new='return "res.outcome: not for the hub to say" if proven is None else ""',
        breaks="the log takes evidence of a success that the hub has signed",
        holds="only the spoke that did it states that something was done",
        tests=("tests/audit_service/test_append.py::test_who_may_say_what",),
    ),
    Bug(
        name="forked-log-unseen",
        file="hub/peers/audit.py",
        old="        if last is not None:\n",
        new="        if last is not None and not last.size:\n",
        breaks="a log that was rolled back, or shows another tree, is believed",
        holds="what the log has acknowledged is never lost without a trace",
        tests=(
            "tests/hub/test_audit_client.py::test_an_answer_that_proves_nothing_is_refused[_no_consistency]",
            "tests/hub/test_audit_client.py::test_a_log_that_was_rolled_back_is_seen_also_after_a_restart",
        ),
    ),
    Bug(
        name="mark-failure-ignored",
        file="audit_service/log/sequencer.py",
        old='raise LogUnavailable(f"the high-water mark: {error.strerror}") from error',
        new="del error",
        breaks="the log gives receipts that a restored old database would not contradict",
        holds="what the log has acknowledged is never lost without a trace",
        tests=(
            "tests/audit_service/test_trouble.py::"
            "test_a_mark_that_cannot_be_written_gives_no_acknowledgement",
        ),
    ),
)
