"""What providers say, between the hub's words and the contract's."""

from datetime import UTC

from hub.events.model import Answer, ArrivedEvent, Concern, Delivery, Heard, WebhookRefused
from hub.events.told import EventKind
from hub.jobs.agreeing import Sum
from hub.lanes.ports import SpokeUnavailable
from integration.spoke.v1 import spoke_service_pb2

_KINDS = {
    spoke_service_pb2.CONCERN_KIND_DISPUTE: EventKind.DISPUTE,
    spoke_service_pb2.CONCERN_KIND_REVERSAL: EventKind.REVERSAL,
    spoke_service_pb2.CONCERN_KIND_BOUNCE: EventKind.BOUNCE,
    spoke_service_pb2.CONCERN_KIND_INBOUND: EventKind.INBOUND,
}
"""What a spoke calls an event's concern; what it does not know is told as OTHER."""


def delivery_to_proto(delivery: Delivery) -> spoke_service_pb2.ParseWebhookRequest:
    """A webhook as it came, for its spoke."""
    message = spoke_service_pb2.ParseWebhookRequest(
        account=delivery.lane.split("/", 1)[1],
        headers=[spoke_service_pb2.HttpHeader(name=n, value=v) for n, v in delivery.headers],
        body=delivery.body,
        method=delivery.method,
        url=delivery.url,
        query=delivery.query,
    )
    message.receive_time.FromDatetime(delivery.received_at)
    return message


def heard_from_proto(lane: str, message: spoke_service_pb2.ParsedWebhook) -> Heard | Exception:
    """What a spoke makes of a webhook, or why it makes nothing of it."""
    match message.verdict:
        case spoke_service_pb2.WEBHOOK_VERDICT_VERIFIED:
            said = message.answer
            answer = Answer(said.status or 200, said.content_type, said.body)
            events = [event_from_proto(lane, e) for e in message.events]
            return Heard(events, answer if message.HasField("answer") else None)
        case spoke_service_pb2.WEBHOOK_VERDICT_REFUSED:
            return WebhookRefused(message.reason)
        case _:
            return SpokeUnavailable(message.reason)


def event_from_proto(lane: str, message: spoke_service_pb2.ProviderEvent) -> ArrivedEvent:
    """What a provider says has happened."""
    speaks = message.HasField("outcome")
    return ArrivedEvent(
        lane,
        message.event_id,
        message.type,
        message.job_id,
        message.outcome.SerializeToString() if speaks else b"",
        message.confirmation,
        message.event_time.ToDatetime(tzinfo=UTC) if message.HasField("event_time") else None,
        _concern(message.concern) if message.HasField("concern") and not speaks else None,
    )


def _concern(message: spoke_service_pb2.Concern) -> Concern:
    amount = message.amount
    return Concern(
        _KINDS.get(message.kind, EventKind.OTHER),
        message.concerned_reference,
        Sum(amount.minor_units, amount.currency_code) if message.HasField("amount") else None,
    )
