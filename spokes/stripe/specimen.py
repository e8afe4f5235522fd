"""One good request per operation and Stripe's good reply to it, for the conformance suite."""

import orjson
import stripe

from integration.common.v1.money_pb2 import Money
from integration.payments.v1 import payments_service_pb2 as pb
from spokes.kit.specimen import JOB_ID, ScriptedReply, Specimen

_TOKEN = "pm_canary_4711"  # noqa: S105 - a canary, to be found where it does not belong
_AMOUNT = Money(minor_units=1250, currency_code="EUR")
_INTENT = {
    "id": "pi_1",
    "object": "payment_intent",
    "status": "succeeded",
    "amount": 1250,
    "amount_received": 1250,
    "currency": "eur",
    "created": 1_700_000_000,
    "latest_charge": "ch_1",
    "last_payment_error": None,
    "metadata": {"job_id": JOB_ID},
}
_REFUND = {
    "id": "re_1",
    "object": "refund",
    "status": "succeeded",
    "amount": 1250,
    "currency": "eur",
    "payment_intent": "pi_1",
    "metadata": {"job_id": JOB_ID},
}
_EVENT = {
    "id": "evt_1",
    "object": "event",
    "type": "payment_intent.succeeded",
    "created": 1_700_000_000,
    "data": {"object": _INTENT},
}


def specimen() -> Specimen:
    """Stripe's specimen."""
    return Specimen(
        requests={
            "Charge": pb.ChargeRequest(amount=_AMOUNT, payment_method=_TOKEN),
            "Authorize": pb.AuthorizeRequest(amount=_AMOUNT, payment_method=_TOKEN),
            "Capture": pb.CaptureRequest(payment_id="pi_1"),
            "Void": pb.VoidRequest(payment_id="pi_1"),
            "Refund": pb.RefundRequest(payment_id="pi_1"),
            "GetPayment": pb.GetPaymentRequest(payment_id="pi_1"),
        },
        replies={
            "Charge": ScriptedReply(_INTENT),
            "Authorize": ScriptedReply({**_INTENT, "status": "requires_capture", "amount_received": 0}),
            "Capture": ScriptedReply(_INTENT),
            "Void": ScriptedReply({**_INTENT, "status": "canceled", "amount_received": 0}),
            "Refund": ScriptedReply(_REFUND),
            "GetPayment": ScriptedReply(_INTENT),
        },
        key_header="Idempotency-Key",
        webhook=orjson.dumps(_EVENT),
        webhook_secrets=("whsec_conformance_new", "whsec_conformance_old"),
        sign=_sign,
        secrets=(_TOKEN,),
    )


def _sign(secret: str, signed_at: int, body: bytes) -> dict[str, str]:
    header = stripe.WebhookSignature.generate_signature_header(body.decode("latin-1"), secret, signed_at)
    return {"stripe-signature": header}
