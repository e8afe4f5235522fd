"""`hubctl alerts`: what people on call should know."""

import click

from hubctl.desk import Desk, desk_options
from hubctl.moments import shown
from hubctl.output import as_dict
from hubctl.rpc import CALL_SECONDS
from integration.operations.v1 import operations_service_pb2 as messages
from integration.operations.v1.alert_pb2 import Alert


@click.command()
@click.option("--all", "everything", is_flag=True, help="Also those that have ended.")
@desk_options
def alerts(everything: bool, desk: Desk) -> None:
    """Lists the alerts that fire, newest first, each with the page that says what to do."""
    request = messages.ListAlertsRequest(all=everything)
    found = desk.ask(lambda stub: stub.ListAlerts(request, timeout=CALL_SECONDS)).alerts
    desk.output.table(
        ("alert", "severity", "since", "ended", "about", "summary", "delivered to", "what to do"),
        [_row(alert) for alert in found],
    )
    if not found:
        desk.output.say("no alerts")
    desk.output.result({"alerts": [as_dict(alert) for alert in found]})


def _row(alert: Alert) -> tuple[object, ...]:
    return (
        alert.name,
        alert.severity,
        shown(alert.start_time),
        shown(alert.end_time),
        " ".join(f"{name}={value}" for name, value in sorted(alert.labels.items())),
        alert.summary,
        ", ".join(d.sink if d.current else f"{d.sink} (not yet)" for d in alert.deliveries),
        alert.runbook,
    )
