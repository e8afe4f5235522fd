"""Stripe's events: their signature, and what they say. Pure."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

import stripe

from spokes.kit.accounts import Account, Secret
from spokes.kit.errors import WebhookRefused
from spokes.kit.replies import not_understood
from spokes.kit.spoke import Concern, ConcernKind, Delivery, Event
from spokes.kit.webhooks import check_fresh, read_event, read_object, read_timestamp
from spokes.stripe import answers, mapping
from spokes.stripe.currencies import from_stripe

# What each event says of the work that made the payment: which operations it can speak of.
_MAKERS: Final = {
    "succeeded": ("Charge",),
    "amount_capturable_updated": ("Authorize",),
    "processing": ("Charge", "Authorize"),
    "payment_failed": ("Charge", "Authorize"),
    "canceled": ("Charge", "Authorize"),
}
_MODES: Final = {"sk_live_": True, "rk_live_": True, "sk_test_": False, "rk_test_": False}


def verify(delivery: Delivery, account: Account) -> Event:
    """Verifies by Stripe's own SDK, then freshness both ways: the SDK takes times in the future."""
    header = delivery.headers.get("stripe-signature", "")
    if not sum(_signed_by(secret, header, delivery.body) for secret in account.webhook_secrets):
        raise WebhookRefused("signature does not verify")
    check_fresh(_signed_at(header), delivery.received_at)
    data = read_object(delivery.body)
    if is_of_other_mode(data, account):
        raise WebhookRefused("of the other mode than the account's key: live or test")
    return read_event(data, read)


def is_of_other_mode(data: object, account: Account) -> bool:
    """Whether an event is of Stripe's test mode and the account's key live, or the other way round."""
    mode = _MODES.get(account.api_key.reveal()[:8])
    return mode is not None and isinstance(data, dict) and data.get("livemode", mode) is not mode


def created(data: object) -> float:
    """When an event of a list was made; zero for one that does not say it."""
    moment = data.get("created") if isinstance(data, dict) else None
    return moment if isinstance(moment, int | float) else 0


def last_id(items: Sequence[object]) -> str:
    """The id that the next page begins after; raises Interrupted where no item has one."""
    ids = [item.get("id") for item in items if isinstance(item, dict)]
    named = [each for each in ids if isinstance(each, str) and each]
    if not named:
        raise not_understood()
    return named[-1]


def read(data: dict[str, Any]) -> Event:
    """What an event says; nothing of the work where it is not about one of ours."""
    kind, thing = str(data["type"]), data["data"]["object"]
    event = Event(
        id=data["id"],
        type=kind,
        reference=str(thing.get("id", "")),
        happened_at=datetime.fromtimestamp(data["created"], UTC),
    )
    prefix, _, what = kind.rpartition(".")
    if prefix == "payment_intent" and what in _MAKERS:
        return _of_intent(event, stripe.PaymentIntent.construct_from(thing, None), what)
    if thing.get("object") == "refund":
        return _of_refund(event, stripe.Refund.construct_from(thing, None))
    if thing.get("object") == "dispute":
        return replace(
            event, concern=_concern(ConcernKind.DISPUTE, stripe.Dispute.construct_from(thing, None))
        )
    return event


def _of_intent(event: Event, intent: stripe.PaymentIntent, what: str) -> Event:
    job_id = mapping.job_of(intent)
    reserved = getattr(intent, "capture_method", "") == "manual"
    if not job_id or (reserved and what == "succeeded"):
        # The success of a reservation is its capture's, and the payment names only the job that reserved.
        return event
    if reserved and what == "canceled" and getattr(intent, "latest_charge", None):
        # It had been reserved. Whoever voided it has had the answer; where Stripe names a reason, nobody has.
        lapsed = Concern(ConcernKind.REVERSAL, intent.id, from_stripe(intent.amount, intent.currency))
        return replace(event, concern=lapsed if getattr(intent, "cancellation_reason", None) else None)
    amounts = {
        "succeeded": getattr(intent, "amount_received", intent.amount),
        "amount_capturable_updated": getattr(intent, "amount_capturable", intent.amount),
    }
    return replace(
        event,
        job_id=job_id,
        outcome=answers.created(intent, manual=what == "amount_capturable_updated"),
        rpcs=_MAKERS[what],
        amount=from_stripe(amounts.get(what, intent.amount), intent.currency),
    )


def _of_refund(event: Event, refund: stripe.Refund) -> Event:
    job_id = mapping.job_of(refund)
    if not job_id:
        is_news = event.type == "refund.created"
        return replace(event, concern=_concern(ConcernKind.REVERSAL, refund) if is_news else None)
    return replace(
        event,
        job_id=job_id,
        outcome=answers.refunded(refund),
        rpcs=("Refund",),
        amount=from_stripe(refund.amount, refund.currency),
        fields={"payment_id": str(refund.payment_intent or "")},
    )


def _concern(kind: ConcernKind, thing: stripe.Dispute | stripe.Refund) -> Concern:
    """What a dispute, or a refund that nobody asked us for, is about: a payment and some of its money."""
    return Concern(kind, str(thing.payment_intent or ""), from_stripe(thing.amount, thing.currency))


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
