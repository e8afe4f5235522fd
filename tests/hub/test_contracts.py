"""What the contracts say of operations, as the hub reads it."""

import pytest

from hub.plans.inverses import Contracts


@pytest.mark.parametrize(
    ("operation", "moves_money"),
    [
        ("integration.payments.v1.PaymentsService/Charge", True),
        ("integration.payments.v1.PaymentsService/GetPayment", False),
        ("integration.messaging.v1.MessagingService/SendEmail", False),
        ("integration.nobody.v1.NobodyService/KnowsThis", True),
    ],
)
def test_what_moves_money_is_read_from_the_contract_and_what_is_not_known_might(
    operation: str, moves_money: bool
) -> None:
    assert Contracts(lambda provider, name: False).moves_money(operation) is moves_money
