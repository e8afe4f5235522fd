"""Stripe's minor units, as https://docs.stripe.com/currencies has them. Pure."""

from typing import Final

from integration.common.v1.money_pb2 import Money
from spokes.kit.currencies import EXPONENTS
from spokes.kit.outcome import Declined

_NOT_TAKEN: Final = frozenset(
    {"BTN", "CUP", "ERN", "IQD", "IRR", "KPW", "LYD", "SDG", "SSP", "SYP", "TMT", "VES", "ZWG"}
)
# Two decimal places at Stripe, though ISO 4217 has none; they must be zero.
_PADDED: Final = frozenset({"ISK", "UGX"})
# None at Stripe, though ISO 4217 has two.
_WHOLE: Final = frozenset({"MGA"})
_STEPS_OF_TEN: Final = frozenset(code for code, exponent in EXPONENTS.items() if exponent == 3)


def to_stripe(money: Money) -> int | Declined:
    """The amount in Stripe's unit of its currency; Declined, naming the field, where there is none."""
    code, units = money.currency_code, money.minor_units
    if code not in EXPONENTS or code in _NOT_TAKEN:
        return Declined("CURRENCY_NOT_SUPPORTED", f"amount.currency_code: Stripe takes no {code}")
    if code in _PADDED:
        return units * 100
    if code in _WHOLE:
        return units // 100 if units % 100 == 0 else _uneven(code, 100)
    return units if code not in _STEPS_OF_TEN or units % 10 == 0 else _uneven(code, 10)


def from_stripe(amount: int, currency: str) -> Money | None:
    """The money that Stripe's number and currency mean; None where the contract has no word for it."""
    code = currency.upper()
    if code not in EXPONENTS or (code in _PADDED and amount % 100):
        return None
    if code in _PADDED:
        return Money(minor_units=amount // 100, currency_code=code)
    return Money(minor_units=amount * 100 if code in _WHOLE else amount, currency_code=code)


def _uneven(code: str, step: int) -> Declined:
    return Declined("AMOUNT_NOT_SUPPORTED", f"amount.minor_units: Stripe takes {code} in steps of {step}")
