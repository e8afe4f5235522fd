"""Attributes that are something else for a while."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

Patch = tuple[Any, str, Any]
"""An object, the name of one of its attributes, and what that is for the time being; an `Over`: made from
what it is just then."""


@dataclass(frozen=True, slots=True)
class Over:
    """Something that goes around what is there."""

    make: Callable[[Any], Any]


@contextlib.contextmanager
def patched(patches: Sequence[Patch]) -> Iterator[None]:
    """Patches for a while; puts everything back."""
    kept = [(owner, name, owner.__dict__[name]) for owner, name, _ in patches]
    try:
        for owner, name, value in patches:
            setattr(owner, name, value.make(getattr(owner, name)) if isinstance(value, Over) else value)
        yield
    finally:
        for owner, name, value in reversed(kept):
            setattr(owner, name, value)
