"""What providers say, and how the endpoints that it is posted to stand."""

from integration.common.v1.money_pb2 import Money
from integration.events.v1 import event_pb2
from integration.events.v1 import events_service_pb2 as messages
from tests.cli.desk import StandIn
from tests.cli.recorded import JOB, NOON, at
from tests.cli.terminal import Terminal

DISPUTE = event_pb2.Event(
    cursor=41,
    create_time=at(NOON),
    tenant="acme",
    provider="stripe",
    account="default",
    event_id="evt_1",
    type="charge.dispute.created",
    kind=event_pb2.EVENT_KIND_DISPUTE,
    job=event_pb2.JobSide(job_id=JOB),
    provider_said=event_pb2.ProviderSide(amount=Money(minor_units=1250, currency_code="EUR")),
    proposed_action=event_pb2.PROPOSED_ACTION_INVESTIGATE,
)
ENDPOINT = messages.Endpoint(
    tenant="acme", waiting=7, given_up=2, oldest_time=at(NOON), reason="HTTP 503", off_time=at(NOON)
)


async def test_events_of_a_tenant_are_listed_with_their_job_and_what_is_proposed(
    terminal: Terminal, stand_in: StandIn
) -> None:
    stand_in.lay_out("ListEvents", messages.ListEventsResponse(events=[DISPUTE]))
    done = await terminal.run("events", "list", "--tenant", "acme", "--after", "40", "--job", JOB)
    assert done.code == 0, done.err
    row = next(line for line in done.out.splitlines() if line.startswith("41"))
    for word in ("DISPUTE", "stripe/default", "charge.dispute.created", JOB, "12:00:00Z", "INVESTIGATE"):
        assert word in row
    (request,) = stand_in.requests("ListEvents")
    assert (request.tenant, request.after_cursor, request.job_id) == ("acme", 40, JOB)
    assert (await terminal.json("events", "list"))["events"][0]["event_id"] == "evt_1"


async def test_endpoints_are_listed_with_what_waits_and_why(terminal: Terminal, stand_in: StandIn) -> None:
    stand_in.lay_out("ListEndpoints", messages.ListEndpointsResponse(endpoints=[ENDPOINT]))
    done = await terminal.run("events", "endpoints")
    assert done.code == 0, done.err
    row = next(line for line in done.out.splitlines() if line.startswith("acme"))
    assert row.split() == ["acme", "7", "2", "2026-11-24T12:00:00Z", "HTTP", "503", "2026-11-24T12:00:00Z"]
    assert (await terminal.json("events", "endpoints"))["endpoints"][0]["tenant"] == "acme"


async def test_that_nothing_waits_is_said(terminal: Terminal, stand_in: StandIn) -> None:
    stand_in.lay_out("ListEndpoints", messages.ListEndpointsResponse())
    assert (await terminal.run("events", "endpoints")).out.splitlines()[
        -1
    ] == "nothing waits for any endpoint"
