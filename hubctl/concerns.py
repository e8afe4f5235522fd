"""What is not as it should be, one line each, as `hubctl status` shows it."""

import asyncio
from collections.abc import Sequence

from hubctl.backlog import all_lanes
from hubctl.desk import Stub
from hubctl.errors import CliError
from hubctl.profile import Profile
from hubctl.rpc import hub_channel
from hubctl.words import name_of
from integration.operations.v1 import lane_pb2 as lanes
from integration.operations.v1 import operations_service_pb2 as messages
from integration.operations.v1.alert_pb2 import Alert

SECONDS = 5.0


async def concerns(profile: Profile) -> list[str]:
    """The lines; one that says so if the hub does not tell."""
    try:
        async with hub_channel(profile) as channel:
            stub = Stub(channel)
            found, alerts = await asyncio.gather(
                asyncio.wait_for(all_lanes(stub), SECONDS),
                stub.ListAlerts(messages.ListAlertsRequest(), timeout=SECONDS),
            )
    except (CliError, TimeoutError) as error:
        return [f"lanes and alerts are not known: {error or 'no answer in time'}"]
    return of_lanes(found) + of_alerts(alerts.alerts)


def of_lanes(found: Sequence[lanes.Lane]) -> list[str]:
    """Lanes that do not work, breakers that are not closed, dead letters."""
    idle = [
        f"{each.lane} {name_of(lanes.LaneMode, each.mode)}"
        for each in found
        if each.mode != lanes.LANE_MODE_WORKING
    ]
    tripped = [
        f"{each.lane} {name_of(lanes.BreakerState, each.breaker.state)} {each.breaker.reason}".rstrip()
        for each in found
        if each.breaker.state in (lanes.BREAKER_STATE_OPEN, lanes.BREAKER_STATE_HALF_OPEN)
    ]
    dead = [f"{each.lane} {each.dead_letters}" for each in found if each.dead_letters]
    return [
        f"{what}: {', '.join(which)} (hubctl {command})"
        for what, which, command in (
            ("lanes not working", idle, "lane list"),
            ("breakers not closed", tripped, "breaker list"),
            ("dead letters", dead, "dlq triage"),
        )
        if which
    ]


def of_alerts(alerts: Sequence[Alert]) -> list[str]:
    """The alerts that fire, by name, worst first."""
    names = sorted({f"{alert.severity} {alert.name}" for alert in alerts})
    return [f"alerts: {', '.join(names)} (hubctl alerts)"] if names else []
