"""The rules of `(integration.common.v1.rules)`, compiled once per message into plain functions."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.unknown_fields import UnknownFieldSet

from integration.common.v1 import rules_pb2
from mesh.errors import Violation

Found = Sequence[Violation]
Check = Callable[[Any], Found]
"""Looks at one value; the paths of what it finds are relative to the value, "" being the value."""

_NONE: Found = ()
_NO_RULES = rules_pb2.FieldRules()
_RULES: Any = rules_pb2.rules
_BIDI = "\u202a-\u202e\u2066-\u2069"
_FORBIDDEN = re.compile(f"[\x00-\x1f\x7f-\x9f\u2028\u2029{_BIDI}]")
_FORBIDDEN_IN_LINES = re.compile(f"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f{_BIDI}]")
_SHOWN_KEY = re.compile(r"[A-Za-z0-9._:-]{1,64}")
_DURATION, _TIMESTAMP = "google.protobuf.Duration", "google.protobuf.Timestamp"
_OPAQUE = frozenset({"google.protobuf.Any", "google.protobuf.Struct"})
_MAX_DURATION_SECONDS = 315_576_000_000
_TIMESTAMP_SECONDS = (-62_135_596_800, 253_402_300_799)
_NO_LIMIT = 1 << 62
_NUMBERS = frozenset(
    {FieldDescriptor.CPPTYPE_INT32, FieldDescriptor.CPPTYPE_INT64}
    | {FieldDescriptor.CPPTYPE_UINT32, FieldDescriptor.CPPTYPE_UINT64}
    | {FieldDescriptor.CPPTYPE_DOUBLE, FieldDescriptor.CPPTYPE_FLOAT}
)


def violations(message: Message, *, refuse_unknown: bool = False) -> list[Violation]:
    """Every rule that the message breaks; with `refuse_unknown` also each field outside its schema."""
    found = list(_message_check(message.DESCRIPTOR)(message))
    if refuse_unknown and _has_unknown(message):
        found.extend(_unknown(message))
    return found


@cache
def _message_check(descriptor: Descriptor) -> Check:
    checked = [(field, _container_check(field)) for field in descriptor.fields]
    always = tuple((f.name, check) for f, check in checked if check is not None and not f.has_presence)
    if_set = tuple((f.name, check, _unset(f)) for f, check in checked if f.has_presence)

    def run(message: Message) -> Found:
        found: Found = _NONE
        for name, check in always:
            if part := check(getattr(message, name)):
                found = [*found, *_under(name, part)]
        for name, check_set, unset in if_set:
            if not message.HasField(name):
                if unset:
                    found = [*found, *unset]
            elif check_set is not None and (part := check_set(getattr(message, name))):
                found = [*found, *_under(name, part)]
        return found

    return run


def _rules(field: FieldDescriptor) -> rules_pb2.FieldRules:
    options = field.GetOptions()
    rules: rules_pb2.FieldRules = options.Extensions[_RULES] if options.HasExtension(_RULES) else _NO_RULES
    return rules


def _unset(field: FieldDescriptor) -> Found:
    return _broken("must be set", field=field.name) if _rules(field).required else _NONE


def _container_check(field: FieldDescriptor) -> Check | None:
    rules = _rules(field)
    if not field.is_repeated:
        return _value_check(field, rules)
    return _map_check(field, rules) if _is_map(field) else _list_check(field, rules)


def _list_check(field: FieldDescriptor, rules: rules_pb2.FieldRules) -> Check | None:
    count, check = _length_check(rules, "elements"), _value_check(field, rules.items)
    if check is None:
        return count
    element = check

    def run(values: Any) -> Found:
        if count is not None and (found := count(values)):
            return found
        parts = [(i, part) for i, value in enumerate(values) if (part := element(value))]
        return [v for i, part in parts for v in _under(f"[{i}]", part)] if parts else _NONE

    return run


def _map_check(field: FieldDescriptor, rules: rules_pb2.FieldRules) -> Check | None:
    count = _length_check(rules, "elements")
    check_key = _value_check(_entry_field(field, "key"), rules.keys)
    check_value = _value_check(_entry_field(field, "value"), rules.items)
    if check_key is None and check_value is None:
        return count

    def run(values: Any) -> Found:
        if count is not None and (found := count(values)):
            return found
        parts: list[Violation] = []
        for key, value in values.items():
            if check_key is not None and (found := check_key(key)):
                parts.extend(_under(_at(key), _of_key(found)))
            if check_value is not None and (found := check_value(value)):
                parts.extend(_under(_at(key), found))
        return parts

    return run


def _value_check(field: Any, rules: rules_pb2.FieldRules) -> Check | None:
    """The check of a single value, of a list's element or of a map's key or value."""
    match field.cpp_type:
        case FieldDescriptor.CPPTYPE_MESSAGE:
            return _nested_check(field.message_type, rules)
        case FieldDescriptor.CPPTYPE_ENUM:
            return _enum_check(frozenset(field.enum_type.values_by_number), required=rules.required)
        case FieldDescriptor.CPPTYPE_STRING if field.type == FieldDescriptor.TYPE_STRING:
            return _text_check(rules)
        case FieldDescriptor.CPPTYPE_STRING:
            return _length_check(rules, "bytes")
        case number if number in _NUMBERS:
            return _number_check(rules)
        case _:
            return _truth_check() if rules.required else None


def _nested_check(descriptor: Descriptor, rules: rules_pb2.FieldRules) -> Check | None:
    if descriptor.full_name == _DURATION:
        return _duration_check(rules)
    if descriptor.full_name == _TIMESTAMP:
        return _timestamp_check()
    if descriptor.full_name in _OPAQUE:
        return None
    return lambda value: _message_check(descriptor)(value)  # not compiled yet where types are recursive


def _enum_check(numbers: frozenset[int], *, required: bool) -> Check:
    unknown = _broken("is not a value of its enum")
    zero = _broken("must be set") if required else _NONE

    def run(value: int) -> Found:
        if not value:
            return zero
        return _NONE if value in numbers else unknown

    return run


def _text_check(rules: rules_pb2.FieldRules) -> Check:
    least, most = _bounds(rules)
    empty, unfit_length = _empty(rules, "characters"), _unfit_length(rules, "characters")
    pattern = re.compile(rules.pattern).fullmatch if rules.HasField("pattern") else None
    mismatch = _broken(f"must match {rules.pattern}")
    forbidden = (_FORBIDDEN_IN_LINES if rules.multiline else _FORBIDDEN).search
    unfit = _broken("holds a control character or a bidirectional override")

    def run(value: str) -> Found:
        if not value:
            return empty
        if not value.isprintable() and forbidden(value):
            return unfit
        if not least <= len(value) <= most:
            return unfit_length
        return _NONE if pattern is None or pattern(value) else mismatch

    return run


def _length_check(rules: rules_pb2.FieldRules, unit: str) -> Check | None:
    least, most = _bounds(rules)
    empty, unfit = _empty(rules, unit), _unfit_length(rules, unit)
    if not empty and most == _NO_LIMIT:
        return None

    def run(value: Any) -> Found:
        size = len(value)
        if not size:
            return empty
        return _NONE if least <= size <= most else unfit

    return run


def _bounds(rules: rules_pb2.FieldRules) -> tuple[int, int]:
    return rules.min_len, rules.max_len if rules.HasField("max_len") else _NO_LIMIT


def _unfit_length(rules: rules_pb2.FieldRules, unit: str) -> Found:
    least, most = _bounds(rules)
    return _broken(f"must hold {_between(least or -_NO_LIMIT, most)} {unit}")


def _empty(rules: rules_pb2.FieldRules, unit: str) -> Found:
    if rules.required:
        return _broken("must be set")
    return _unfit_length(rules, unit) if rules.min_len else _NONE


def _number_check(rules: rules_pb2.FieldRules) -> Check | None:
    if not (rules.HasField("gte") or rules.HasField("lte")):
        return _truth_check() if rules.required else None
    least = rules.gte if rules.HasField("gte") else -_NO_LIMIT * 4
    most = rules.lte if rules.HasField("lte") else _NO_LIMIT * 4
    unfit = _broken(f"must be {_between(least, most)}")
    zero = _broken("must be set") if rules.required else _NONE if least <= 0 <= most else unfit

    def run(value: float) -> Found:
        if not value:
            return zero
        return _NONE if least <= value <= most else unfit

    return run


def _truth_check() -> Check:
    unset = _broken("must be set")
    return lambda value: _NONE if value else unset


def _duration_check(rules: rules_pb2.FieldRules) -> Check:
    least = rules.gte_ms if rules.HasField("gte_ms") else -_NO_LIMIT
    most = rules.lte_ms if rules.HasField("lte_ms") else _NO_LIMIT
    unfit = _broken(f"must be {_between(least, most)} milliseconds")
    unreal = _broken("is not a duration")

    def run(value: Any) -> Found:
        seconds, nanos = value.seconds, value.nanos
        one_sign = seconds * nanos >= 0 and -1_000_000_000 < nanos < 1_000_000_000
        if not one_sign or not -_MAX_DURATION_SECONDS <= seconds <= _MAX_DURATION_SECONDS:
            return unreal
        total = seconds * 1_000_000_000 + nanos
        return _NONE if least * 1_000_000 <= total <= most * 1_000_000 else unfit

    return run


def _timestamp_check() -> Check:
    first, last = _TIMESTAMP_SECONDS
    unreal = _broken("is not a moment")

    def run(value: Any) -> Found:
        return _NONE if first <= value.seconds <= last and 0 <= value.nanos < 1_000_000_000 else unreal

    return run


def _between(least: int, most: int) -> str:
    if most >= _NO_LIMIT:
        return f"at least {least}"
    if least <= -_NO_LIMIT:
        return f"at most {most}"
    return f"{least} to {most}" if least != most else f"{most}"


def _broken(description: str, *, field: str = "") -> Found:
    return (Violation(field, description),)


def _of_key(found: Found) -> Found:
    return [Violation(v.field, f"key {v.description}") for v in found]


def _at(key: object) -> str:
    return f"[{key if _SHOWN_KEY.fullmatch(str(key)) else '?'}]"


def _under(name: str, found: Found) -> Found:
    return [Violation(_joined(name, v.field), v.description) for v in found]


def _joined(name: str, field: str) -> str:
    if not field or field.startswith("["):
        return name + field
    return f"{name}.{field}"


def _is_map(field: FieldDescriptor) -> bool:
    return field.message_type is not None and bool(field.message_type.GetOptions().map_entry)


def _entry_field(field: FieldDescriptor, name: str) -> FieldDescriptor:
    assert field.message_type is not None
    return field.message_type.fields_by_name[name]


def _has_unknown(message: Message) -> bool:
    """Cheaper than to look into every part; the walk below finds where it is."""
    known = type(message)()
    known.CopyFrom(message)
    known.DiscardUnknownFields()
    return known.ByteSize() != message.ByteSize()


def _unknown(message: Message) -> list[Violation]:
    strangers: Any = UnknownFieldSet(message)
    found = [Violation(f"{f.field_number}", "is not a field of the schema") for f in strangers]
    for field, value in message.ListFields():
        if field.message_type is None or field.message_type.full_name in _OPAQUE:
            continue
        for name, child in _children(field, value):
            found.extend(_under(name, _unknown(child)))
    return found


def _children(field: FieldDescriptor, value: Any) -> Iterable[tuple[str, Message]]:
    if not field.is_repeated:
        return ((field.name, value),)
    if not _is_map(field):
        return ((f"{field.name}[{i}]", child) for i, child in enumerate(value))
    if _entry_field(field, "value").message_type is None:
        return ()
    pairs: Mapping[object, Message] = value
    return ((f"{field.name}{_at(key)}", child) for key, child in pairs.items())
