"""Whether an event speaks of what its job asked for."""

from dataclasses import replace

import pytest

from hub.jobs.agreeing import Asked, Compared, Named, Sum, Task, mismatch
from hub.peers.agreeing import compare
from integration.common.v1.money_pb2 import Money
from integration.payments.v1 import payments_service_pb2 as payments
from integration.spoke.v1 import outcome_pb2

CHARGE, REFUND = (f"integration.payments.v1.PaymentsService/{rpc}" for rpc in ("Charge", "Refund"))
EUROS = Money(minor_units=1250, currency_code="EUR")
ASKED = Asked(REFUND, Sum(500, "EUR"), "re_1", {"payment_id": "pi_1"})
NAMED = Named(frozenset({REFUND}), Sum(500, "EUR"), "re_1", {"payment_id": "pi_1"})


def test_an_event_that_names_what_was_asked_for_agrees() -> None:
    assert mismatch(ASKED, NAMED) is None
    assert mismatch(replace(ASKED, amount=None, reference=""), NAMED) is None
    assert mismatch(ASKED, replace(NAMED, reference="", fields={})) is None


@pytest.mark.parametrize(
    ("named", "what"),
    [
        (replace(NAMED, operations=frozenset({CHARGE})), "operation"),
        (replace(NAMED, operations=frozenset()), "operation"),
        (replace(NAMED, reference="re_2"), "provider_reference"),
        (replace(NAMED, amount=Sum(1, "EUR")), "amount"),
        (replace(NAMED, amount=Sum(500, "USD")), "amount"),
        (replace(NAMED, amount=None), "amount"),
        (replace(NAMED, fields={"payment_id": "pi_2"}), "payment_id"),
    ],
)
def test_the_first_thing_that_an_event_names_otherwise_is_told(named: Named, what: str) -> None:
    assert mismatch(ASKED, named) == what


def task(message: payments.ChargeRequest | payments.RefundRequest, reference: str = "") -> Task:
    """A job of that request."""
    operation = CHARGE if isinstance(message, payments.ChargeRequest) else REFUND
    return Task(operation, reference, message.DESCRIPTOR.full_name, message.SerializeToString())


def said(operation: str, amount: Money | None, reference: str, **fields: str) -> bytes:
    """An event's outcome as it is kept."""
    subject = outcome_pb2.Subject(operations=[operation], amount=amount, request_fields=fields)
    return outcome_pb2.Outcome(provider_reference=reference, subject=subject).SerializeToString()


def test_requests_and_outcomes_are_read_by_their_descriptors() -> None:
    charge = task(payments.ChargeRequest(amount=EUROS, payment_method="pm_1"), "pi_1")
    assert compare(charge, said(CHARGE, EUROS, "pi_1")).differs is None
    assert compare(charge, said(CHARGE, EUROS, "pi_2")).differs == "provider_reference"
    assert compare(charge, said(REFUND, EUROS, "pi_1")).differs == "operation"
    assert compare(charge, said(CHARGE, None, "pi_1")).differs == "amount"
    whole = task(payments.RefundRequest(payment_id="pi_1"))
    assert compare(whole, said(REFUND, EUROS, "re_1", payment_id="pi_1")).differs is None
    assert compare(whole, said(REFUND, EUROS, "re_1", payment_id="pi_2")).differs == "payment_id"


def test_a_request_that_no_contract_reads_agrees_with_nothing() -> None:
    gone = Task(CHARGE, "", "integration.none.v1.Request", b"")
    assert compare(gone, said(CHARGE, EUROS, "")) == Compared("request", None, Sum(1250, "EUR"))
    broken = Task(CHARGE, "", "integration.payments.v1.ChargeRequest", b"request")
    assert compare(broken, said(CHARGE, EUROS, "")).differs == "request"
