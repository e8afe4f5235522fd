"""Between the contract's messages and Echo's JSON. Pure."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from integration.common.v1.money_pb2 import Money
from integration.payments.v1 import payment_pb2 as pb
from integration.payments.v1 import payments_service_pb2 as requests
from spokes.kit.currencies import EXPONENTS
from spokes.kit.outcome import Declined, Outcome, Pending, Succeeded, Unknown, absent, called_off, mismatch
from spokes.kit.replies import Reply, not_understood

_STATES = {
    "pending": pb.PAYMENT_STATE_PENDING,
    "authorized": pb.PAYMENT_STATE_AUTHORIZED,
    "captured": pb.PAYMENT_STATE_CAPTURED,
    "voided": pb.PAYMENT_STATE_VOIDED,
    "failed": pb.PAYMENT_STATE_FAILED,
}
_DECLINES = {
    "card_declined": Declined("CARD_DECLINED", "the payment method was declined"),
    "not_found": Declined("NOT_FOUND", "the provider has no such payment"),
    "currency_mismatch": Declined(
        "CURRENCY_MISMATCH", "amount.currency_code: the payment is in another currency"
    ),
    "wrong_state": Declined("WRONG_STATE", "the payment's state does not allow it"),
}
_OTHER_DECLINE = Declined("REQUEST_REFUSED", "the provider refuses the request")


def money(amount: Money) -> dict[str, object]:
    """An amount, as Echo takes it, never without its currency; empty if not set."""
    if not amount.minor_units:
        return {}
    return {"amount": amount.minor_units, "currency": amount.currency_code}


def not_taken(amount: Money) -> Declined | None:
    """Why Echo has no word for an amount; None: it has, or there is none. Its minor units are ISO 4217's."""
    if not amount.minor_units or amount.currency_code in EXPONENTS:
        return None
    return Declined("CURRENCY_NOT_SUPPORTED", f"amount.currency_code: Echo takes no {amount.currency_code}")


def payment(data: Mapping[str, Any]) -> pb.Payment:
    """Echo's payment as the contract has it."""
    message = pb.Payment(
        payment_id=data["id"],
        state=_STATES.get(data["state"], pb.PAYMENT_STATE_UNSPECIFIED),
        amount=Money(minor_units=data["amount"], currency_code=data["currency"]),
        captured_minor_units=data["captured"],
        refunded_minor_units=data["refunded"],
        reference=data["reference"],
    )
    message.create_time.FromDatetime(datetime.fromtimestamp(data["created"], UTC))
    if action := data.get("action"):
        message.next_action.kind = pb.NEXT_ACTION_KIND_REDIRECT
        message.next_action.url = action["url"]
        message.next_action.expire_time.FromDatetime(datetime.fromtimestamp(action["expires"], UTC))
    return message


def created(
    data: Mapping[str, Any], *, reached: str, wanted: Money | None = None, reference: str = ""
) -> Outcome:
    """What a payment says of the work that made it and leads to `reached`. An event's is compared by the hub,
    so there `wanted` and `reference` are not given."""
    message = payment(data)
    if wanted is not None and message.amount != wanted:
        return mismatch("amount", message.payment_id)
    if reference and message.reference != reference:
        return mismatch("reference", message.payment_id)
    if message.state == pb.PAYMENT_STATE_UNSPECIFIED:
        return Unknown("STATE_NOT_UNDERSTOOD", "the payment's state is not known here", message.payment_id)
    if message.state == pb.PAYMENT_STATE_VOIDED and data.get("canceled"):
        return called_off(message.payment_id)
    if message.state == pb.PAYMENT_STATE_PENDING:
        return Pending(message, message.payment_id)
    if message.state == pb.PAYMENT_STATE_FAILED:
        return Declined("PAYMENT_FAILED", "the payment failed", message.payment_id)
    if data["state"] != reached:
        return mismatch("state", message.payment_id)
    if wanted is not None and message.captured_minor_units != (
        wanted.minor_units if reached == "captured" else 0
    ):
        return mismatch("amount taken", message.payment_id)
    return Succeeded(message, message.payment_id)


def stepped(data: Mapping[str, Any], request: requests.CaptureRequest | requests.VoidRequest) -> Outcome:
    """What a payment says of a capture or void of ours."""
    captures = isinstance(request, requests.CaptureRequest)
    message = payment(data)
    if message.payment_id != request.payment_id:
        return mismatch("payment_id", message.payment_id)
    if data["state"] != ("captured" if captures else "voided"):
        return mismatch("state", message.payment_id)
    wanted = message.amount
    if isinstance(request, requests.CaptureRequest) and request.HasField("amount"):
        wanted = request.amount
    taken = Money(minor_units=message.captured_minor_units, currency_code=message.amount.currency_code)
    if captures and taken != wanted:
        return mismatch("amount", message.payment_id)
    return Succeeded(message, message.payment_id)


def read_outcome(data: Mapping[str, Any]) -> Outcome:
    """A payment that was read, whatever its state."""
    return Succeeded(payment(data), data["id"])


def refunded(data: Mapping[str, Any], request: requests.RefundRequest, reference: str) -> Outcome:
    """What a refund says of the work that made it."""
    amount = Money(minor_units=data["amount"], currency_code=data["currency"])
    message = pb.Refund(
        refund_id=data["id"],
        payment_id=data["payment"],
        state=pb.REFUND_STATE_SUCCEEDED,
        amount=amount,
        reference=data["reference"],
    )
    if request.HasField("amount") and amount != request.amount:
        return mismatch("amount", message.refund_id)
    if message.payment_id != request.payment_id:
        return mismatch("payment_id", message.refund_id)
    if message.reference != reference:
        return mismatch("reference", message.refund_id)
    return Succeeded(message, message.refund_id)


def found_step(
    data: Mapping[str, Any], request: requests.CaptureRequest | requests.VoidRequest, reference: str
) -> Outcome:
    """What a payment says to the look-up of a capture or void: Echo tells whose it was."""
    if data["state"] == "authorized":
        return absent()
    if data["state"] == ("captured" if isinstance(request, requests.CaptureRequest) else "voided"):
        ours = data.get("ended_by") == reference
        return stepped(data, request) if ours else mismatch("request", data["id"])
    if data["state"] in _STATES:
        return _DECLINES["wrong_state"]
    return Unknown("STATE_NOT_UNDERSTOOD", "the payment's state is not known here", data["id"])


def refused(reply: Reply) -> Outcome | None:
    """What a reply other than success says; None: success."""
    if reply.status < 300:
        return None
    error = reply.json().get("error")
    if not isinstance(error, dict):
        raise not_understood()
    if error.get("code") == "key_reused":
        return Unknown("KEY_REUSED", "the provider knows our key with another request")
    return _DECLINES.get(str(error.get("code")), _OTHER_DECLINE)
