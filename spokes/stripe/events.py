"""Stripe's events: their signature, and what they say. Pure."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

import stripe

from spokes.kit.accounts import Secret
from spokes.kit.errors import WebhookRefused
from spokes.kit.spoke import Delivery, Event
from spokes.kit.webhooks import check_fresh, read_event, read_object, read_timestamp
from spokes.stripe import answers, mapping

_SETTLING: Final = frozenset(
    {"succeeded", "payment_failed", "canceled", "amount_capturable_updated", "processing"}
)


def verify(delivery: Delivery, secrets: Sequence[Secret]) -> Event:
    """Verifies by Stripe's own SDK, then freshness both ways: the SDK takes times in the future."""
    header = delivery.headers.get("stripe-signature", "")
    if not sum(_signed_by(secret, header, delivery.body) for secret in secrets):
        raise WebhookRefused("signature does not verify")
    check_fresh(_signed_at(header), delivery.received_at)
    return read_event(read_object(delivery.body), read)


def read(data: dict[str, Any]) -> Event:
    """What an event says; nothing of the work where it is not about one of ours."""
    kind, thing = str(data["type"]), data["data"]["object"]
    outcome, job_id = None, ""
    prefix, _, what = kind.rpartition(".")
    if prefix == "payment_intent" and what in _SETTLING:
        intent = stripe.PaymentIntent.construct_from(thing, None)
        outcome, job_id = (
            answers.created(intent, manual=intent.status == "requires_capture"),
            mapping.job_of(intent),
        )
    elif thing.get("object") == "refund":
        refund = stripe.Refund.construct_from(thing, None)
        outcome, job_id = answers.refunded(refund), mapping.job_of(refund)
    return Event(
        id=data["id"],
        type=kind,
        job_id=job_id,
        reference=str(thing.get("id", "")),
        outcome=outcome if job_id else None,
        happened_at=datetime.fromtimestamp(data["created"], UTC),
    )


def _signed_at(header: str) -> datetime:
    # Only one time, in plain digits: the SDK would read "t=+1" too, and sign by the first of several.
    times = [
        value for name, _, value in (item.partition("=") for item in header.split(",")) if name.strip() == "t"
    ]
    if len(times) != 1:
        raise WebhookRefused("no one time in the signature")
    return read_timestamp(times[0])


def _signed_by(secret: Secret, header: str, body: bytes) -> bool:
    try:
        stripe.WebhookSignature.verify_header(body, header, secret.reveal())
    except (stripe.SignatureVerificationError, ValueError, TypeError):
        return False
    return True
