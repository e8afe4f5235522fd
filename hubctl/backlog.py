"""The lanes and what is left in them, and waiting until nothing is."""

import asyncio
from collections.abc import Callable

from hubctl.desk import Stub
from hubctl.errors import Failed
from hubctl.output import Output
from hubctl.rpc import CALL_SECONDS
from integration.operations.v1 import lane_pb2 as lanes
from integration.operations.v1 import operations_service_pb2 as messages

POLL_SECONDS = 0.5


async def all_lanes(stub: Stub) -> list[lanes.Lane]:
    """The lanes, by name."""
    answer = await stub.ListLanes(messages.ListLanesRequest(), timeout=CALL_SECONDS)
    return list(answer.lanes)


def under_way(backlog: lanes.Backlog) -> int:
    """Jobs with an attempt under way."""
    return backlog.running


def unfinished(backlog: lanes.Backlog) -> int:
    """Jobs that are not at their end."""
    return backlog.waiting + backlog.running + backlog.unconfirmed + backlog.in_doubt


def in_words(backlog: lanes.Backlog) -> str:
    """A backlog as a line of progress."""
    return (
        f"{backlog.waiting} waiting, {backlog.running} running,"
        f" {backlog.unconfirmed} unconfirmed, {backlog.in_doubt} in doubt"
    )


async def until_none(
    stub: Stub,
    name: str,
    mode: lanes.LaneMode,
    left: Callable[[lanes.Backlog], int],
    output: Output,
) -> lanes.Lane:
    """Returns the lane once nothing is `left`; raises Failed if its mode changes meanwhile."""
    said = ""
    while True:
        now = next((each for each in await all_lanes(stub) if each.lane == name), None)
        if now is None or now.mode != mode:
            raise Failed(f"somebody else has changed {name} meanwhile")
        if not left(now.backlog):
            return now
        if (line := in_words(now.backlog)) != said:
            output.say(f"  {line} …")
            said = line
        await asyncio.sleep(POLL_SECONDS)
