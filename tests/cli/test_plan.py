"""Plans: previewed, approved by another, followed, stopped, resumed."""

import shlex
from datetime import UTC, datetime, timedelta

import pytest

from hubctl.main import hubctl
from integration.operations.v1 import operations_service_pb2 as messages
from integration.operations.v1 import plan_pb2 as plans
from tests.cli.desk import Away, Refusal, StandIn
from tests.cli.parsing import parse
from tests.cli.recorded import ANA, CLI, DIGEST, JOB, LUIS, OTHER_JOB, PLAN, WHY, plan
from tests.cli.terminal import Terminal

STRIPE = ("--provider", "stripe", "--cause", "provider_down")
PACE = ("--chunk", "100", "--canary", "5", "--rate", "20", "--stop-at", "3", "--stop-of", "50")
CONFIRM = ("--confirm-within", "2h")


def counts(**members: int) -> plans.PlanCounts:
    """Of 998 items."""
    return plans.PlanCounts(total=998, **members)


@pytest.mark.parametrize(
    ("command", "kind"),
    [
        ("replay", plans.PLAN_KIND_REPLAY),
        ("rollback", plans.PLAN_KIND_ROLLBACK),
        ("discard", plans.PLAN_KIND_DISCARD),
    ],
)
async def test_a_preview_is_asked_for_with_filter_pace_and_why(
    terminal: Terminal, stand_in: StandIn, command: str, kind: int
) -> None:
    stand_in.lay_out("CreatePlan", messages.CreatePlanResponse(plan=plan()))
    await terminal.json("plan", command, *STRIPE, *PACE, *CONFIRM, *WHY, "--as", "ana")
    (request,) = stand_in.requests("CreatePlan")
    assert request.kind == kind
    assert (request.filter.provider, request.filter.cause) == ("stripe", "provider_down")
    pace = request.pace
    assert (pace.chunk_size, pace.canary_size, pace.rate_per_second, pace.stop_error_percent) == (
        100,
        5,
        20,
        3,
    )
    assert (pace.stop_min_results, pace.confirm_within.ToTimedelta()) == (50, timedelta(hours=2))
    assert (request.why.reason, request.why.ticket) == ("the provider is back", "OPS-241")
    assert stand_in.callers("CreatePlan") == [ANA]


async def test_a_plan_can_be_told_to_stop_at_its_first_failure(terminal: Terminal, stand_in: StandIn) -> None:
    stand_in.lay_out("CreatePlan", messages.CreatePlanResponse(plan=plan()))
    await terminal.json("plan", "replay", *STRIPE, "--stop-at", "0", *WHY)
    assert stand_in.requests("CreatePlan")[0].pace == plans.PlanPace(stop_at_first_failure=True)


async def test_a_pace_that_is_not_given_is_left_to_the_hub(terminal: Terminal, stand_in: StandIn) -> None:
    stand_in.lay_out("CreatePlan", messages.CreatePlanResponse(plan=plan()))
    await terminal.json("plan", "replay", *STRIPE, *WHY)
    assert stand_in.requests("CreatePlan")[0].pace == plans.PlanPace()


async def test_a_preview_says_all_that_its_approver_must_know(terminal: Terminal, stand_in: StandIn) -> None:
    stand_in.lay_out("CreatePlan", messages.CreatePlanResponse(plan=plan()))
    done = await terminal.run("plan", "replay", *STRIPE, *WHY, "--as", "ana")
    assert done.code == 0, done.err
    facts = [line.split(maxsplit=1) for line in done.out.splitlines() if line]
    assert ["items", "998"] in facts
    assert ["digest", DIGEST] in facts
    assert ["what", "--provider stripe --cause provider_down"] in facts
    assert "2: 2 ALREADY_IN_A_PLAN" in done.out
    assert "2026-11-24T12:10:00Z" in done.out
    assert f"any operator but {ANA}" in done.out
    approve, watch = (line.strip() for line in done.out.splitlines() if line.startswith("  hubctl"))
    because = ("--reason", "the provider is back", "--ticket", "OPS-241")
    assert shlex.split(approve) == ["hubctl", "plan", "approve", PLAN, "--as", "luis", *because]
    assert watch == f"hubctl plan watch {PLAN}"
    parse(hubctl, approve)


