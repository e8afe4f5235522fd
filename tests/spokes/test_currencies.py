"""Amounts between the contract's minor units and Stripe's."""

import pytest

from integration.common.v1.money_pb2 import Money
from spokes.kit.currencies import EXPONENTS
from spokes.kit.outcome import Declined
from spokes.stripe.currencies import from_stripe, to_stripe


@pytest.mark.parametrize(
    ("code", "units", "sent"),
    [
        ("EUR", 1250, 1250),
        ("JPY", 100, 100),
        ("ISK", 5000, 500_000),
        ("UGX", 5000, 500_000),
        ("KWD", 12_340, 12_340),
        ("MGA", 500, 5),
        ("HUF", 1250, 1250),
        ("TWD", 1250, 1250),
    ],
)
def test_an_amount_goes_in_stripes_unit_and_comes_back_the_same(code: str, units: int, sent: int) -> None:
    money = Money(minor_units=units, currency_code=code)
    assert to_stripe(money) == sent
    assert from_stripe(sent, code.lower()) == money


@pytest.mark.parametrize(
    ("code", "units", "reason", "named"),
    [
        ("XXX", 100, "CURRENCY_NOT_SUPPORTED", "amount.currency_code: Stripe takes no XXX"),
        ("ZZZ", 100, "CURRENCY_NOT_SUPPORTED", "amount.currency_code: Stripe takes no ZZZ"),
        ("XAU", 100, "CURRENCY_NOT_SUPPORTED", "amount.currency_code: Stripe takes no XAU"),
        ("IRR", 100, "CURRENCY_NOT_SUPPORTED", "amount.currency_code: Stripe takes no IRR"),
        ("KWD", 1234, "AMOUNT_NOT_SUPPORTED", "amount.minor_units: Stripe takes KWD in steps of 10"),
        ("MGA", 150, "AMOUNT_NOT_SUPPORTED", "amount.minor_units: Stripe takes MGA in steps of 100"),
    ],
)
def test_what_stripe_cannot_carry_is_refused_by_its_field(
    code: str, units: int, reason: str, named: str
) -> None:
    refused = to_stripe(Money(minor_units=units, currency_code=code))
    assert refused == Declined(reason, named)


@pytest.mark.parametrize(("amount", "currency"), [(50, "isk"), (100, "zzz"), (100, "")])
def test_what_the_contract_has_no_word_for_is_no_money(amount: int, currency: str) -> None:
    assert from_stripe(amount, currency) is None


def test_every_currency_that_stripe_takes_comes_back_as_it_went() -> None:
    for code in EXPONENTS:
        money = Money(minor_units=12_300, currency_code=code)
        sent = to_stripe(money)
        assert isinstance(sent, Declined) or from_stripe(sent, code) == money
