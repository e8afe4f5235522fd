"""Between the contract's messages and Stripe's objects. Pure."""

from datetime import UTC, datetime
from typing import Final

import stripe

from integration.common.v1.money_pb2 import Money
from integration.payments.v1 import payment_pb2 as pb
from integration.payments.v1 import payments_service_pb2 as requests
from spokes.kit.outcome import Declined, Outcome, Pending, Succeeded, Unknown, absent
from spokes.kit.replies import Reply

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


def new_intent(
    request: requests.ChargeRequest | requests.AuthorizeRequest, *, job_id: str, manual: bool, types: str
) -> dict[str, str]:
    """The form that makes and confirms a payment intent; `types` are comma-separated."""
    form = {
        "amount": str(request.amount.minor_units),
        "currency": request.amount.currency_code.lower(),
        "payment_method": request.payment_method,
        "confirm": "true",
        "metadata[job_id]": job_id,
        **{f"payment_method_types[{n}]": name for n, name in enumerate(types.split(","))},
    }
    if request.customer_id:
        form["customer"] = request.customer_id
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
        amount=_money(intent.amount, intent.currency),
        captured_minor_units=captured,
        refunded_minor_units=getattr(intent.latest_charge, "amount_refunded", 0),
        reference=job_of(intent),
    )
    message.create_time.FromDatetime(datetime.fromtimestamp(intent.created, UTC))
    return message


def payment_outcome(intent: stripe.PaymentIntent, wanted: Money | None = None) -> Outcome:
    """What an intent's state says of the work that made it; `wanted` is the amount asked for."""
    message = payment(intent)
    if wanted is not None and message.amount != wanted:
        return Unknown("AMOUNT_MISMATCH", "the provider names another amount", intent.id)
    if message.state == pb.PAYMENT_STATE_FAILED:
        code = getattr(intent.last_payment_error, "code", None) or "payment_failed"
        return Declined(code.upper(), "the payment method was declined", intent.id)
    if message.state == pb.PAYMENT_STATE_VOIDED:
        return Declined("CANCELED", "the payment was canceled", intent.id)
    if message.state == pb.PAYMENT_STATE_UNSPECIFIED:
        return Unknown("STATE_NOT_UNDERSTOOD", "the payment's state is not known here", intent.id)
    if message.state == pb.PAYMENT_STATE_PENDING:
        return Pending(message, intent.id)
    return Succeeded(message, intent.id)


def step_outcome(intent: stripe.PaymentIntent, reached: str) -> Outcome:
    """What an intent's state says of a capture or void: done, not done, or no longer possible."""
    if intent.status == reached:
        return Succeeded(payment(intent), intent.id)
    if intent.status in ("requires_capture", "requires_action", "requires_confirmation"):
        return absent()
    return Declined("WRONG_STATE", "the payment's state does not allow it", intent.id)


def refund_outcome(refund: stripe.Refund) -> Outcome:
    """What a refund's state says of the work that made it."""
    message = pb.Refund(
        refund_id=refund.id,
        payment_id=str(refund.payment_intent or ""),
        state=_REFUND_STATES.get(refund.status or "", pb.REFUND_STATE_UNSPECIFIED),
        amount=_money(refund.amount, refund.currency),
        reference=job_of(refund),
    )
    if message.state == pb.REFUND_STATE_UNSPECIFIED:
        return Unknown("STATE_NOT_UNDERSTOOD", "the refund's state is not known here", refund.id)
    if message.state == pb.REFUND_STATE_FAILED:
        return Declined("REFUND_FAILED", "the refund could not be given", refund.id)
    if message.state == pb.REFUND_STATE_PENDING:
        return Pending(message, refund.id)
    return Succeeded(message, refund.id)


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


def _money(amount: int, currency: str) -> Money:
    return Money(minor_units=amount, currency_code=currency.upper())
