"""The capabilities, read from their contracts: which operations, which messages."""

import importlib
import pkgutil
from dataclasses import dataclass
from functools import cache
from typing import Any, cast

from google.protobuf import message_factory
from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from google.protobuf.message import Message

import integration
from integration.common.v1 import operation_pb2
from spokes.kit.errors import UnknownCapability


@dataclass(frozen=True, slots=True)
class Operation:
    """One RPC of a capability. `result` is the message that its response holds beside the job or the read."""

    name: str
    rpc: str
    request: type[Message]
    result: type[Message]
    safety: int
    confirmed_later: bool

    @property
    def is_read(self) -> bool:
        """Whether it changes nothing at the provider."""
        return self.safety == operation_pb2.SAFETY_READ


@cache
def capabilities() -> tuple[str, ...]:
    """The names of all capabilities there are."""
    names = (module.name for module in pkgutil.iter_modules(integration.__path__))
    return tuple(sorted(name for name in names if _service(name) is not None))


@cache
def operations(capability: str) -> dict[str, Operation]:
    """The operations of a capability by RPC name; raises UnknownCapability."""
    service = _service(capability) if capability in capabilities() else None
    if service is None:
        raise UnknownCapability(f"no capability {capability}; there are {', '.join(capabilities())}")
    return {method.name: _operation(method) for method in service.methods}


def _service(capability: str) -> ServiceDescriptor | None:
    try:
        module = importlib.import_module(f"integration.{capability}.v1.{capability}_service_pb2")
    except ModuleNotFoundError:
        return None
    for service in module.DESCRIPTOR.services_by_name.values():
        if all(m.GetOptions().HasExtension(operation_pb2.operation) for m in service.methods):
            return service  # type: ignore[no-any-return]
    return None


def _declaration(method: MethodDescriptor) -> operation_pb2.Operation:
    extension: Any = operation_pb2.operation  # the stubs of protobuf do not know extensions of options
    return cast(operation_pb2.Operation, method.GetOptions().Extensions[extension])


def _operation(method: MethodDescriptor) -> Operation:
    declared = _declaration(method)
    held = {"job", "read"}
    (result,) = (f.message_type for f in method.output_type.fields if f.message_type and f.name not in held)
    return Operation(
        name=f"{method.containing_service.full_name}/{method.name}",
        rpc=method.name,
        request=message_factory.GetMessageClass(method.input_type),
        result=message_factory.GetMessageClass(result),
        safety=declared.safety,
        confirmed_later=declared.confirmed_later,
    )
