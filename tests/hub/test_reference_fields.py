"""Which fields of the contracts name earlier work."""

from collections.abc import Sequence
from typing import Any

from hub.plans.inverses import Contracts
from integration.common.v1 import operation_pb2
from mesh.authorization import is_capability, services

REFERENCE: Any = operation_pb2.provider_reference


def referring() -> Sequence[tuple[str, str]]:
    """The operations, with the fields that are marked."""
    return [
        (method.name, field.name)
        for service in services()
        if is_capability(service)
        for method in service.methods
        for field in method.input_type.fields
        if field.GetOptions().Extensions[REFERENCE]
    ]


def test_the_contract_marks_what_names_earlier_work() -> None:
    assert sorted(referring()) == [
        ("Capture", "payment_id"),
        ("GetPayment", "payment_id"),
        ("Refund", "payment_id"),
        ("Void", "payment_id"),
    ]


def test_what_takes_the_reference_of_an_undone_job_is_marked() -> None:
    contracts = Contracts(lambda provider, operation: False)
    for service in services():
        for method in service.methods if is_capability(service) else ():
            if contracts.has_inverse(operation := f"{service.full_name}/{method.name}"):
                undoing, field, _ = contracts.inverse(operation)
                assert (undoing.rpartition("/")[2], field) in referring()
