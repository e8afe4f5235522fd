"""Canonical JSON: RFC 8785 under a profile so strict that sorted keys are all it takes."""

import re
import unicodedata
from collections.abc import Mapping
from functools import lru_cache
from typing import TypeAlias

import orjson

from mesh.evidence.errors import NotCanonical

Value: TypeAlias = "str | int | bool | list[Value] | dict[str, Value]"

MAX_PAYLOAD_BYTES = 16_384
MAX_DEPTH = 8
_MAX_INTEGER = 2**53 - 1
_KEY = re.compile(r"[a-z0-9_]+").fullmatch


def encode(members: Mapping[str, Value], *, max_bytes: int = MAX_PAYLOAD_BYTES) -> bytes:
    """Returns the one JSON form of the object; refuses what the profile does not know.

    Keys are `[a-z0-9_]+`; no null, no float; integers within ±(2^53−1); strings in NFC without
    control characters; at most 8 levels and, unless told, 16,384 bytes.
    """
    _check(members, MAX_DEPTH)
    encoded = orjson.dumps(members, option=orjson.OPT_SORT_KEYS)
    if len(encoded) > max_bytes:
        raise NotCanonical(f"more than {max_bytes} bytes")
    return encoded


def decode(payload: bytes) -> dict[str, Value]:
    """Reads an object and refuses every form of it but the canonical one."""
    if len(payload) > MAX_PAYLOAD_BYTES:
        raise NotCanonical(f"more than {MAX_PAYLOAD_BYTES} bytes")
    try:
        members = orjson.loads(payload)
    except orjson.JSONDecodeError as error:
        raise NotCanonical("not JSON") from error
    if type(members) is not dict:
        raise NotCanonical("not an object")
    if encode(members) != payload:
        raise NotCanonical("not the canonical form")
    return members


def _check(value: object, depth: int) -> None:
    kind = type(value)
    if kind is str:
        _check_text(value)  # type: ignore[arg-type]
    elif kind is dict:
        _check_object(value, depth)  # type: ignore[arg-type]
    elif kind is int:
        _check_integer(value)  # type: ignore[arg-type]
    elif kind is list:
        _check_list(value, depth)  # type: ignore[arg-type]
    elif kind is not bool:
        raise NotCanonical(f"{kind.__name__} has no place in the profile")


def _check_text(text: str) -> None:
    if text.isascii():
        if not text.isprintable():
            raise NotCanonical("control character in a string")
        return
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in text):
        raise NotCanonical("control character or lone surrogate in a string")
    if not unicodedata.is_normalized("NFC", text):
        raise NotCanonical("string not in NFC")


def _check_integer(number: int) -> None:
    if not -_MAX_INTEGER <= number <= _MAX_INTEGER:
        raise NotCanonical("integer beyond 2^53-1")


def _check_object(members: Mapping[str, object], depth: int) -> None:
    if depth == 0:
        raise NotCanonical(f"more than {MAX_DEPTH} levels")
    for key, value in members.items():
        if not _is_key(key):
            raise NotCanonical("key beyond [a-z0-9_]+")
        _check(value, depth - 1)


@lru_cache(maxsize=1_024, typed=True)
def _is_key(key: object) -> bool:
    return type(key) is str and _KEY(key) is not None


def _check_list(items: list[object], depth: int) -> None:
    if depth == 0:
        raise NotCanonical(f"more than {MAX_DEPTH} levels")
    for item in items:
        _check(item, depth - 1)
