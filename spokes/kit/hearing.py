"""A webhook between the contract's form and the kit's."""

from collections.abc import Sequence
from datetime import UTC
from typing import Final

from integration.spoke.v1 import spoke_service_pb2 as pb
from spokes.kit.errors import WebhookRefused
from spokes.kit.spoke import Answer, Delivery, Event, Heard

MOST_EVENTS: Final = 1000


def delivery_of(request: pb.ParseWebhookRequest) -> Delivery:
    """A webhook as it arrived."""
    return Delivery(
        body=request.body,
        headers={header.name.lower(): header.value for header in request.headers},
        received_at=request.receive_time.ToDatetime(tzinfo=UTC),
        method=request.method or "POST",
        url=request.url,
        query=request.query,
    )


def heard(said: Sequence[Event] | Heard) -> Heard:
    """What a provider's code makes of a webhook; raises WebhookRefused for more than the hub takes."""
    found = said if isinstance(said, Heard) else Heard(said)
    if len(found.events) > MOST_EVENTS:
        raise WebhookRefused(f"more than {MOST_EVENTS} events in one delivery")
    return found


def answer_to_proto(answer: Answer | None) -> pb.WebhookAnswer | None:
    """What the provider is to be told."""
    if answer is None:
        return None
    return pb.WebhookAnswer(status=answer.status, content_type=answer.content_type, body=answer.body)
