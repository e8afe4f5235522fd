"""What a job's request asks for and what an event's outcome names, read by their descriptors and compared."""

from google.protobuf import symbol_database
from google.protobuf.message import DecodeError, Message

from hub.jobs.agreeing import Asked, Compared, Named, Sum, Task, mismatch
from integration.common.v1.money_pb2 import Money
from integration.spoke.v1.outcome_pb2 import Outcome

AMOUNT = "amount"


def compare(task: Task, outcome: bytes) -> Compared:
    """What an event's outcome, as it was kept, names beside what the job asked for."""
    request, theirs = _request(task), named(Outcome.FromString(outcome))
    if request is None:
        return Compared("request", named=theirs.amount)
    ours = asked(task, request)
    return Compared(mismatch(ours, theirs), ours.amount, theirs.amount)


def asked(task: Task, request: Message) -> Asked:
    """What a request of any capability asks for: its money is the field `amount`."""
    descriptor = request.DESCRIPTOR.fields_by_name.get(AMOUNT)
    is_money = descriptor is not None and descriptor.message_type is Money.DESCRIPTOR
    amount = getattr(request, AMOUNT) if is_money and request.HasField(AMOUNT) else None
    return Asked(
        operation=task.operation,
        amount=_sum(amount) if amount is not None else None,
        reference=task.provider_reference,
        fields={field.name: value for field, value in request.ListFields() if isinstance(value, str)},
    )


def named(outcome: Outcome) -> Named:
    """What an event names."""
    subject = outcome.subject
    return Named(
        operations=frozenset(subject.operations),
        amount=_sum(subject.amount) if subject.HasField(AMOUNT) else None,
        reference=outcome.provider_reference,
        fields=dict(subject.request_fields),
    )


def _request(task: Task) -> Message | None:
    """The request as Core sent it; None for one that no contract reads any more."""
    try:
        request: Message = symbol_database.Default().GetSymbol(task.request_type)()
        request.ParseFromString(task.request)
    except (KeyError, DecodeError):
        return None
    return request


def _sum(money: Money) -> Sum:
    return Sum(money.minor_units, money.currency_code)
