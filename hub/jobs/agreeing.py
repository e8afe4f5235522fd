"""Whether an event speaks of what a job asked for. Pure."""

from collections.abc import Mapping, Set
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Task:
    """A job as the store has it, as far as an event can contradict it."""

    operation: str
    provider_reference: str
    request_type: str
    request: bytes


@dataclass(frozen=True, slots=True)
class Sum:
    """An amount of money."""

    minor_units: int
    currency: str


@dataclass(frozen=True, slots=True)
class Asked:
    """What a job asked for; `reference` is the provider's id of it, empty while that is not known."""

    operation: str
    amount: Sum | None = None
    reference: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Named:
    """What an event names: the operations that it can speak of, the money, the provider's id, and fields of
    the request."""

    operations: Set[str] = frozenset()
    amount: Sum | None = None
    reference: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Compared:
    """An event beside its job: the first thing that it names otherwise, None: it agrees; and both sums."""

    differs: str | None = None
    asked: Sum | None = None
    named: Sum | None = None


def mismatch(asked: Asked, named: Named) -> str | None:
    """The first thing that an event names otherwise than it was asked for; None: it agrees.

    An event that names no operation, or of money asked for no amount, agrees with nothing.
    """
    if asked.operation not in named.operations:
        return "operation"
    if asked.reference and named.reference and asked.reference != named.reference:
        return "provider_reference"
    if asked.amount is not None and asked.amount != named.amount:
        return "amount"
    return next((n for n, value in named.fields.items() if asked.fields.get(n, value) != value), None)
