"""Stripe's events: their signature, and what they say. Pure."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

import orjson
import stripe

from spokes.kit.accounts import Secret
from spokes.kit.errors import WebhookRefused
from spokes.kit.spoke import Delivery, Event
from spokes.kit.webhooks import check_fresh, read_timestamp
from spokes.stripe import mapping

_TIME: Final = re.compile(r"(?:^|,)t=([0-9]+)(?:,|$)")
_SETTLING: Final = frozenset(
    {"succeeded", "payment_failed", "canceled", "amount_capturable_updated", "processing"}
)


def verify(delivery: Delivery, secrets: Sequence[Secret]) -> Event:
    """Verifies by Stripe's own SDK, then freshness both ways: the SDK takes times in the future."""
    header = delivery.headers.get("stripe-signature", "")
    if not sum(_signed_by(secret, header, delivery.body) for secret in secrets):
        raise WebhookRefused("signature does not verify")
    time = _TIME.search(header)
    check_fresh(read_timestamp(time[1] if time else ""), delivery.received_at)
    try:
        return read(orjson.loads(delivery.body))
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError) as error:
        raise WebhookRefused("not an event of Stripe") from error


def read(data: dict[str, Any]) -> Event:
    """What an event says; nothing of the work where it is not about one of ours."""
    kind, thing = str(data["type"]), data["data"]["object"]
    outcome, job_id = None, ""
    prefix, _, what = kind.rpartition(".")
    if prefix == "payment_intent" and what in _SETTLING:
        intent = stripe.PaymentIntent.construct_from(thing, None)
        outcome, job_id = mapping.payment_outcome(intent), mapping.job_of(intent)
    elif thing.get("object") == "refund":
        refund = stripe.Refund.construct_from(thing, None)
        outcome, job_id = mapping.refund_outcome(refund), mapping.job_of(refund)
    return Event(
        id=data["id"],
        type=kind,
        job_id=job_id,
        reference=str(thing.get("id", "")),
        outcome=outcome if job_id else None,
        happened_at=datetime.fromtimestamp(data["created"], UTC),
    )


def _signed_by(secret: Secret, header: str, body: bytes) -> bool:
    try:
        stripe.WebhookSignature.verify_header(body, header, secret.reveal())
    except (stripe.SignatureVerificationError, ValueError, TypeError):
        return False
    return True
