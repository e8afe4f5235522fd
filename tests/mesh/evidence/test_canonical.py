"""The canonical profile: the same bytes as RFC 8785, and nothing else."""

import json
import string
from pathlib import Path

import hypothesis.strategies as st
import pytest
import rfc8785
from hypothesis import given, settings

from mesh.evidence.canonical import MAX_PAYLOAD_BYTES, decode, encode
from mesh.evidence.errors import NotCanonical
from tests.mesh.evidence.vectors import files

KEYS = st.text(string.ascii_lowercase + string.digits + "_", min_size=1, max_size=8)
TEXTS = st.text(max_size=20)
SCALARS = TEXTS | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=600, deadline=None)
@given(st.dictionaries(KEYS, VALUES, max_size=6))
def test_what_the_profile_takes_is_rfc_8785_to_the_byte(members: dict[str, object]) -> None:
    try:
        encoded = encode(members)  # type: ignore[arg-type]
    except NotCanonical:
        return
    assert encoded == rfc8785.dumps(members)  # type: ignore[arg-type]
    assert decode(encoded) == members


@settings(deadline=None)
@given(st.dictionaries(KEYS, VALUES, max_size=4), st.integers(0, 3))
def test_any_other_form_of_the_same_object_is_refused(members: dict[str, object], indent: int) -> None:
    other = json.dumps(members, indent=indent).encode()
    try:
        canonical = encode(members)  # type: ignore[arg-type]
    except NotCanonical:
        canonical = b""
    if other != canonical:
        with pytest.raises(NotCanonical):
            decode(other)


@pytest.mark.parametrize(
    "members",
    [
        {"a": None},
        {"a": 1.0},
        {"a": 2**53},
        {"a": -(2**53)},
        {"A": 1},
        {"": 1},
        {"a-b": 1},
        {"ä": 1},
        {"a": "tab\t"},
        {"a": "\x7f"},
        {"a": "\u0085"},
        {"a": "e\u0301"},
        {"a": "\ud800"},
        {"a": b"bytes"},
        {"a": (1, 2)},
        {"a": "x" * MAX_PAYLOAD_BYTES},
        {1: "a"},
    ],
)
def test_values_beyond_the_profile_are_refused(members: dict[str, object]) -> None:
    with pytest.raises(NotCanonical):
        encode(members)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"[]",
        b'"a"',
        b'{"a":1,"a":1}',
        b'{"a":1,"a":2}',
        b'{"b":1,"a":2}',
        b'{"a": 1}',
        b'{"a":1}\n',
        b'\xef\xbb\xbf{"a":1}',
        b'{"a":-0}',
        b'{"a":1e0}',
        b'{"a":9007199254740993}',
        b'{"a":123456789012345678901234567890}',
        b'{"a":"\\u0061"}',
        b'{"a":"\\/"}',
        b'{"a":"\xff"}',
        b'{"a":NaN}',
        b"[" * 100_000,
    ],
)
def test_bytes_beyond_the_profile_are_refused(payload: bytes) -> None:
    with pytest.raises(NotCanonical):
        decode(payload)


def test_eight_levels_are_the_most() -> None:
    eight = {"a": {"a": {"a": {"a": {"a": {"a": {"a": {"a": 1}}}}}}}}
    assert decode(encode(eight)) == eight  # type: ignore[arg-type]
    with pytest.raises(NotCanonical):
        encode({"a": eight})  # type: ignore[dict-item]


@pytest.mark.parametrize("path", files("jcs/testdata/input/*.json"))
def test_foreign_vectors_agree_or_are_refused(path: Path) -> None:
    expected = (path.parents[1] / "output" / path.name).read_bytes()
    members = json.loads(path.read_bytes())
    assert rfc8785.dumps(members) == expected
    try:
        assert encode(members if isinstance(members, dict) else {"a": members}) == expected
    except NotCanonical:
        with pytest.raises(NotCanonical):
            decode(expected)


def test_an_object_of_the_profile_comes_out_as_in_the_foreign_vectors() -> None:
    assert encode({"peach": "This sorting order", "p_che": "is wrong", "numbers": [333, 1]}) == (
        b'{"numbers":[333,1],"p_che":"is wrong","peach":"This sorting order"}'
    )