@pytest.mark.parametrize(("creator", "approver"), [(ANA, "luis"), (LUIS, "ana"), (CLI, "ana")])
async def test_an_approver_is_proposed_who_did_not_make_the_plan(
    terminal: Terminal, stand_in: StandIn, creator: str, approver: str
) -> None:
    stand_in.lay_out("GetPlan", messages.GetPlanResponse(plan=plan(creator=creator)))
    answer = await terminal.json("plan", "show", PLAN)
    assert f"--as {approver} " in answer["next"][0]


async def test_where_one_person_is_enough_the_maker_is_told_so(terminal: Terminal, stand_in: StandIn) -> None:
    alone = plan()
    alone.needs_second_person = False
    stand_in.lay_out("CreatePlan", messages.CreatePlanResponse(plan=alone))
    answer = await terminal.json("plan", "replay", *STRIPE, *WHY, "--as", "ana")
    assert "--as ana" in answer["next"][0]


async def test_a_preview_of_nothing_is_no(terminal: Terminal, stand_in: StandIn) -> None:
    nothing = plan(ineligible=[plans.Ineligible(cause="WINDOW_OVER", count=3)])
    nothing.counts.Clear()
    stand_in.lay_out("CreatePlan", messages.CreatePlanResponse(plan=nothing))
    done = await terminal.run("plan", "replay", *STRIPE, *WHY)
    assert done.code == 1
    assert "the plan has no items" in done.err
    assert "3 WINDOW_OVER" in done.out
    assert "plan approve" not in done.out


async def test_jobs_are_named_one_by_one(terminal: Terminal, stand_in: StandIn) -> None:
    stand_in.lay_out("CreatePlan", messages.CreatePlanResponse(plan=plan()))
    await terminal.json("plan", "discard", "--job", JOB, "--job", OTHER_JOB, *WHY)
    assert list(stand_in.requests("CreatePlan")[0].filter.job_ids) == [JOB, OTHER_JOB]


async def test_a_backfill_takes_its_range_from_now(terminal: Terminal, stand_in: StandIn) -> None:
    stand_in.lay_out("CreatePlan", messages.CreatePlanResponse(plan=plan()))
    before = datetime.now(UTC)
    await terminal.json("plan", "backfill", "--provider", "stripe", "--from", "-2h", "--to", "now", *WHY)
    (request,) = stand_in.requests("CreatePlan")
    start, end = (getattr(request.filter, name).ToDatetime(UTC) for name in ("start_time", "end_time"))
    assert request.kind == plans.PLAN_KIND_BACKFILL
    assert before <= end <= datetime.now(UTC)
    assert timedelta(hours=2) - timedelta(seconds=5) < end - start < timedelta(hours=2) + timedelta(seconds=5)


async def test_an_approval_is_made_by_whoever_is_named(terminal: Terminal, stand_in: StandIn) -> None:
    running = plan(plans.PLAN_STATE_RUNNING, approver=LUIS, counts=counts(started=1))
    stand_in.lay_out("GetPlan", messages.GetPlanResponse(plan=plan()))
    stand_in.lay_out("ApprovePlan", messages.ApprovePlanResponse(plan=running))
    done = await terminal.run("plan", "approve", PLAN, *WHY, "--as", "luis")
    assert done.code == 0, done.err
    assert stand_in.callers("ApprovePlan") == [LUIS]
    assert f"hubctl plan watch {PLAN}" in done.out
    assert f"hubctl plan stop {PLAN}" in done.out


