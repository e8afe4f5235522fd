"""Payments at Echo."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final

from google.protobuf.message import Message

from integration.common.v1.money_pb2 import Money
from integration.payments.v1 import payments_service_pb2 as pb
from spokes.echo import hooks, mapping
from spokes.kit.accounts import Account
from spokes.kit.outcome import Cause, NotSent, Outcome, Unknown, absent
from spokes.kit.spoke import Call, Delivery, Event, EventPage, Handler, Heard
from spokes.kit.webhooks import listed, read_events

_SETTLING = frozenset(f"payment.{state}" for state in ("pending", "authorized", "captured", "failed"))
_MAKERS = {
    "captured": ("Charge",),
    "authorized": ("Authorize",),
    "pending": ("Charge", "Authorize"),
    "failed": ("Charge", "Authorize"),
}

CONFLICT: Final = 409


class EchoSpoke:
    """All six operations, look-ups, webhooks and the list of events."""

    def handlers(self) -> Mapping[str, Handler]:
        """The handlers by RPC name."""
        return {
            "Charge": partial(self.create, capture=True),
            "Authorize": partial(self.create, capture=False),
            "Capture": self.capture,
            "Void": self.void,
            "Refund": self.refund,
            "GetPayment": self.get_payment,
        }

    async def create(
        self, call: Call, request: pb.ChargeRequest | pb.AuthorizeRequest, *, capture: bool
    ) -> Outcome:
        """Takes money, or only reserves it."""
        if refused := mapping.not_taken(request.amount):
            return refused
        data = {
            **mapping.money(request.amount),
            "payment_method": request.payment_method,
            "capture": capture,
            "reference": call.job_id,
            **({"return_url": request.return_url} if request.return_url else {}),
        }
        reply = await call.http.post("/v1/payments", json=data, headers=_headers(call))
        return mapping.refused(reply) or _created(call, reply.json(), request)

    async def capture(self, call: Call, request: pb.CaptureRequest) -> Outcome:
        """Takes reserved money."""
        if refused := mapping.not_taken(request.amount):
            return refused
        data = {"reference": call.job_id, **mapping.money(request.amount)}
        reply = await call.http.post(
            f"/v1/payments/{request.payment_id}/capture", json=data, headers=_headers(call)
        )
        return mapping.refused(reply) or mapping.stepped(reply.json(), request)

    async def void(self, call: Call, request: pb.VoidRequest) -> Outcome:
        """Releases reserved money."""
        reply = await call.http.post(
            f"/v1/payments/{request.payment_id}/void", json={"reference": call.job_id}, headers=_headers(call)
        )
        return mapping.refused(reply) or mapping.stepped(reply.json(), request)

    async def refund(self, call: Call, request: pb.RefundRequest) -> Outcome:
        """Gives money back."""
        if refused := mapping.not_taken(request.amount):
            return refused
        data = {"payment": request.payment_id, "reference": call.job_id, **mapping.money(request.amount)}
        reply = await call.http.post("/v1/refunds", json=data, headers=_headers(call))
        return mapping.refused(reply) or mapping.refunded(reply.json(), request, call.job_id)

    async def get_payment(self, call: Call, request: pb.GetPaymentRequest) -> Outcome:
        """Reads a payment."""
        reply = await call.http.get(f"/v1/payments/{request.payment_id}", headers=_headers(call))
        return mapping.refused(reply) or mapping.read_outcome(reply.json())

    async def look_up(self, call: Call, rpc: str, request: Message) -> Outcome:
        """Asks by our reference, or for a capture or void how the payment stands."""
        if isinstance(request, pb.CaptureRequest | pb.VoidRequest):
            reply = await call.http.get(f"/v1/payments/{request.payment_id}", headers=_headers(call))
            return mapping.refused(reply) or mapping.found_step(reply.json(), request, call.job_id)
        kind = "refunds" if isinstance(request, pb.RefundRequest) else "payments"
        reply = await call.http.get(f"/v1/{kind}", params={"reference": call.job_id}, headers=_headers(call))
        found: Any = reply.json()["data"]
        if not found:
            return absent()
        if isinstance(request, pb.ChargeRequest | pb.AuthorizeRequest):
            return _created(call, found[0], request)
        assert isinstance(request, pb.RefundRequest)
        return mapping.refunded(found[0], request, call.job_id)

    async def cancel(self, call: Call, rpc: str, request: Message) -> Outcome:
        """Cancels the payment; where that is too late, says how it stands."""
        assert isinstance(request, pb.ChargeRequest | pb.AuthorizeRequest)
        if not call.reference:
            return NotSent(Cause.UNSUPPORTED, "NO_REFERENCE", "the provider's id of the payment is not known")
        path = f"/v1/payments/{call.reference}"
        reply = await call.http.post(
            f"{path}/cancel", json={"reference": call.job_id}, headers=_headers(call)
        )
        if reply.status == CONFLICT:
            reply = await call.http.get(path, headers=_headers(call))
        if mapping.refused(reply):
            return Unknown("CANCEL_REFUSED", "the provider refuses to call it off", call.reference)
        return _created(call, reply.json(), request)

    def verify_webhook(self, account: Account, delivery: Delivery) -> Heard:
        """Verifies, then reads."""
        return hooks.hear(account, delivery, _event)

    async def list_events(self, call: Call, start: datetime, end: datetime, token: str) -> EventPage:
        """One page of Echo's events."""
        params = {"since": str(start.timestamp()), "until": str(end.timestamp()), "after": token}
        page, items = listed(await call.http.get("/v1/events", params=params, headers=_headers(call)))
        return EventPage(read_events(items, _event), page["next"])


def build() -> EchoSpoke:
    """Makes the spoke."""
    return EchoSpoke()


def _created(call: Call, data: Mapping[str, Any], request: pb.ChargeRequest | pb.AuthorizeRequest) -> Outcome:
    reached = "authorized" if isinstance(request, pb.AuthorizeRequest) else "captured"
    return mapping.created(data, reached=reached, wanted=request.amount, reference=call.job_id)


def _headers(call: Call) -> dict[str, str]:
    return {"Authorization": f"Bearer {call.account.api_key.reveal()}", "Idempotency-Key": call.key}


def _event(data: Mapping[str, Any]) -> Event:
    payment, state = data["data"], str(data["data"]["state"])
    event = Event(
        id=data["id"],
        type=data["type"],
        job_id=str(payment["reference"]),
        reference=str(payment["id"]),
        happened_at=datetime.fromtimestamp(data["created"], UTC),
    )
    if data["type"] not in _SETTLING or payment.get("ended_by"):
        # Whoever captured or voided it has had the answer; the payment names only the job that made it.
        return event
    units = payment["captured"] if state == "captured" else payment["amount"]
    return replace(
        event,
        outcome=mapping.created(payment, reached=state),
        rpcs=_MAKERS.get(state, ()),
        amount=Money(minor_units=units, currency_code=str(payment["currency"])),
    )
