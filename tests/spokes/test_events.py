"""What Stripe's and Echo's events name, for the hub to compare with the job."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from integration.common.v1.money_pb2 import Money
from spokes.kit import registry
from spokes.kit.accounts import Account, Secret
from spokes.kit.errors import WebhookRefused
from spokes.kit.outcome import Declined, Outcome, Pending, Succeeded, Unknown
from spokes.kit.specimen import JOB_ID
from spokes.kit.spoke import Concern, ConcernKind, Delivery
from spokes.stripe import events

EUROS = Money(minor_units=1250, currency_code="EUR")
BOTH = ("Charge", "Authorize")
INTENT: dict[str, Any] = json.loads(registry.specimen("stripe").webhook)["data"]["object"]
REFUND = {"id": "re_1", "object": "refund", "status": "succeeded", "amount": 500, "currency": "eur"}
REFUND |= {"payment_intent": "pi_1", "metadata": {"job_id": JOB_ID}}


def event(kind: str, thing: dict[str, Any]) -> dict[str, Any]:
    """One of Stripe's events."""
    return {"id": "evt_1", "type": kind, "created": 1, "data": {"object": thing}}


@pytest.mark.parametrize(
    ("what", "changes", "outcome", "rpcs", "amount"),
    [
        ("succeeded", {}, Succeeded, ("Charge",), EUROS),
        (
            "succeeded",
            {"amount_received": 1},
            Succeeded,
            ("Charge",),
            Money(minor_units=1, currency_code="EUR"),
        ),
        ("succeeded", {"currency": "zzz"}, Succeeded, ("Charge",), None),
        ("succeeded", {"status": "requires_capture"}, Unknown, ("Charge",), EUROS),
        ("processing", {"status": "processing"}, Pending, BOTH, EUROS),
        ("payment_failed", {"status": "requires_payment_method"}, Declined, BOTH, EUROS),
        ("canceled", {"status": "canceled"}, Declined, BOTH, EUROS),
        ("amount_capturable_updated", {"status": "requires_capture"}, Succeeded, ("Authorize",), EUROS),
    ],
)
def test_an_event_of_a_payment_names_the_work_that_made_it(
    what: str,
    changes: dict[str, Any],
    outcome: type[Outcome],
    rpcs: tuple[str, ...],
    amount: Money | None,
) -> None:
    found = events.read(event(f"payment_intent.{what}", {**INTENT, **changes}))
    assert isinstance(found.outcome, outcome)
    assert (found.job_id, found.reference) == (JOB_ID, "pi_1")
    assert (found.rpcs, found.amount) == (rpcs, amount)


def test_an_event_of_a_refund_names_its_money_and_its_payment() -> None:
    found = events.read(event("refund.updated", REFUND))
    assert (found.rpcs, found.reference, found.fields) == (("Refund",), "re_1", {"payment_id": "pi_1"})
    assert found.amount == Money(minor_units=500, currency_code="EUR")


def test_the_success_of_a_reservation_is_not_its_makers() -> None:
    found = events.read(event("payment_intent.succeeded", {**INTENT, "capture_method": "manual"}))
    assert (found.job_id, found.outcome) == ("", None)


DISPUTED = {"id": "dp_1", "object": "dispute", "amount": 500, "currency": "eur", "payment_intent": "pi_1"}
RESERVED = {**INTENT, "capture_method": "manual", "status": "canceled", "latest_charge": "ch_1"}
SOME = Money(minor_units=500, currency_code="EUR")


@pytest.mark.parametrize(
    ("kind", "thing", "concern"),
    [
        ("charge.dispute.created", DISPUTED, Concern(ConcernKind.DISPUTE, "pi_1", SOME)),
        ("charge.dispute.closed", DISPUTED, Concern(ConcernKind.DISPUTE, "pi_1", SOME)),
        ("charge.dispute.created", DISPUTED | {"currency": "zzz"}, Concern(ConcernKind.DISPUTE, "pi_1")),
        ("refund.created", REFUND | {"metadata": {}}, Concern(ConcernKind.REVERSAL, "pi_1", SOME)),
        ("refund.updated", REFUND | {"metadata": {}}, None),
        ("balance.available", {"object": "balance"}, None),
        (
            "payment_intent.canceled",
            RESERVED | {"cancellation_reason": "automatic"},
            Concern(ConcernKind.REVERSAL, "pi_1", EUROS),
        ),
        ("payment_intent.canceled", RESERVED | {"cancellation_reason": None}, None),
    ],
)
def test_what_nobody_asked_for_concerns_the_payment_that_it_names(
    kind: str, thing: dict[str, Any], concern: Concern | None
) -> None:
    found = events.read(event(kind, thing))
    assert (found.job_id, found.outcome, found.concern) == ("", None, concern)


def test_a_reservation_that_was_never_there_is_declined_still() -> None:
    found = events.read(event("payment_intent.canceled", RESERVED | {"latest_charge": None}))
    assert (found.job_id, type(found.outcome), found.concern) == (JOB_ID, Declined, None)


@pytest.mark.parametrize(
    ("key", "livemode", "taken"),
    [
        ("sk_live_1", True, True),
        ("sk_live_1", False, False),
        ("rk_test_1", True, False),
        ("sk_test_1", False, True),
        ("sk_test_1", None, True),
        ("sk_canary", True, True),
    ],
)
def test_an_event_of_the_other_mode_than_the_accounts_key_is_refused(
    key: str, livemode: bool | None, taken: bool
) -> None:
    said = event("payment_intent.succeeded", INTENT) | ({} if livemode is None else {"livemode": livemode})
    body, specimen = json.dumps(said).encode(), registry.specimen("stripe")
    assert specimen.sign
    headers = specimen.sign(specimen.webhook_secrets[0], 1_700_000_000, body)
    account = Account("default", "", False, Secret(key), (Secret(specimen.webhook_secrets[0]),))
    delivery = Delivery(body, headers, datetime.fromtimestamp(1_700_000_000, UTC))
    if taken:
        assert events.verify(delivery, account).job_id == JOB_ID
        return
    with pytest.raises(WebhookRefused, match="the other mode"):
        events.verify(delivery, account)
