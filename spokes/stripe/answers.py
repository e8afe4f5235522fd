"""What Stripe's objects say of the work, compared with what was asked. Pure."""

from typing import Final

import stripe

from integration.common.v1.money_pb2 import Money
from integration.payments.v1 import payment_pb2 as pb
from integration.payments.v1 import payments_service_pb2 as requests
from spokes.kit.outcome import Declined, Outcome, Pending, Succeeded, Unknown, absent, mismatch
from spokes.stripe import mapping

_BEFORE: Final = {
    "Capture": frozenset({"requires_capture", "requires_action", "requires_confirmation"}),
    "Void": frozenset(
        {
            "requires_capture",
            "requires_action",
            "requires_confirmation",
            "requires_payment_method",
            "processing",
        }
    ),
}
_REACHED: Final = {"Capture": "succeeded", "Void": "canceled"}


def created(
    intent: stripe.PaymentIntent, *, manual: bool, wanted: Money | None = None, job_id: str = ""
) -> Outcome:
    """What an intent says of the Charge, or if `manual` the Authorize, that made it. An event's is compared
    by the hub, so there `wanted` and `job_id` are not given."""
    message = mapping.payment(intent)
    if wanted is not None and message.amount != wanted:
        return mismatch("amount", intent.id)
    if job_id and message.reference != job_id:
        return mismatch("reference", intent.id)
    match message.state:
        case pb.PAYMENT_STATE_FAILED:
            return _failed(intent)
        case pb.PAYMENT_STATE_VOIDED:
            return Declined("CANCELED", "the payment was canceled", intent.id)
        case pb.PAYMENT_STATE_PENDING:
            return Pending(message, intent.id)
        case pb.PAYMENT_STATE_UNSPECIFIED:
            return _not_understood(intent)
    if message.state != (pb.PAYMENT_STATE_AUTHORIZED if manual else pb.PAYMENT_STATE_CAPTURED):
        return mismatch("state", intent.id)
    if wanted is not None and not manual and message.captured_minor_units != wanted.minor_units:
        return mismatch("amount taken", intent.id)
    return Succeeded(message, intent.id)


def captured(intent: stripe.PaymentIntent, request: requests.CaptureRequest) -> Outcome:
    """What an intent says of a capture of ours."""
    message = mapping.payment(intent)
    if intent.id != request.payment_id:
        return mismatch("payment_id", intent.id)
    if intent.status == "processing":
        return Pending(message, intent.id)
    if message.state in (pb.PAYMENT_STATE_UNSPECIFIED, pb.PAYMENT_STATE_FAILED):
        return _failed(intent) if message.state else _not_understood(intent)
    if message.state != pb.PAYMENT_STATE_CAPTURED:
        return mismatch("state", intent.id)
    wanted = request.amount if request.HasField("amount") else message.amount
    taken = Money(minor_units=message.captured_minor_units, currency_code=message.amount.currency_code)
    return Succeeded(message, intent.id) if taken == wanted else mismatch("amount", intent.id)


def voided(intent: stripe.PaymentIntent, request: requests.VoidRequest) -> Outcome:
    """What an intent says of a cancellation of ours."""
    if intent.id != request.payment_id:
        return mismatch("payment_id", intent.id)
    if intent.status != "canceled":
        return mismatch("state", intent.id)
    return Succeeded(mapping.payment(intent), intent.id)


def before(intent: stripe.PaymentIntent, rpc: str) -> Outcome | None:
    """What an intent alone says to the look-up of a capture or void. None: it is done, perhaps by another."""
    if intent.status == _REACHED[rpc]:
        return None
    if intent.status in _BEFORE[rpc]:
        return absent()
    if intent.status == "processing":
        return Pending(mapping.payment(intent), intent.id)
    if not mapping.payment(intent).state:
        return _not_understood(intent)
    return Declined("WRONG_STATE", "the payment's state does not allow it", intent.id)


def refunded(
    refund: stripe.Refund, request: requests.RefundRequest | None = None, job_id: str = ""
) -> Outcome:
    """What a refund says of the work that made it. An event's is compared by the hub: without `request`."""
    message = mapping.refund(refund)
    if request is not None and (what := _other(message, request, job_id)):
        return mismatch(what, refund.id)
    match message.state:
        case pb.REFUND_STATE_SUCCEEDED:
            return Succeeded(message, refund.id)
        case pb.REFUND_STATE_PENDING:
            return Pending(message, refund.id)
        case pb.REFUND_STATE_FAILED:
            return Declined("REFUND_FAILED", "the refund could not be given", refund.id)
    return Unknown("STATE_NOT_UNDERSTOOD", "the refund's state is not known here", refund.id)


def _other(message: pb.Refund, request: requests.RefundRequest, job_id: str) -> str:
    if request.HasField("amount") and message.amount != request.amount:
        return "amount"
    if message.payment_id != request.payment_id:
        return "payment_id"
    return "" if message.reference == job_id else "reference"


def _failed(intent: stripe.PaymentIntent) -> Declined:
    code = getattr(intent.last_payment_error, "code", None) or "payment_failed"
    return Declined(code.upper(), "the payment method was declined", intent.id)


def _not_understood(intent: stripe.PaymentIntent) -> Unknown:
    return Unknown("STATE_NOT_UNDERSTOOD", "the payment's state is not known here", intent.id)
