"""Payments at Stripe."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from operator import itemgetter
from typing import Any, Final

import stripe
from google.protobuf.message import Message

from integration.common.v1.money_pb2 import Money
from integration.payments.v1 import payments_service_pb2 as pb
from spokes.kit.accounts import Account
from spokes.kit.outcome import Outcome, Succeeded, absent
from spokes.kit.replies import Reply
from spokes.kit.spoke import Call, Delivery, Event, EventPage, Handler
from spokes.kit.webhooks import read_event
from spokes.stripe import events, mapping
from spokes.stripe.lists import Finder

INTENTS: Final = "/v1/payment_intents"
REFUNDS: Final = "/v1/refunds"


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
        types = call.account.extra.get("payment_method_types", "card")
        form = mapping.new_intent(request, job_id=call.job_id, manual=manual, types=types)
        reply = await _post(call, INTENTS, form)
        return mapping.refused(reply) or mapping.payment_outcome(_intent(reply.json()), request.amount)

    async def capture(self, call: Call, request: pb.CaptureRequest) -> Outcome:
        """Captures an intent."""
        wanted = request.amount.minor_units
        form = {"amount_to_capture": str(wanted)} if wanted else {}
        reply = await _post(call, f"{INTENTS}/{request.payment_id}/capture", form)
        return mapping.refused(reply) or mapping.payment_outcome(_intent(reply.json()))

    async def void(self, call: Call, request: pb.VoidRequest) -> Outcome:
        """Cancels an intent."""
        reply = await _post(call, f"{INTENTS}/{request.payment_id}/cancel", {})
        return mapping.refused(reply) or mapping.step_outcome(_intent(reply.json()), "canceled")

    async def refund(self, call: Call, request: pb.RefundRequest) -> Outcome:
        """Refunds an intent."""
        form = {"payment_intent": request.payment_id, "metadata[job_id]": call.job_id}
        if request.amount.minor_units:
            form["amount"] = str(request.amount.minor_units)
        reply = await _post(call, REFUNDS, form)
        return mapping.refused(reply) or mapping.refund_outcome(_refund(reply.json()))

    async def get_payment(self, call: Call, request: pb.GetPaymentRequest) -> Outcome:
        """Reads an intent with its charge."""
        reply = await _get(call, f"{INTENTS}/{request.payment_id}", {"expand[]": "latest_charge"})
        refused = mapping.refused(reply)
        return refused or Succeeded(mapping.payment(_intent(reply.json())), request.payment_id)

    async def look_up(self, call: Call, rpc: str, request: Message) -> Outcome:
        """Asks for the object by its id if that is known, else by our reference."""
        if isinstance(request, pb.CaptureRequest | pb.VoidRequest):
            reply = await _get(call, f"{INTENTS}/{request.payment_id}", {})
            reached = "succeeded" if rpc == "Capture" else "canceled"
            return mapping.refused(reply) or mapping.step_outcome(_intent(reply.json()), reached)
        if isinstance(request, pb.RefundRequest):
            narrow = {"payment_intent": request.payment_id}
            found = await self._finder(call, REFUNDS).find(call, within=narrow)
            return mapping.refund_outcome(_refund(found)) if found else absent()
        found = await self._finder(call, INTENTS).find(call)
        wanted: Money = request.amount  # type: ignore[attr-defined] # Charge and Authorize both have it
        return mapping.payment_outcome(_intent(found), wanted) if found else absent()

    def _finder(self, call: Call, path: str) -> Finder:
        key = (call.account.name, path)
        return self._finders.setdefault(key, Finder(path, _headers(call)))

    def verify_webhook(self, account: Account, delivery: Delivery) -> Sequence[Event]:
        """Verifies, then reads."""
        return [events.verify(delivery, account.webhook_secrets)]

    async def list_events(self, call: Call, start: datetime, end: datetime, token: str) -> EventPage:
        """One page of Stripe's events; Stripe keeps them for 30 days."""
        params = {"created[gte]": str(int(start.timestamp())), "created[lt]": str(int(end.timestamp()))}
        after = {"starting_after": token} if token else {}
        page: Any = (await _get(call, "/v1/events", {**params, **after, "limit": "100"})).json()
        following = page["data"][-1]["id"] if page["has_more"] else ""
        return EventPage(
            [read_event(e, events.read) for e in sorted(page["data"], key=itemgetter("created"))], following
        )


def build() -> StripeSpoke:
    """Makes the spoke."""
    return StripeSpoke()


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
