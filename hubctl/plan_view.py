"""Plans as people read them."""

from collections.abc import Sequence
from datetime import datetime

from google.protobuf.timestamp_pb2 import Timestamp

from hubctl.desk import Desk
from hubctl.filters import described
from hubctl.moments import lasting, shown
from hubctl.output import Output
from hubctl.words import acting, name_of, typed
from integration.operations.v1 import plan_pb2 as plans
from integration.operations.v1.plan_pb2 import Plan, PlanCounts, PlanItem

LIST_COLUMNS = ("plan", "kind", "state", "done", "failed", "made by", "ticket", "created", "what")
ITEM_COLUMNS = ("subject", "number", "state", "detail", "job", "changed")


def facts(plan: Plan, now: datetime) -> list[tuple[str, str]]:
    """Everything about a plan that its approver must know."""
    pace, left_out = plan.pace, sum(each.count for each in plan.ineligible)
    causes = ", ".join(f"{each.count} {each.cause}" for each in plan.ineligible)
    pairs = [
        ("plan", plan.plan_id),
        ("kind", name_of(plans.PlanKind, plan.kind)),
        ("state", ": ".join(filter(None, (name_of(plans.PlanState, plan.state), plan.note)))),
        ("what", described(plan.filter)),
        ("items", str(plan.counts.total)),
        ("left out", f"{left_out}: {causes}" if left_out else "0"),
        ("pace", _pace(pace)),
        ("made by", f"{plan.creator}, {plan.ticket}: {plan.reason}"),
        ("made", shown(plan.create_time)),
        ("digest", plan.digest),
        ("can be approved until", _deadline(plan.expire_time, now) if _waits(plan) else ""),
        ("may be approved by", _who(plan) if _waits(plan) else ""),
        ("approved by", f"{plan.approver}, {shown(plan.approve_time)}" if plan.approver else ""),
        ("progress", "" if _waits(plan) else progress(plan.counts)),
    ]
    return [(name, value) for name, value in pairs if value]


def progress(counts: PlanCounts) -> str:
    """How far a plan is, in one line."""
    done = counts.succeeded + counts.failed + counts.skipped
    passed = f", {counts.unconfirmed} not confirmed" if counts.unconfirmed else ""
    return (
        f"{done} of {counts.total} done: {counts.succeeded} succeeded, {counts.failed} failed,"
        f" {counts.skipped} skipped; {counts.started} under way{passed}"
    )


def row(plan: Plan) -> tuple[object, ...]:
    """A plan in a list."""
    counts = plan.counts
    return (
        plan.plan_id,
        name_of(plans.PlanKind, plan.kind),
        name_of(plans.PlanState, plan.state),
        f"{counts.succeeded + counts.failed + counts.skipped}/{counts.total}",
        counts.failed,
        plan.creator.rpartition("/")[2],
        plan.ticket,
        shown(plan.create_time),
        described(plan.filter),
    )


def item_row(item: PlanItem) -> tuple[object, ...]:
    """An item in a list."""
    state = name_of(plans.PlanItemState, item.state)
    return (item.subject, item.number, state, item.detail, item.job_id, shown(item.update_time))


def show(output: Output, plan: Plan, now: datetime, steps: Sequence[str]) -> None:
    """Prints the facts, and what to type next."""
    width = max(len(name) for name, _ in facts(plan, now))
    for name, value in facts(plan, now):
        output.say(f"{name:<{width}}  {value}")
    if steps:
        output.say("\nNext:")
    for step in steps:
        output.say(f"  {step}")


def next_steps(plan: Plan, desk: Desk) -> list[str]:
    """The commands that lead on from where a plan stands."""
    plan_id = plan.plan_id
    because = ("--reason", plan.reason, "--ticket", plan.ticket)
    watch = typed("plan", "watch", plan_id)
    match plan.state:
        case plans.PLAN_STATE_PREVIEWED if plan.counts.total:
            who = acting(_approver(plan, desk))
            return [typed("plan", "approve", plan_id, *who, *because), watch]
        case plans.PLAN_STATE_RUNNING:
            stop = typed("plan", "stop", plan_id, "--reason", "<why>", "--ticket", plan.ticket)
            go_on = typed("plan", "go-on", plan_id, "--reason", "<why>", "--ticket", plan.ticket)
            return [watch, stop, go_on] if plan.counts.started else [watch, stop]
        case plans.PLAN_STATE_STOPPED:
            resume = typed("plan", "resume", plan_id, "--reason", "<why>", "--ticket", plan.ticket)
            abandon = typed("plan", "abandon", plan_id, "--reason", "<why>", "--ticket", plan.ticket)
            return [typed("plan", "show", plan_id, "--items", "failed"), resume, abandon]
    return [typed("plan", "show", plan_id, "--items", "failed")] if plan.counts.failed else []


def _approver(plan: Plan, desk: Desk) -> str:
    """Somebody who may approve: another person with a certificate here, if it takes one."""
    if not plan.needs_second_person:
        return desk.operator
    creator = plan.creator.rpartition("/")[2]
    return next((name for name in desk.operators if name not in (creator, "cli")), "<another person>")


def _who(plan: Plan) -> str:
    if plan.needs_second_person:
        return f"any operator but {plan.creator}: it moves money or gives something up"
    return "any operator, its maker too"


def _deadline(expires: Timestamp, now: datetime) -> str:
    left = expires.ToDatetime(now.tzinfo) - now
    return (
        f"{shown(expires)} ({lasting(left)} left)" if left.total_seconds() > 0 else f"{shown(expires)} (over)"
    )


def _pace(pace: plans.PlanPace) -> str:
    return (
        f"first {pace.canary_size}, then chunks of {pace.chunk_size}, at most"
        f" {pace.rate_per_second} a second; stops above {pace.stop_error_percent} % failed"
        f" (of at least {pace.stop_min_results}); passes over what is not confirmed in"
        f" {lasting(pace.confirm_within.ToTimedelta())}"
    )


def _waits(plan: Plan) -> bool:
    return plan.state == plans.PLAN_STATE_PREVIEWED
