"""`hubctl plan`: bulk operations, previewed, approved, run in chunks, stopped and resumed."""

import click

from hubctl.desk import Desk, Stub, desk_options, why_options
from hubctl.filters import described
from hubctl.options import yes_option
from hubctl.output import as_dict
from hubctl.plan_make import backfill, discard, replay, rollback
from hubctl.plan_view import ITEM_COLUMNS, LIST_COLUMNS, item_row, next_steps, row, show
from hubctl.plan_watch import Watch, line, verdict
from hubctl.rpc import CALL_SECONDS
from hubctl.words import name_of, prefix_of
from integration.operations.v1 import operations_service_pb2 as messages
from integration.operations.v1 import plan_pb2 as plans
from integration.operations.v1.operations_service_pb2 import Justification
from integration.operations.v1.plan_pb2 import Plan, PlanItem
from mesh.clock import SystemClock

PAGE = 1000
ALL = "all"

_STATE = plans.PlanItemState
_STATES = {name.removeprefix(prefix_of(_STATE)).lower(): name for name, number in _STATE.items() if number}

plan_argument = click.argument("plan_id", metavar="PLAN")


@click.group(
    help="Previews, approves, follows and stops bulk operations: replay, rollback, backfill, discard."
)
def plan() -> None:
    """Groups the commands."""


for maker in (replay, rollback, discard, backfill):
    plan.add_command(maker)


@plan.command(name="list")
@click.option(
    "--limit", default=50, show_default=True, type=click.IntRange(1, 500), help="Greatest number of plans."
)
@desk_options
def list_plans(limit: int, desk: Desk) -> None:
    """Lists plans, newest first."""
    request = messages.ListPlansRequest(page_size=limit)
    found = desk.ask(lambda stub: stub.ListPlans(request, timeout=CALL_SECONDS)).plans
    desk.output.table(LIST_COLUMNS, map(row, found))
    if not found:
        desk.output.say("no plans")
    desk.output.result({"plans": [as_dict(each) for each in found]})


@plan.command(name="show")
@plan_argument
@click.option(
    "--items", type=click.Choice([ALL, *_STATES]), help="Also the items: all, or those in one state."
)
@desk_options
def show_plan(plan_id: str, items: str | None, desk: Desk) -> None:
    """Shows one plan, and what to type next."""
    states = [] if items in (None, ALL) else [_STATES[str(items)]]

    async def look(stub: Stub) -> tuple[Plan, list[PlanItem]]:
        return await _get(stub, plan_id), await _items(stub, plan_id, states) if items else []

    now, found = desk.ask(look)
    steps = next_steps(now, desk)
    show(desk.output, now, SystemClock().now(), steps)
    if items:
        desk.output.say(f"\n{len(found)} items" + (f" in state {items.upper()}" if states else ""))
        desk.output.table(ITEM_COLUMNS, map(item_row, found))
    listed = {"items": [as_dict(item) for item in found]} if items else {}
    desk.output.result({"plan": as_dict(now), "next": steps, **listed})


@plan.command()
@plan_argument
@why_options
@yes_option
@desk_options
def approve(plan_id: str, why: Justification, yes: bool, desk: Desk) -> None:
    """Approves a plan, which starts it. Where money is moved, its maker may not."""
    frozen = desk.ask(lambda stub: _get(stub, plan_id))
    kind = name_of(plans.PlanKind, frozen.kind)
    desk.agree(f"{kind} of {frozen.counts.total} items ({described(frozen.filter)}) begins. Go on?", yes=yes)
    request = messages.ApprovePlanRequest(plan_id=plan_id, why=why)
    _tell(desk, desk.ask(lambda stub: stub.ApprovePlan(request, timeout=CALL_SECONDS)).plan)


@plan.command()
@plan_argument
@why_options
@desk_options
def stop(plan_id: str, why: Justification, desk: Desk) -> None:
    """Stops a plan; what it has begun ends. Never asks."""
    request = messages.StopPlanRequest(plan_id=plan_id, why=why)
    _tell(desk, desk.ask(lambda stub: stub.StopPlan(request, timeout=CALL_SECONDS)).plan)


@plan.command()
@plan_argument
@why_options
@desk_options
def resume(plan_id: str, why: Justification, desk: Desk) -> None:
    """Resumes a stopped plan with the items that it has not begun."""
    request = messages.ResumePlanRequest(plan_id=plan_id, why=why)
    _tell(desk, desk.ask(lambda stub: stub.ResumePlan(request, timeout=CALL_SECONDS)).plan)


@plan.command(name="go-on")
@plan_argument
@why_options
@desk_options
def go_on(plan_id: str, why: Justification, desk: Desk) -> None:
    """Lets a plan go on past the items that are under way; each still gets its result."""
    request = messages.GoOnPlanRequest(plan_id=plan_id, why=why)
    _tell(desk, desk.ask(lambda stub: stub.GoOnPlan(request, timeout=CALL_SECONDS)).plan)


@plan.command()
@plan_argument
@why_options
@desk_options
def abandon(plan_id: str, why: Justification, desk: Desk) -> None:
    """Ends a stopped plan for good, and its alert; what it has not begun stays where it is."""
    request = messages.AbandonPlanRequest(plan_id=plan_id, why=why)
    _tell(desk, desk.ask(lambda stub: stub.AbandonPlan(request, timeout=CALL_SECONDS)).plan)


@plan.command()
@plan_argument
@desk_options
def watch(plan_id: str, desk: Desk) -> None:
    """Follows a plan to its end. Ctrl-C leaves the plan at work.

    Exit code 1: it has stopped, was never approved, or an item failed.
    """
    clock = SystemClock()
    ended = desk.ask(lambda stub: Watch(stub, desk.output, clock).until_ended(plan_id))
    desk.output.result({"plan": as_dict(ended)})
    verdict(ended)


async def _get(stub: Stub, plan_id: str) -> Plan:
    request = messages.GetPlanRequest(plan_id=plan_id)
    found: Plan = (await stub.GetPlan(request, timeout=CALL_SECONDS)).plan
    return found


async def _items(stub: Stub, plan_id: str, states: list[str]) -> list[PlanItem]:
    found: list[PlanItem] = []
    token = ""
    while True:
        request = messages.ListPlanItemsRequest(
            plan_id=plan_id, states=states, page_size=PAGE, page_token=token
        )
        page = await stub.ListPlanItems(request, timeout=CALL_SECONDS)
        found += page.items
        token = page.next_page_token
        if not token:
            return found


def _tell(desk: Desk, now: Plan) -> None:
    steps = next_steps(now, desk)
    desk.output.say(f"plan {now.plan_id}: {line(now)}")
    for step in steps:
        desk.output.say(f"  {step}")
    desk.output.result({"plan": as_dict(now), "next": steps})
