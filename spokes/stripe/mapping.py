"""Between the contract's messages and Stripe's objects. Pure."""

from datetime import UTC, datetime
from typing import Final

import stripe

from integration.payments.v1 import payment_pb2 as pb
from integration.payments.v1 import payments_service_pb2 as requests
from spokes.kit.outcome import Declined, Outcome, Unknown
from spokes.kit.replies import Reply
from spokes.stripe.currencies import from_stripe

_STATES: Final = {
    "succeeded": pb.PAYMENT_STATE_CAPTURED,
    "requires_capture": pb.PAYMENT_STATE_AUTHORIZED,
    "canceled": pb.PAYMENT_STATE_VOIDED,
    "processing": pb.PAYMENT_STATE_PENDING,
    "requires_action": pb.PAYMENT_STATE_PENDING,
    "requires_confirmation": pb.PAYMENT_STATE_PENDING,
    "requires_payment_method": pb.PAYMENT_STATE_FAILED,
}
_REFUND_STATES: Final = {
    "succeeded": pb.REFUND_STATE_SUCCEEDED,
    "pending": pb.REFUND_STATE_PENDING,
    "requires_action": pb.REFUND_STATE_PENDING,
    "failed": pb.REFUND_STATE_FAILED,
    "canceled": pb.REFUND_STATE_FAILED,
}

LONGEST_URL: Final = 2048


def new_intent(
    request: requests.ChargeRequest | requests.AuthorizeRequest,
    units: int,
    *,
    job_id: str,
    manual: bool,
    types: str,
) -> dict[str, str]:
    """The form that makes and confirms a payment intent of `units`; `types` are comma-separated."""
    form = {
        "amount": str(units),
        "currency": request.amount.currency_code.lower(),
        "payment_method": request.payment_method,
        "confirm": "true",
        "metadata[job_id]": job_id,
        **{f"payment_method_types[{n}]": name for n, name in enumerate(types.split(","))},
    }
    if request.customer_id:
        form["customer"] = request.customer_id
    if request.return_url:
        form["return_url"] = request.return_url
    if manual:
        form["capture_method"] = "manual"
    return form


def payment(intent: stripe.PaymentIntent) -> pb.Payment:
    """Stripe's payment intent as the contract has it. Refunds are counted where the charge is expanded."""
    state = _STATES.get(intent.status, pb.PAYMENT_STATE_UNSPECIFIED)
    captured = getattr(intent, "amount_received", intent.amount if intent.status == "succeeded" else 0)
    message = pb.Payment(
        payment_id=intent.id,
        state=state,
        amount=from_stripe(intent.amount, intent.currency),
        captured_minor_units=_units(captured, intent.currency),
        refunded_minor_units=_units(getattr(intent.latest_charge, "amount_refunded", 0), intent.currency),
        reference=job_of(intent),
    )
    message.create_time.FromDatetime(datetime.fromtimestamp(intent.created, UTC))
    if intent.status == "requires_action":
        message.next_action.CopyFrom(_next_action(intent))
    return message


def refund(refund: stripe.Refund) -> pb.Refund:
    """Stripe's refund as the contract has it."""
    return pb.Refund(
        refund_id=refund.id,
        payment_id=str(refund.payment_intent or ""),
        state=_REFUND_STATES.get(refund.status or "", pb.REFUND_STATE_UNSPECIFIED),
        amount=from_stripe(refund.amount, refund.currency),
        reference=job_of(refund),
    )


def refused(reply: Reply) -> Outcome | None:
    """What an error of Stripe says; None: none. Its text may name a person, so only codes go on."""
    if reply.status < 300:
        return None
    error = reply.json().get("error")
    found = error if isinstance(error, dict) else {}
    code, kind = str(found.get("code") or ""), str(found.get("type") or "")
    if reply.status == 409 or kind == "idempotency_error":
        return Unknown("KEY_IN_USE", "the provider knows our key from another or an unfinished request")
    intent = found.get("payment_intent")
    reference = str(intent.get("id", "")) if isinstance(intent, dict) else ""
    if reply.status == 402:
        return Declined((code or "card_declined").upper(), "the payment method was declined", reference)
    return Declined((code or "invalid_request").upper(), "the provider refuses the request", reference)


def job_of(thing: stripe.PaymentIntent | stripe.Refund) -> str:
    """Our reference on one of Stripe's objects; empty if it is not ours."""
    return str(getattr(thing.metadata, "job_id", ""))


def _next_action(intent: stripe.PaymentIntent) -> pb.NextAction:
    """The step that Stripe waits for; it names no end of it."""
    redirect = getattr(getattr(intent, "next_action", None), "redirect_to_url", None)
    url = getattr(redirect, "url", None)
    if not isinstance(url, str) or not url.startswith("https://") or len(url) > LONGEST_URL:
        return pb.NextAction(kind=pb.NEXT_ACTION_KIND_OTHER)
    return pb.NextAction(kind=pb.NEXT_ACTION_KIND_REDIRECT, url=url)


def _units(amount: int, currency: str) -> int:
    money = from_stripe(amount, currency)
    return money.minor_units if money else 0
