"""One good request per operation and Echo's good reply to it, for the conformance suite."""

import base64
from urllib.parse import urlencode

import orjson

from integration.common.v1.money_pb2 import Money
from integration.payments.v1 import payments_service_pb2 as pb
from spokes.echo.hooks import sign
from spokes.kit.specimen import JOB_ID, Hook, HookCall, ScriptedReply, Specimen
from spokes.kit.webhooks import sign_standard

_TOKEN = "pm_canary_4711"  # noqa: S105 - a canary, to be found where it does not belong
_AMOUNT = Money(minor_units=1250, currency_code="EUR")
_PAYMENT = {
    "id": "pay_1",
    "state": "captured",
    "amount": 1250,
    "currency": "EUR",
    "captured": 1250,
    "refunded": 0,
    "reference": JOB_ID,
    "created": 1_700_000_000,
}
_REFUND = {"id": "ref_1", "payment": "pay_1", "amount": 1250, "currency": "EUR", "reference": JOB_ID}
_EVENT = {"id": "evt_1", "type": "payment.captured", "created": 1_700_000_000, "data": _PAYMENT}


def specimen() -> Specimen:
    """Echo's specimen."""
    return Specimen(
        requests={
            "Charge": pb.ChargeRequest(amount=_AMOUNT, payment_method=_TOKEN),
            "Authorize": pb.AuthorizeRequest(amount=_AMOUNT, payment_method=_TOKEN),
            "Capture": pb.CaptureRequest(payment_id="pay_1"),
            "Void": pb.VoidRequest(payment_id="pay_1"),
            "Refund": pb.RefundRequest(payment_id="pay_1", amount=_AMOUNT),
            "GetPayment": pb.GetPaymentRequest(payment_id="pay_1"),
        },
        replies={
            "Charge": ScriptedReply(_PAYMENT, 201),
            "Authorize": ScriptedReply({**_PAYMENT, "state": "authorized", "captured": 0}, 201),
            "Capture": ScriptedReply({**_PAYMENT, "ended_by": JOB_ID}),
            "Void": ScriptedReply({**_PAYMENT, "state": "voided", "captured": 0, "ended_by": JOB_ID}),
            "Refund": ScriptedReply(_REFUND, 201),
            "GetPayment": ScriptedReply(_PAYMENT),
        },
        key_header="Idempotency-Key",
        webhook=orjson.dumps(_EVENT),
        webhook_secrets=(_secret(b"new"), _secret(b"old")),
        sign=lambda secret, signed_at, body: sign_standard(
            secret=secret, message_id="evt_1", signed_at=signed_at, body=body
        ),
        hooks=(
            Hook("form", "POST", _form, events=2),
            Hook("challenge", "GET", _challenge, answer=b"c 0815&+"),
        ),
        secrets=(_TOKEN,),
    )


def _form(secret: str, signed_at: int, url: str) -> HookCall:
    events = [{**_EVENT, "id": f"evt_{number}"} for number in (1, 2)]
    fields = [("event", orjson.dumps(event).decode()) for event in events] + [("signed_at", str(signed_at))]
    headers = {"content-type": "application/x-www-form-urlencoded", **sign(secret, url, fields)}
    return HookCall(headers=headers, body=urlencode(fields).encode())


def _challenge(secret: str, signed_at: int, url: str) -> HookCall:
    # Neither sorted nor written the only way: what is signed are these very bytes.
    query = f"signed_at={signed_at}&mode=subscribe&challenge=c+0815%26%2b"
    return HookCall(query, sign(secret, f"{url}?{query}", []))


def _secret(seed: bytes) -> str:
    return "whsec_" + base64.b64encode(seed * 8).decode()