async def test_its_maker_is_refused_and_reads_why(terminal: Terminal, stand_in: StandIn) -> None:
    stand_in.lay_out("GetPlan", messages.GetPlanResponse(plan=plan()))
    stand_in.lay_out("ApprovePlan", Refusal("SECOND_PERSON_NEEDED", "its maker may not approve it"))
    done = await terminal.run("plan", "approve", PLAN, *WHY, "--as", "ana")
    assert (done.code, done.err) == (4, "hubctl: SECOND_PERSON_NEEDED: its maker may not approve it\n")


async def test_a_person_sees_what_begins_before_approving(terminal: Terminal, stand_in: StandIn) -> None:
    stand_in.lay_out("GetPlan", messages.GetPlanResponse(plan=plan()))
    done = await terminal.answering("n", "plan", "approve", PLAN, *WHY)
    assert done.code == 1
    assert "REPLAY of 998 items (--provider stripe --cause provider_down) begins" in done.err
    assert stand_in.requests("ApprovePlan") == []


async def test_a_plan_is_stopped_without_a_question_and_resumed(
    terminal: Terminal, stand_in: StandIn
) -> None:
    stopped = plan(plans.PLAN_STATE_STOPPED, note="stopped by ana")
    stand_in.lay_out("StopPlan", messages.StopPlanResponse(plan=stopped))
    stand_in.lay_out("ResumePlan", messages.ResumePlanResponse(plan=plan(plans.PLAN_STATE_RUNNING)))
    done = await terminal.answering("n", "plan", "stop", PLAN, *WHY)
    assert done.code == 0, done.err
    assert f"hubctl plan resume {PLAN}" in done.out
    assert (await terminal.json("plan", "resume", PLAN, *WHY))["plan"]["state"] == "PLAN_STATE_RUNNING"
    for method in ("StopPlan", "ResumePlan"):
        (request,) = stand_in.requests(method)
        assert (request.plan_id, request.why.ticket) == (PLAN, "OPS-241")


async def test_a_plan_that_waits_offers_to_go_on_and_shows_what_it_passed_over(
    terminal: Terminal, stand_in: StandIn
) -> None:
    waits = plan(plans.PLAN_STATE_RUNNING, counts=counts(started=1))
    stand_in.lay_out("GetPlan", messages.GetPlanResponse(plan=waits))
    assert f"hubctl plan go-on {PLAN}" in (await terminal.run("plan", "show", PLAN)).out
    gone_on = plan(plans.PLAN_STATE_RUNNING, counts=counts(unconfirmed=1))
    stand_in.lay_out("GoOnPlan", messages.GoOnPlanResponse(plan=gone_on))
    assert "1 not confirmed" in (await terminal.run("plan", "go-on", PLAN, *WHY, "--as", "luis")).out
    (request,) = stand_in.requests("GoOnPlan")
    assert (request.plan_id, request.why.ticket) == (PLAN, "OPS-241")
    assert stand_in.callers("GoOnPlan") == [LUIS]


async def test_a_stopped_plan_offers_its_end_and_is_abandoned(terminal: Terminal, stand_in: StandIn) -> None:
    stand_in.lay_out("GetPlan", messages.GetPlanResponse(plan=plan(plans.PLAN_STATE_STOPPED)))
    assert f"hubctl plan abandon {PLAN}" in (await terminal.run("plan", "show", PLAN)).out
    over = plan(plans.PLAN_STATE_ABANDONED, note="abandoned by ana")
    stand_in.lay_out("AbandonPlan", messages.AbandonPlanResponse(plan=over))
    assert "ABANDONED" in (await terminal.run("plan", "abandon", PLAN, *WHY)).out
    (request,) = stand_in.requests("AbandonPlan")
    assert (request.plan_id, request.why.ticket) == (PLAN, "OPS-241")


