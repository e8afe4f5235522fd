"""Alerts, and what `hubctl status` says of all that is not as it should be."""

from integration.operations.v1 import lane_pb2 as lanes
from integration.operations.v1 import operations_service_pb2 as messages
from integration.operations.v1.alert_pb2 import Alert, AlertDelivery
from tests.cli.desk import Refusal, StandIn
from tests.cli.recorded import LANE, NOON, at, lane
from tests.cli.terminal import Terminal

FIRING = Alert(
    alert_key="DeadLetters/stripe/default",
    name="DeadLetters",
    severity="SEV1",
    labels={"lane": LANE},
    summary="998 jobs wait",
    runbook="provider-down.md",
    start_time=at(NOON),
    deliveries=[AlertDelivery(sink="pager", current=True), AlertDelivery(sink="mail")],
)


async def test_alerts_are_listed_with_who_has_them_and_what_to_do(
    terminal: Terminal, stand_in: StandIn
) -> None:
    stand_in.lay_out("ListAlerts", messages.ListAlertsResponse(alerts=[FIRING]))
    done = await terminal.run("alerts")
    assert done.code == 0, done.err
    row = next(line for line in done.out.splitlines() if line.startswith("DeadLetters"))
    assert row.split()[:3] == ["DeadLetters", "SEV1", "2026-11-24T12:00:00Z"]
    for word in (f"lane={LANE}", "998 jobs wait", "pager, mail (not yet)", "provider-down.md"):
        assert word in row
    assert (await terminal.json("alerts", "--all"))["alerts"][0]["name"] == "DeadLetters"
    assert [request.all for request in stand_in.requests("ListAlerts")] == [False, True]


async def test_no_alerts_are_said_to_be_none(terminal: Terminal, stand_in: StandIn) -> None:
    stand_in.lay_out("ListAlerts", messages.ListAlertsResponse())
    assert (await terminal.run("alerts")).out == "no alerts\n"


async def test_status_says_what_is_not_as_it_should_be(terminal: Terminal, stand_in: StandIn) -> None:
    paused = lane(lanes.LANE_MODE_PAUSED)
    stand_in.lay_out("ListLanes", messages.ListLanesResponse(lanes=[paused]))
    stand_in.lay_out("ListAlerts", messages.ListAlertsResponse(alerts=[FIRING, FIRING]))
    done = await terminal.run("status")
    assert done.code == 0, done.err
    assert done.out.splitlines()[-4:] == [
        "lanes not working: stripe/default PAUSED (hubctl lane list)",
        "breakers not closed: stripe/default OPEN CONNECTION_REFUSED (hubctl breaker list)",
        "dead letters: stripe/default 1000 (hubctl dlq triage)",
        "alerts: SEV1 DeadLetters (hubctl alerts)",
    ]


async def test_status_has_no_more_lines_where_all_is_well(terminal: Terminal, stand_in: StandIn) -> None:
    stand_in.lay_out("ListLanes", messages.ListLanesResponse())
    stand_in.lay_out("ListAlerts", messages.ListAlertsResponse())
    answer = await terminal.json("status")
    assert (answer["ready"], answer["concerns"]) == (True, [])


async def test_status_still_ends_well_where_the_hub_does_not_tell(
    terminal: Terminal, stand_in: StandIn
) -> None:
    stand_in.lay_out("ListLanes", Refusal("BUSY", "not now"))
    stand_in.lay_out("ListAlerts", messages.ListAlertsResponse())
    answer = await terminal.json("status")
    assert answer["concerns"] == ["lanes and alerts are not known: BUSY: not now"]
