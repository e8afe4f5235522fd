"""Between the contract's messages and Echo's JSON. Pure."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from integration.common.v1.money_pb2 import Money
from integration.payments.v1 import payment_pb2 as pb
from spokes.kit.outcome import Declined, Outcome, Pending, Succeeded, Unknown, absent
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
    "wrong_state": Declined("WRONG_STATE", "the payment's state does not allow it"),
}
_OTHER_DECLINE = Declined("REQUEST_REFUSED", "the provider refuses the request")


def money(amount: Money) -> dict[str, object]:
    """An amount, as Echo takes it; empty if not set."""
    if not amount.minor_units:
        return {}
    return {"amount": amount.minor_units, "currency": amount.currency_code}


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
    return message


def payment_outcome(data: Mapping[str, Any], wanted: Money | None = None) -> Outcome:
    """What a payment's state says of the work that made it; `wanted` is the amount asked for."""
    message = payment(data)
    if wanted is not None and message.amount != wanted:
        return Unknown("AMOUNT_MISMATCH", "the provider names another amount", message.payment_id)
    if message.state == pb.PAYMENT_STATE_UNSPECIFIED:
        return Unknown("STATE_NOT_UNDERSTOOD", "the payment's state is not known here", message.payment_id)
    if message.state == pb.PAYMENT_STATE_PENDING:
        return Pending(message, message.payment_id)
    if message.state == pb.PAYMENT_STATE_FAILED:
        return Declined("PAYMENT_FAILED", "the payment failed", message.payment_id)
    return Succeeded(message, message.payment_id)


def read_outcome(data: Mapping[str, Any]) -> Outcome:
    """A payment that was read, whatever its state."""
    return Succeeded(payment(data), data["id"])


def refund_outcome(data: Mapping[str, Any]) -> Outcome:
    """What a refund says of the work that made it."""
    amount = Money(minor_units=data["amount"], currency_code=data["currency"])
    message = pb.Refund(
        refund_id=data["id"],
        payment_id=data["payment"],
        state=pb.REFUND_STATE_SUCCEEDED,
        amount=amount,
        reference=data["reference"],
    )
    return Succeeded(message, message.refund_id)


def step_outcome(data: Mapping[str, Any], reached: str) -> Outcome:
    """What a payment's state says of a capture or void: done, not done, or no longer possible."""
    if data["state"] == reached:
        return payment_outcome(data)
    return absent() if data["state"] == "authorized" else _DECLINES["wrong_state"]


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