async def test_watching_says_each_change_and_ends_well_if_all_came_through(
    terminal: Terminal, stand_in: StandIn
) -> None:
    steps = [
        plan(),
        plan(plans.PLAN_STATE_RUNNING, counts=counts(succeeded=1, started=50)),
        plan(plans.PLAN_STATE_RUNNING, counts=counts(succeeded=1, started=50)),
        plan(plans.PLAN_STATE_FINISHED, counts=counts(succeeded=990, skipped=8)),
    ]
    stand_in.lay_out("GetPlan", *(messages.GetPlanResponse(plan=step) for step in steps))
    done = await terminal.run("plan", "watch", PLAN)
    assert done.code == 0, done.err
    said = [line.split("Z  ", 1)[1] for line in done.out.splitlines()]
    assert said == [
        "PREVIEWED  0 of 998 done: 0 succeeded, 0 failed, 0 skipped; 0 under way",
        "RUNNING  1 of 998 done: 1 succeeded, 0 failed, 0 skipped; 50 under way",
        "FINISHED  998 of 998 done: 990 succeeded, 0 failed, 8 skipped; 0 under way",
    ]


@pytest.mark.parametrize(
    ("state", "members", "said"),
    [
        (plans.PLAN_STATE_STOPPED, {"note": "12 % failed"}, "is STOPPED: 12 % failed"),
        (plans.PLAN_STATE_LAPSED, {}, "is LAPSED"),
        (plans.PLAN_STATE_FINISHED, {"counts": counts(failed=2)}, "2 of 998 items failed"),
    ],
)
async def test_watching_ends_with_1_if_anything_failed(
    terminal: Terminal, stand_in: StandIn, state: plans.PlanState, members: dict[str, object], said: str
) -> None:
    stand_in.lay_out("GetPlan", messages.GetPlanResponse(plan=plan(state, **members)))
    done = await terminal.run("plan", "watch", PLAN)
    assert done.code == 1
    assert said in done.err


async def test_watching_outlives_a_restart_of_the_hub(terminal: Terminal, stand_in: StandIn) -> None:
    finished = messages.GetPlanResponse(plan=plan(plans.PLAN_STATE_FINISHED, counts=counts(succeeded=998)))
    stand_in.lay_out("GetPlan", Away("no healthy upstream"), finished)
    done = await terminal.run("plan", "watch", PLAN)
    assert done.code == 0, done.err
    assert "the hub does not answer; asking again" in done.out


async def test_a_plan_is_shown_with_the_items_in_one_state(terminal: Terminal, stand_in: StandIn) -> None:
    stopped = plan(plans.PLAN_STATE_STOPPED, note="12 % failed", counts=counts(failed=2))
    item = plans.PlanItem(
        number=7, subject=JOB, state=plans.PLAN_ITEM_STATE_FAILED, detail="CARD_DECLINED", job_id=OTHER_JOB
    )
    stand_in.lay_out("GetPlan", messages.GetPlanResponse(plan=stopped))
    stand_in.lay_out(
        "ListPlanItems",
        messages.ListPlanItemsResponse(items=[item], next_page_token="more"),
        messages.ListPlanItemsResponse(items=[item]),
    )
    done = await terminal.run("plan", "show", PLAN, "--items", "failed")
    assert done.code == 0, done.err
    rows = [line.split() for line in done.out.splitlines() if line.startswith(JOB)]
    assert rows == [[JOB, "7", "FAILED", "CARD_DECLINED", OTHER_JOB]] * 2
    first, second = stand_in.requests("ListPlanItems")
    assert list(first.states) == [plans.PLAN_ITEM_STATE_FAILED]
    assert second.page_token == "more"
    assert "items" not in await terminal.json("plan", "show", PLAN)


async def test_plans_are_listed(terminal: Terminal, stand_in: StandIn) -> None:
    running = plan(plans.PLAN_STATE_RUNNING, counts=counts(succeeded=10, failed=1))
    stand_in.lay_out("ListPlans", messages.ListPlansResponse(plans=[running]))
    done = await terminal.run("plan", "list", "--limit", "5")
    row = next(line for line in done.out.splitlines() if line.startswith(PLAN))
    assert row.split()[1:7] == ["REPLAY", "RUNNING", "11/998", "1", "ana", "OPS-241"]
    assert stand_in.requests("ListPlans")[0].page_size == 5
