"""`hubctl lane`: what each lane may do, and what waits in it."""

from collections.abc import Callable
from datetime import UTC, datetime

import click

from hubctl.backlog import all_lanes, in_words, under_way, unfinished, until_none
from hubctl.desk import Desk, Stub, desk_options, why_options
from hubctl.moments import lasting, shown
from hubctl.options import yes_option
from hubctl.output import as_dict
from hubctl.rpc import CALL_SECONDS
from hubctl.words import name_of, typed
from integration.operations.v1 import lane_pb2 as lanes
from integration.operations.v1 import operations_service_pb2 as messages
from integration.operations.v1.operations_service_pb2 import Justification

COLUMNS = (
    *("lane", "mode", "breaker", "waiting", "running", "unconfirmed", "in doubt", "oldest", "dead"),
    *("throttled until", "owner", "set by"),
)

lane_argument = click.argument("lane_name", metavar="LANE")
wait_option = click.option("--wait", is_flag=True, help="Return only when nothing is under way any more.")


@click.group(help="Lists, pauses, drains and resumes lanes. A LANE is <provider>/<account>.")
def lane() -> None:
    """Groups the commands."""


@lane.command(name="list")
@desk_options
def list_lanes(desk: Desk) -> None:
    """Lists all lanes: mode, breaker, what waits, dead letters."""
    found = desk.ask(all_lanes)
    desk.output.table(
        COLUMNS,
        [_row(each) for each in found],
    )
    desk.output.result({"lanes": [as_dict(each) for each in found]})


@lane.command()
@lane_argument
@why_options
@wait_option
@yes_option
@desk_options
def pause(lane_name: str, why: Justification, wait: bool, yes: bool, desk: Desk) -> None:
    """Takes jobs and works on none. What is under way ends."""
    desk.agree(f"{lane_name} will take jobs and work on none. Go on?", yes=yes)
    _change(desk, lane_name, lanes.LANE_MODE_PAUSED, why, under_way if wait else None)


@lane.command()
@lane_argument
@why_options
@wait_option
@yes_option
@desk_options
def drain(lane_name: str, why: Justification, wait: bool, yes: bool, desk: Desk) -> None:
    """Takes no jobs and works on those it has. With --wait: until it has none."""
    desk.agree(f"{lane_name} will refuse new jobs. Go on?", yes=yes)
    _change(desk, lane_name, lanes.LANE_MODE_DRAINING, why, unfinished if wait else None)


@lane.command()
@lane_argument
@why_options
@desk_options
def resume(lane_name: str, why: Justification, desk: Desk) -> None:
    """Takes jobs and works on them again."""
    _change(desk, lane_name, lanes.LANE_MODE_WORKING, why, None)


def _change(
    desk: Desk,
    name: str,
    mode: lanes.LaneMode,
    why: Justification,
    left: Callable[[lanes.Backlog], int] | None,
) -> None:
    """Sets the mode, and waits while something is `left`."""
    request = messages.SetLaneModeRequest(lane=name, mode=mode, why=why)

    async def change(stub: Stub) -> lanes.Lane:
        answer = await stub.SetLaneMode(request, timeout=CALL_SECONDS)
        desk.output.say(f"{name} is {name_of(lanes.LaneMode, answer.lane.mode)}")
        return await until_none(stub, name, mode, left, desk.output) if left else answer.lane

    now = desk.ask(change)
    desk.output.say(in_words(now.backlog))
    if mode != lanes.LANE_MODE_WORKING:
        resuming = typed("lane", "resume", name, "--reason", "<why>", "--ticket", why.ticket)
        desk.output.say(f"Undo it: {resuming}")
    desk.output.result({"lane": as_dict(now)})


def _throttled(each: lanes.Lane) -> str:
    until = each.throttled_until_time
    return shown(until) if until.ToDatetime(tzinfo=UTC) > datetime.now(UTC) else ""


def _row(each: lanes.Lane) -> tuple[object, ...]:
    backlog = each.backlog
    oldest = lasting(backlog.oldest_age.ToTimedelta()) if backlog.HasField("oldest_age") else ""
    return (
        each.lane,
        name_of(lanes.LaneMode, each.mode),
        name_of(lanes.BreakerState, each.breaker.state),
        backlog.waiting,
        backlog.running,
        backlog.unconfirmed,
        backlog.in_doubt,
        oldest,
        each.dead_letters,
        _throttled(each),
        each.owner[:8],
        ": ".join(filter(None, (each.mode_actor.rpartition("/")[2], each.mode_reason))),
    )
