"""JSON and base64 in their one form, as signed statements have them."""

import base64
import json
import re
import unicodedata
from typing import Any

from audit_service.offline.zipped import Invalid

MAX_INTEGER, MAX_DEPTH = 2**53 - 1, 8


def read_json(file: str, data: bytes) -> dict[str, Any]:
    """Returns the object; Invalid unless it is in the one canonical form."""
    try:
        value = json.loads(data.decode())
        _check_profile(value, MAX_DEPTH)
        again = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise Invalid(file, f"not JSON of the profile ({str(error)[:80]})") from error
    if not isinstance(value, dict) or again != data:
        raise Invalid(file, "JSON not in canonical form")
    return value


def _check_profile(value: Any, depth: int) -> None:
    if isinstance(value, dict | list):
        if depth == 0:
            raise ValueError("nested too deep")
        # payloadType is the one name that the envelope's format prescribes.
        if isinstance(value, dict) and not all(re.fullmatch("[a-z0-9_]+|payloadType", key) for key in value):
            raise ValueError("a key beyond [a-z0-9_]+")
        for inner in value.values() if isinstance(value, dict) else value:
            _check_profile(inner, depth - 1)
    elif isinstance(value, str):
        controls = any(unicodedata.category(character) in ("Cc", "Cs") for character in value)
        if controls or unicodedata.normalize("NFC", value) != value:
            raise ValueError("a text with control characters, or not in NFC")
    elif not isinstance(value, int) or abs(value) > MAX_INTEGER:
        raise ValueError("null, a fraction, or an integer beyond 2^53-1")


def unbase64(file: str, text: Any) -> bytes:
    """Returns the bytes; Invalid unless the text is their one form."""
    try:
        data = base64.b64decode(text, validate=True)
    except (ValueError, TypeError) as error:
        raise Invalid(file, "not base64") from error
    if base64.b64encode(data).decode() != text:
        raise Invalid(file, "base64 not in its one form")
    return data
