"""The operations that can be submitted, from their descriptors."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from google.protobuf import symbol_database
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.json_format import ParseDict, ParseError
from google.protobuf.message import Message

from hubctl.errors import Misused
from mesh.authorization import full_method, is_capability, services


def operations() -> Mapping[str, MethodDescriptor]:
    """Every operation by its short name, for example "payments.charge"."""
    return {
        f"{service.full_name.split('.')[1]}.{method.name.lower()}": method
        for service in services()
        if is_capability(service)
        for method in service.methods
    }


def find(name: str) -> MethodDescriptor:
    """The operation of a short or full name; raises Misused naming the choices."""
    known = operations()
    full = {full_method(m).lstrip("/"): m for m in known.values()}
    method = known.get(name.lower()) or full.get(name)
    if method is None:
        raise Misused(f"there is no operation {name}; there are {', '.join(sorted(known))}")
    return method


def request(
    method: MethodDescriptor, body: str, fields: Iterable[str], context: Mapping[str, Any]
) -> Message:
    """The request from a JSON body, `path=value` fields and the envelope."""
    try:
        members: dict[str, Any] = json.loads(body)
        for field in fields:
            path, _, value = field.partition("=")
            _put(members, path.split("."), value)
        members["context"] = {**members.get("context", {}), **context}
    except (ValueError, TypeError, AttributeError) as error:
        raise Misused("the body is not a JSON object, or a field does not fit into it") from error
    message: Message = symbol_database.Default().GetSymbol(method.input_type.full_name)()
    try:
        return ParseDict(members, message)
    except ParseError as error:
        raise Misused(f"not a {method.input_type.name}: {error}") from error


def response_class(method: MethodDescriptor) -> type[Message]:
    """The class of the operation's response."""
    found: type[Message] = symbol_database.Default().GetSymbol(method.output_type.full_name)
    return found


def _put(members: dict[str, Any], path: list[str], value: str) -> None:
    *folders, leaf = path
    for folder in folders:
        members = members.setdefault(folder, {})
    if leaf.endswith("[]"):
        members.setdefault(leaf[:-2], []).append(value)
    else:
        members[leaf] = value
