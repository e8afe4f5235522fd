"""Lanes and breakers, as operators move them."""

from datetime import UTC, datetime

import pytest

from integration.operations.v1 import lane_pb2 as lanes
from integration.operations.v1 import operations_service_pb2 as messages
from tests.cli.desk import Refusal, StandIn
from tests.cli.recorded import ANA, CLI, LANE, WHY, lane
from tests.cli.terminal import Terminal


def listed(*found: lanes.Lane) -> messages.ListLanesResponse:
    """An answer with lanes."""
    return messages.ListLanesResponse(lanes=found)


async def test_the_list_shows_mode_breaker_and_what_waits(terminal: Terminal, stand_in: StandIn) -> None:
    stand_in.lay_out("ListLanes", listed(lane(lanes.LANE_MODE_PAUSED, waiting=12, in_doubt=3)))
    done = await terminal.run("lane", "list")
    assert done.code == 0, done.err
    row = next(line for line in done.out.splitlines() if line.startswith(LANE))
    assert row.split()[:7] == [LANE, "PAUSED", "OPEN", "12", "0", "0", "3"]
    assert row.split()[-5:] == ["1000", "0f3a9c2e", "ana:", "provider", "down"]
    assert (await terminal.json("lane", "list"))["lanes"][0]["backlog"]["waiting"] == "12"


@pytest.mark.parametrize(("year", "seen"), [(2999, "2999-01-01T00:00:00Z"), (2001, "")])
async def test_the_list_shows_until_when_a_provider_wants_nothing(
    terminal: Terminal, stand_in: StandIn, year: int, seen: str
) -> None:
    held = lane(lanes.LANE_MODE_WORKING)
    held.throttled_until_time.FromDatetime(datetime(year, 1, 1, tzinfo=UTC))
    stand_in.lay_out("ListLanes", listed(held))
    done = await terminal.run("lane", "list")
    assert ("T00:00:00Z" in done.out, seen in done.out) == (bool(seen), True)


@pytest.mark.parametrize(
    ("command", "mode"),
    [
        ("pause", lanes.LANE_MODE_PAUSED),
        ("drain", lanes.LANE_MODE_DRAINING),
        ("resume", lanes.LANE_MODE_WORKING),
    ],
)
async def test_a_mode_is_set_with_who_why_and_ticket(
    terminal: Terminal, stand_in: StandIn, command: str, mode: lanes.LaneMode
) -> None:
    stand_in.lay_out("SetLaneMode", messages.SetLaneModeResponse(lane=lane(mode, waiting=4)))
    done = await terminal.run("lane", command, LANE, *WHY, "--as", "ana")
    assert done.code == 0, done.err
    (request,) = stand_in.requests("SetLaneMode")
    assert (request.lane, request.mode) == (LANE, mode)
    assert (request.why.reason, request.why.ticket) == ("the provider is back", "OPS-241")
    assert stand_in.callers("SetLaneMode") == [ANA]
    assert "4 waiting" in done.out
    assert ("hubctl lane resume stripe/default" in done.out) == (command != "resume")


async def test_pausing_waits_until_nothing_runs_and_draining_until_nothing_is_left(
    terminal: Terminal, stand_in: StandIn
) -> None:
    for command, mode in (("pause", lanes.LANE_MODE_PAUSED), ("drain", lanes.LANE_MODE_DRAINING)):
        stand_in.lay_out("SetLaneMode", messages.SetLaneModeResponse(lane=lane(mode, running=2)))
        left = [lane(mode, waiting=3, running=2), lane(mode, waiting=3, running=0), lane(mode)]
        stand_in.lay_out("ListLanes", *map(listed, left))
        done = await terminal.run("lane", command, LANE, *WHY, "--wait")
        assert done.code == 0, done.err
        assert "3 waiting, 2 running, 0 unconfirmed, 0 in doubt …" in done.out
    assert len(stand_in.requests("ListLanes")) == 2 + 3


