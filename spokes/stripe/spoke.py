"""Payments at Stripe."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any, Final

import stripe
from google.protobuf.message import Message

from integration.payments.v1 import payments_service_pb2 as pb
from spokes.kit.accounts import Account
from spokes.kit.outcome import (
    Cause,
    Declined,
    NotSent,
    Outcome,
    Succeeded,
    Unknown,
    absent,
    called_off,
    mismatch,
)
from spokes.kit.replies import Reply
from spokes.kit.spoke import Call, Delivery, Event, EventPage, Handler
from spokes.kit.webhooks import listed, read_events
from spokes.stripe import answers, events, mapping
from spokes.stripe.currencies import to_stripe
from spokes.stripe.lists import Finder, key_of_change

INTENTS: Final = "/v1/payment_intents"
REFUNDS: Final = "/v1/refunds"
_EVENTS_OF: Final = {
    "Capture": ("payment_intent.succeeded", "payment_intent.processing"),
    "Void": ("payment_intent.canceled",),
}


class StripeSpoke:
    """All six operations, look-ups, webhooks and the list of events."""

    def __init__(self) -> None:
        self._finders: dict[tuple[str, str], Finder] = {}

    def handlers(self) -> Mapping[str, Handler]:
        """The handlers by RPC name."""
        return {
            "Charge": partial(self.create, manual=False),
            "Authorize": partial(self.create, manual=True),
            "Capture": self.capture,
            "Void": self.void,
            "Refund": self.refund,
            "GetPayment": self.get_payment,
        }

    async def create(
        self, call: Call, request: pb.ChargeRequest | pb.AuthorizeRequest, *, manual: bool
    ) -> Outcome:
        """Makes and confirms an intent; `manual`: to be captured later."""
        units = to_stripe(request.amount)
        if isinstance(units, Declined):
            return units
        types = call.account.extra.get("payment_method_types", "card")
        form = mapping.new_intent(request, units, job_id=call.job_id, manual=manual, types=types)
        reply = await _post(call, INTENTS, form)
        return mapping.refused(reply) or _created(call, _intent(reply.json()), request)

    async def capture(self, call: Call, request: pb.CaptureRequest) -> Outcome:
        """Captures an intent."""
        amount = await _amount(call, request, "amount_to_capture")
        if not isinstance(amount, dict):
            return amount
        reply = await _post(call, f"{INTENTS}/{request.payment_id}/capture", amount)
        return mapping.refused(reply) or answers.captured(_intent(reply.json()), request)

    async def void(self, call: Call, request: pb.VoidRequest) -> Outcome:
        """Cancels an intent."""
        reply = await _post(call, f"{INTENTS}/{request.payment_id}/cancel", {})
        return mapping.refused(reply) or answers.voided(_intent(reply.json()), request)

    async def refund(self, call: Call, request: pb.RefundRequest) -> Outcome:
        """Refunds an intent."""
        amount = await _amount(call, request, "amount")
        if not isinstance(amount, dict):
            return amount
        form = {"payment_intent": request.payment_id, "metadata[job_id]": call.job_id, **amount}
        reply = await _post(call, REFUNDS, form)
        return mapping.refused(reply) or answers.refunded(_refund(reply.json()), request, call.job_id)

    async def get_payment(self, call: Call, request: pb.GetPaymentRequest) -> Outcome:
        """Reads an intent with its charge."""
        reply = await _get(call, f"{INTENTS}/{request.payment_id}", {"expand[]": "latest_charge"})
        if refused := mapping.refused(reply):
            return refused
        payment = mapping.payment(_intent(reply.json()))
        if not payment.HasField("amount"):
            return Declined("CURRENCY_NOT_SUPPORTED", "the payment's amount has no counterpart here")
        return Succeeded(payment, request.payment_id)

    async def look_up(self, call: Call, rpc: str, request: Message) -> Outcome:
        """Asks for the object by its id if that is known, else by our reference."""
        if isinstance(request, pb.CaptureRequest | pb.VoidRequest):
            return await _look_up_step(call, rpc, request)
        if isinstance(request, pb.RefundRequest):
            narrow = {"payment_intent": request.payment_id}
            found = await self._finder(call, REFUNDS).find(call, within=narrow)
            return answers.refunded(_refund(found), request, call.job_id) if found else absent()
        assert isinstance(request, pb.ChargeRequest | pb.AuthorizeRequest)
        found = await self._finder(call, INTENTS).find(call)
        return _created(call, _intent(found), request) if found else absent()

    async def cancel(self, call: Call, rpc: str, request: Message) -> Outcome:
        """Cancels the intent; where Stripe refuses, says how it stands."""
        assert isinstance(request, pb.ChargeRequest | pb.AuthorizeRequest)
        if not call.reference:
            return NotSent(Cause.UNSUPPORTED, "NO_REFERENCE", "the provider's id of the payment is not known")
        path = f"{INTENTS}/{call.reference}"
        reply = await _post(call, f"{path}/cancel", {})
        refused = mapping.refused(reply)
        if isinstance(refused, Declined):
            reply = await _get(call, path, {})
            refused = mapping.refused(reply)
        if refused:
            return Unknown("CANCEL_REFUSED", "the provider refuses to call it off", call.reference)
        intent = _intent(reply.json())
        told = _created(call, intent, request)
        canceled = isinstance(told, Declined) and intent.status == "canceled"
        return called_off(intent.id) if canceled else told

    def _finder(self, call: Call, path: str) -> Finder:
        key = (call.account.name, path)
        return self._finders.setdefault(key, Finder(path, _headers(call)))

    def verify_webhook(self, account: Account, delivery: Delivery) -> Sequence[Event]:
        """Verifies, then reads."""
        return [events.verify(delivery, account)]

    async def list_events(self, call: Call, start: datetime, end: datetime, token: str) -> EventPage:
        """One page of Stripe's events; Stripe keeps them for 30 days."""
        params = {"created[gte]": str(int(start.timestamp())), "created[lt]": str(int(end.timestamp()))}
        after = {"starting_after": token} if token else {}
        page, items = listed(await _get(call, "/v1/events", {**params, **after, "limit": "100"}))
        ours = [e for e in items if not events.is_of_other_mode(e, call.account)]
        following = events.last_id(items) if page.get("has_more") else ""
        return EventPage(read_events(sorted(ours, key=events.created), events.read), following)


