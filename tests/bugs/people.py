"""Bugs of what people are told, and of what they may do."""

from tests.bugs.bug import Bug

PEOPLE = (
    Bug(
        name="letter-without-alert",
        file="hub/jobs/sql/parts/letters_alarmed.sql",
        old="FROM lettered) AS a\n",
        new="FROM lettered WHERE false) AS a\n",
        breaks="a job waits for a person, and nobody is told",
        holds="whatever waits for a person has fired an alert in the same commit",
        tests=("tests/hub/test_operations_store.py::test_a_parked_doubt_is_a_dead_letter_with_its_alert",),
    ),
    Bug(
        name="alert-told-too-early",
        file="hub/alerts/model.py",
        old="taken = [c.state for c, reason in answers if reason is None]",
        new="taken = [c.state for c, _ in answers]",
        breaks="an alert that a sink has not taken is written down as told, and never told again",
        holds="every alert is told at least once, however long a sink is away",
        tests=(
            "tests/alerts/test_webhook.py::"
            "test_a_receiver_that_is_down_is_tried_less_and_less_often_and_loses_nothing",
        ),
    ),
    Bug(
        name="undone-twice",
        file="hub/plans/inverses.py",
        old="request.context.request_id = undo_key(job.job_id, number)",
        new='request.context.request_id = f"{undo_key(job.job_id, number)}:{actor}"',
        breaks="two plans undo one charge twice",
        holds="a job is undone at most once, whatever asks for it",
        tests=(
            "tests/operations/test_rollback.py::test_charges_are_refunded_once_by_two_plans_at_the_same_time",
        ),
    ),
    Bug(
        name="item-begun-twice",
        file="hub/plans/sql/parts/items_not_begun.sql",
        old="WHERE i.plan_id = CAST(:plan_id AS uuid) AND i.state = {ItemState.PENDING}\n",
        new="WHERE i.plan_id = CAST(:plan_id AS uuid)\n",
        breaks="an item that was begun before a crash is begun again after it",
        holds="an item of a plan is begun once",
        tests=(
            "tests/hub/test_plan_items.py::test_an_item_that_was_begun_before_a_crash_is_not_begun_after_it",
        ),
    ),
    Bug(
        name="plan-run-by-an-old-runner",
        file="hub/plans/sql/parts/items_not_begun.sql",
        old="SELECT term FROM lane WHERE lane_id = :outbox AND term = :term FOR KEY SHARE",
        new="SELECT term FROM lane WHERE lane_id = :outbox AND :term > 0 FOR KEY SHARE",
        breaks="two replicas carry one plan out",
        holds="plans are carried out by one replica at a time",
        tests=("tests/hub/test_plan_items.py::test_a_runner_whose_term_is_over_begins_nothing",),
    ),
    Bug(
        name="one-person-is-enough",
        file="hub/plans/planning.py",
        old="if plan.needs_second_person and why.actor == plan.why.actor:",
        new="if plan.needs_second_person and not why.actor:",
        breaks="whoever made a plan that moves money approves it, too",
        holds="a plan that moves money needs two people",
        tests=(
            "tests/operations/test_letters.py::"
            "test_a_replay_needs_a_second_person_for_money_and_ends_the_alert",
        ),
    ),
    Bug(
        name="anothers-job-is-shown",
        file="hub/jobs/api.py",
        old="        if job.tenant != tenant:\n",
        new="        if not job.tenant:\n",
        breaks="a tenant reads, and withdraws, another's jobs",
        holds="a tenant's jobs are not there for another tenant",
        tests=(
            "tests/abuse/test_tenants.py::test_anothers_job_answers_as_one_that_never_was[get]",
            "tests/hub/test_edge.py::test_a_tenants_job_is_not_there_for_another_tenant",
        ),
    ),
    Bug(
        name="anyone-acts-for-a-tenant",
        file="hub/jobs/api.py",
        old="        self._tenants.check(tenant)\n",
        new="",
        breaks="a caller reads the jobs of a tenant that it may not act for",
        holds="a caller acts only for its own tenants",
        tests=(
            "tests/abuse/test_tenants.py::test_who_may_not_act_for_a_tenant_learns_nothing_of_its_jobs[get]",
        ),
    ),
    Bug(
        name="anyones-account-is-used",
        file="hub/tenants.py",
        old="        if not allowed & {account, ANY}:\n",
        new="        if not account:\n",
        breaks="a tenant charges with another's account",
        holds="a tenant uses only the accounts that it is allowed",
        tests=(
            "tests/abuse/test_tenants.py::"
            "test_anothers_account_is_refused_by_name_and_nothing_is_stored[chosen0-context.provider]",
            "tests/hub/test_known_keys.py::test_a_known_key_is_answered_also_when_its_account_is_no_longer_the_tenants",
        ),
    ),
    Bug(
        name="anothers-payment-is-refunded",
        file="hub/intake/sql/made_references.sql",
        old="""                AND d.tenant = n.tenant AND d.lane_id = n.lane_id)""",
        new="""                AND d.lane_id = n.lane_id)""",
        breaks="a tenant refunds, or reads, another's payment at an account that they share",
        holds="a tenant follows up only what its own jobs have made",
        tests=(
            "tests/abuse/test_references.py::"
            "test_anothers_work_is_refused_in_the_words_for_what_there_is_not[Refund-SUCCEEDED]",
        ),
    ),
    Bug(
        name="known-key-forgotten",
        file="hub/intake/door.py",
        old="            if (first := await self._first(asked)) is None:\n",
        new="            if (first := None) is None:\n",
        breaks="a repetition is refused although its job was done, and Core does it again under another key",
        holds="a known key is answered with its job whatever would be refused by now",
        tests=(
            "tests/hub/test_known_keys.py::test_a_known_key_is_answered_with_its_end_after_its_expiry",
            "tests/hub/test_known_keys.py::"
            "test_a_known_key_is_answered_whatever_the_spokes_say_today[UnknownProvider]",
        ),
    ),
)