async def test_waiting_ends_when_somebody_else_changes_the_lane(
    terminal: Terminal, stand_in: StandIn
) -> None:
    stand_in.lay_out(
        "SetLaneMode", messages.SetLaneModeResponse(lane=lane(lanes.LANE_MODE_PAUSED, running=1))
    )
    stand_in.lay_out("ListLanes", listed(lane(lanes.LANE_MODE_WORKING, running=1)))
    done = await terminal.run("lane", "pause", LANE, *WHY, "--wait")
    assert done.code == 1
    assert "somebody else has changed stripe/default" in done.err


async def test_a_breaker_shows_why_it_opened_and_until_when(terminal: Terminal, stand_in: StandIn) -> None:
    by_hand = lane()
    by_hand.lane = "echo/default"
    by_hand.breaker.ClearField("open_until_time")
    stand_in.lay_out("ListLanes", listed(by_hand, lane()))
    done = await terminal.run("breaker", "list")
    assert "an operator lets it" in next(li for li in done.out.splitlines() if li.startswith("echo"))
    row = next(li for li in done.out.splitlines() if li.startswith(LANE))
    assert row.split() == [
        LANE,
        "OPEN",
        "2026-11-24T12:00:00Z",
        "2026-11-24T12:01:00Z",
        "CONNECTION_REFUSED",
        "3",
    ]
    assert (await terminal.json("breaker", "list"))["breakers"][1]["trips"] == 3


@pytest.mark.parametrize(
    ("command", "state"), [("open", lanes.BREAKER_STATE_OPEN), ("try", lanes.BREAKER_STATE_HALF_OPEN)]
)
async def test_a_breaker_is_moved_by_the_default_operator(
    terminal: Terminal, stand_in: StandIn, command: str, state: int
) -> None:
    stand_in.lay_out("SetBreaker", messages.SetBreakerResponse(lane=lane()))
    answer = await terminal.json("breaker", command, LANE, *WHY)
    assert answer["lane"]["lane"] == LANE
    (request,) = stand_in.requests("SetBreaker")
    assert (request.lane, request.state, request.why.ticket) == (LANE, state, "OPS-241")
    assert stand_in.callers("SetBreaker") == [CLI]


async def test_a_refusal_is_one_readable_line(terminal: Terminal, stand_in: StandIn) -> None:
    stand_in.lay_out("SetBreaker", Refusal("LANE_NOT_FOUND", "there is no lane strip/default"))
    done = await terminal.run("breaker", "try", "strip/default", *WHY)
    assert (done.code, done.err) == (4, "hubctl: LANE_NOT_FOUND: there is no lane strip/default\n")


async def test_a_ticket_against_the_rules_is_refused_by_its_name(
    terminal: Terminal, stand_in: StandIn
) -> None:
    done = await terminal.run("breaker", "try", LANE, "--reason", "back", "--ticket", "<ticket>")
    assert done.code == 4
    assert "why.ticket" in done.err
    assert stand_in.asked == []


async def test_a_person_is_asked_before_a_lane_stops_and_may_say_no(
    terminal: Terminal, stand_in: StandIn
) -> None:
    paused = messages.SetLaneModeResponse(lane=lane(lanes.LANE_MODE_PAUSED))
    stand_in.lay_out("SetLaneMode", paused)
    done = await terminal.answering("n", "lane", "pause", LANE, *WHY)
    assert (done.code, stand_in.asked) == (1, [])
    assert "nothing was changed" in done.err
    done = await terminal.answering("y", "lane", "pause", LANE, *WHY)
    assert (done.code, len(stand_in.asked)) == (0, 1)
    done = await terminal.answering("n", "lane", "pause", LANE, *WHY, "--yes")
    assert (done.code, len(stand_in.asked)) == (0, 2)


async def test_what_others_wrote_is_shown_as_it_is_and_steers_no_terminal(
    terminal: Terminal, stand_in: StandIn
) -> None:
    odd = lane(lanes.LANE_MODE_PAUSED)
    odd.mode_reason = "see [/b] :bug: \x1b[31mred"
    stand_in.lay_out("ListLanes", listed(odd))
    done = await terminal.run("lane", "list")
    assert done.code == 0, done.err
    assert "see [/b] :bug: \N{REPLACEMENT CHARACTER}[31mred" in done.out