def build() -> StripeSpoke:
    """Makes the spoke."""
    return StripeSpoke()


def _created(
    call: Call, intent: stripe.PaymentIntent, request: pb.ChargeRequest | pb.AuthorizeRequest
) -> Outcome:
    manual = isinstance(request, pb.AuthorizeRequest)
    return answers.created(intent, manual=manual, wanted=request.amount, job_id=call.job_id)


async def _amount(
    call: Call, request: pb.CaptureRequest | pb.RefundRequest, field: str
) -> dict[str, str] | Outcome:
    """The part of a form that says how much: a bare number, so first Stripe is asked of which currency."""
    if not request.HasField("amount"):
        return {}
    units = to_stripe(request.amount)
    if isinstance(units, Declined):
        return units
    reply = await _get(call, f"{INTENTS}/{request.payment_id}", {})
    if refused := mapping.refused(reply):
        return refused
    currency = _intent(reply.json()).currency.upper()
    if currency != request.amount.currency_code:
        return Declined("CURRENCY_MISMATCH", f"amount.currency_code: the payment is in {currency}")
    return {field: str(units)}


async def _look_up_step(call: Call, rpc: str, request: pb.CaptureRequest | pb.VoidRequest) -> Outcome:
    """A payment that stands where a capture or void leads to says nothing yet of who has led it there."""
    reply = await _get(call, f"{INTENTS}/{request.payment_id}", {})
    if refused := mapping.refused(reply):
        return refused
    intent = _intent(reply.json())
    if (told := answers.before(intent, rpc)) is not None:
        return told
    key = ""
    for kind in _EVENTS_OF[rpc]:
        key = key or await key_of_change(call, _headers(call), request.payment_id, kind)
    if not key:
        return Unknown("DOER_NOT_KNOWN", "it is done, and the provider does not say by whom", intent.id)
    if key != call.key:
        return mismatch("request", intent.id)
    if isinstance(request, pb.CaptureRequest):
        return answers.captured(intent, request)
    return answers.voided(intent, request)


async def _post(call: Call, path: str, form: Mapping[str, str]) -> Reply:
    headers = {**_headers(call), "Idempotency-Key": call.key}
    return await call.http.post(path, form=form, headers=headers)


async def _get(call: Call, path: str, params: Mapping[str, str]) -> Reply:
    return await call.http.get(path, params=params, headers=_headers(call))


def _headers(call: Call) -> dict[str, str]:
    key = call.account.api_key.reveal()
    return {"Authorization": f"Bearer {key}", "Stripe-Version": stripe.api_version or ""}


def _intent(data: dict[str, Any]) -> stripe.PaymentIntent:
    return stripe.PaymentIntent.construct_from(data, None)


def _refund(data: dict[str, Any]) -> stripe.Refund:
    return stripe.Refund.construct_from(data, None)
