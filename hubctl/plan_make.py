"""`hubctl plan replay|rollback|discard|backfill`: previews. They freeze what matches, and change nothing."""

from datetime import datetime, timedelta
from functools import wraps

import click

from hubctl.desk import Desk, desk_options, why_options
from hubctl.errors import Failed
from hubctl.filters import account_option, filter_options, make_filter, refuse_empty
from hubctl.moments import FORMS, SPANS, Moment, Span
from hubctl.options import Command
from hubctl.output import as_dict
from hubctl.plan_view import next_steps, show
from hubctl.rpc import CALL_SECONDS
from integration.operations.v1 import operations_service_pb2 as messages
from integration.operations.v1 import plan_pb2 as plans
from integration.operations.v1.operations_service_pb2 import Justification
from integration.operations.v1.plan_pb2 import PlanFilter, PlanPace
from mesh.clock import SystemClock

MOST = 1000

_PACE = (
    ("--chunk", "chunk_size", 1, MOST, "Items in a chunk. Else 50."),
    ("--canary", "canary_size", 1, MOST, "Items in the first chunk. Else 1."),
    ("--rate", "rate_per_second", 1, MOST, "Greatest number of items begun per second. Else 10."),
    ("--stop-at", "stop_error_percent", 0, 100, "Stops above this percentage of failures. Else 10."),
    ("--stop-of", "stop_min_results", 1, MOST, "The percentage is of at least so many results. Else 20."),
)

_CONFIRM = f"How long an item may wait for its confirmation and hold up the others: {SPANS}. Else 10m."


def pace_options(command: Command) -> Command:
    """Gives a command its `pace`."""

    @wraps(command)
    def paced(
        *,
        chunk_size: int | None,
        canary_size: int | None,
        rate_per_second: int | None,
        stop_error_percent: int | None,
        stop_min_results: int | None,
        confirm_within: timedelta | None,
        **given: object,
    ) -> None:
        pace = PlanPace(
            chunk_size=chunk_size,
            canary_size=canary_size,
            rate_per_second=rate_per_second,
            stop_error_percent=stop_error_percent,
            stop_min_results=stop_min_results,
            stop_at_first_failure=stop_error_percent == 0,
            confirm_within=confirm_within,
        )
        command(pace=pace, **given)

    paced = click.option("--confirm-within", type=Span(), metavar="SPAN", help=_CONFIRM)(paced)
    for option, name, least, most, text in reversed(_PACE):
        limits = click.IntRange(least, most)
        paced = click.option(option, name, type=limits, help=text, metavar="N")(paced)
    return paced


def preview(desk: Desk, request: messages.CreatePlanRequest) -> None:
    """Has a plan frozen, and shows what its approver must know. Raises Failed if nothing matches."""
    plan = desk.ask(lambda stub: stub.CreatePlan(request, timeout=CALL_SECONDS)).plan
    steps = next_steps(plan, desk)
    show(desk.output, plan, SystemClock().now(), steps)
    desk.output.result({"plan": as_dict(plan), "next": steps})
    if not plan.counts.total:
        raise Failed("nothing to do: the plan has no items")


def _by_filter(name: str, kind: plans.PlanKind, text: str) -> click.Command:
    @click.command(name=name, help=text)
    @filter_options
    @pace_options
    @why_options
    @desk_options
    def make(wanted: PlanFilter, pace: PlanPace, why: Justification, desk: Desk) -> None:
        refuse_empty(wanted)
        preview(desk, messages.CreatePlanRequest(kind=kind, filter=wanted, pace=pace, why=why))

    return make


replay = _by_filter(
    "replay",
    plans.PLAN_KIND_REPLAY,
    "Previews putting dead letters back into their lanes, under the same key at the provider.",
)
rollback = _by_filter(
    "rollback", plans.PLAN_KIND_ROLLBACK, "Previews undoing succeeded jobs by their inverse, once each."
)
discard = _by_filter("discard", plans.PLAN_KIND_DISCARD, "Previews giving dead letters up.")


@click.command()
@click.option("--provider", required=True, help="The spoke.")
@account_option
@click.option("--from", "since", required=True, type=Moment(), help=f"From, inclusive: {FORMS}.")
@click.option("--to", "until", required=True, type=Moment(), help="To, exclusive; the same forms.")
@pace_options
@why_options
@desk_options
def backfill(
    provider: str,
    account: str,
    since: datetime,
    until: datetime,
    pace: PlanPace,
    why: Justification,
    desk: Desk,
) -> None:
    """Previews taking in a provider's events of a time range that never arrived."""
    wanted = make_filter({"provider": provider, "account": account}, since, until)
    preview(
        desk, messages.CreatePlanRequest(kind=plans.PLAN_KIND_BACKFILL, filter=wanted, pace=pace, why=why)
    )
