"""One trace joins everything that one call of Core sets off, and the webhook's trace links to it."""

import secrets

from integration.common.v1 import context_pb2, money_pb2
from integration.jobs.v1 import job_pb2
from integration.payments.v1 import payments_service_pb2, payments_service_pb2_grpc
from local.place import Place
from mesh.channel import open_channel
from mesh.identity import Identity
from mesh.settings import Environment
from mesh.telemetry import Telemetry
from tests.e2e.conftest import RunningStack
from tests.e2e.otlp import ReceivedSpan, Receiver

JOINED = {"client", "hub", "audit", "stripe"}


async def charge(place: Place, telemetry: Telemetry) -> str:
    """Charges once, as a traced client; the trace's id."""
    context = context_pb2.RequestContext(
        request_id=f"trace-{secrets.token_hex(4)}", tenant="acme", provider="stripe"
    )
    context.wait.FromSeconds(20)
    amount = money_pb2.Money(minor_units=100, currency_code="EUR")
    request = payments_service_pb2.ChargeRequest(
        context=context, amount=amount, payment_method="pm_card_visa"
    )
    identity = Identity.load(place.identity("core", "demo"))
    async with open_channel(place.address("core"), identity, telemetry=telemetry) as channel:
        with telemetry.span("checkout"):
            trace_id = telemetry.trace_id()
            response = await payments_service_pb2_grpc.PaymentsServiceStub(channel).Charge(
                request, timeout=30
            )
    assert response.job.state == job_pb2.JOB_STATE_SUCCEEDED
    return trace_id


async def test_one_trace_joins_all_parts_and_the_webhooks_trace_links_to_it(
    stack: RunningStack, otlp: Receiver
) -> None:
    telemetry = Telemetry.start(
        "client", "1", environment=Environment({"OTEL_EXPORTER_OTLP_ENDPOINT": otlp.endpoint})
    )
    trace_id = await charge(stack.place, telemetry)
    telemetry.shutdown()

    def complete(spans: list[ReceivedSpan]) -> bool:
        mine = [s for s in spans if s.trace_id == trace_id]
        names = {s.name for s in mine}
        joined = {s.service for s in mine} >= JOINED
        provider = any(name.startswith("POST") for name in names)
        return joined and provider and any(trace_id in s.links for s in spans)

    spans = otlp.until(complete, seconds=20)
    assert complete(spans), sorted({(s.service, s.name) for s in spans if s.trace_id == trace_id})
    mine = [s for s in spans if s.trace_id == trace_id]
    ids = {s.span_id for s in mine}
    roots = [s.name for s in mine if s.parent_id not in ids]
    assert roots == ["checkout"], "every span but the client's own has its parent in the trace"
    linking = [s for s in spans if trace_id in s.links]
    assert {s.service for s in linking} == {"hub"}
    assert all(s.trace_id != trace_id for s in linking)
