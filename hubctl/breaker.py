"""`hubctl breaker`: whether each provider is tried at all."""

import click

from hubctl.backlog import all_lanes
from hubctl.desk import Desk, desk_options, why_options
from hubctl.lane import lane_argument
from hubctl.moments import shown
from hubctl.options import yes_option
from hubctl.output import as_dict
from hubctl.rpc import CALL_SECONDS
from hubctl.words import name_of, typed
from integration.operations.v1 import lane_pb2 as lanes
from integration.operations.v1 import operations_service_pb2 as messages
from integration.operations.v1.operations_service_pb2 import Justification


@click.group(help="Lists and moves breakers, one per lane. A LANE is <provider>/<account>.")
def breaker() -> None:
    """Groups the commands."""


@breaker.command(name="list")
@desk_options
def list_breakers(desk: Desk) -> None:
    """Lists all breakers: CLOSED lets everything go, OPEN nothing, HALF_OPEN a few attempts."""
    found = desk.ask(all_lanes)
    desk.output.table(
        ("lane", "breaker", "since", "until", "reason", "trips"),
        [_row(each) for each in found],
    )
    desk.output.result({"breakers": [{"lane": each.lane, **as_dict(each.breaker)} for each in found]})


@breaker.command(name="open")
@lane_argument
@why_options
@yes_option
@desk_options
def open_breaker(lane_name: str, why: Justification, yes: bool, desk: Desk) -> None:
    """Lets nothing go to the provider until somebody types `hubctl breaker try`."""
    desk.agree(f"Nothing will go to {lane_name} until somebody lets it. Go on?", yes=yes)
    _set(desk, lane_name, lanes.BREAKER_STATE_OPEN, why)


@breaker.command(name="try")
@lane_argument
@why_options
@desk_options
def try_provider(lane_name: str, why: Justification, desk: Desk) -> None:
    """Lets a few attempts go now, whatever wait the provider asked for; if they come through, it closes."""
    _set(desk, lane_name, lanes.BREAKER_STATE_HALF_OPEN, why)


def _set(desk: Desk, name: str, state: lanes.BreakerState, why: Justification) -> None:
    request = messages.SetBreakerRequest(lane=name, state=state, why=why)
    answer = desk.ask(lambda stub: stub.SetBreaker(request, timeout=CALL_SECONDS))
    desk.output.say(f"the breaker of {name} is {name_of(lanes.BreakerState, answer.lane.breaker.state)}")
    if state == lanes.BREAKER_STATE_OPEN:
        trying = typed("breaker", "try", name, "--reason", "<why>", "--ticket", why.ticket)
        desk.output.say(f"Undo it: {trying}")
    desk.output.result({"lane": as_dict(answer.lane)})


def _row(each: lanes.Lane) -> tuple[object, ...]:
    now = each.breaker
    until = shown(now.open_until_time)
    if now.state == lanes.BREAKER_STATE_OPEN and not until:
        until = "an operator lets it"
    return (
        each.lane,
        name_of(lanes.BreakerState, now.state),
        shown(now.change_time),
        until,
        now.reason,
        now.trips,
    )
