"""What may be told of an error: where it broke and its class. Its text only if the error is our own.

A foreign error's text may hold whatever it was at work on: an address with a key in it, a statement's
parameters, a customer's letter.
"""

import sys
import threading
import traceback
from types import TracebackType
from typing import TypeAlias

from mesh.errors import MeshError
from mesh.evidence.errors import EvidenceError
from mesh.failpoints import FailpointError

Trees: TypeAlias = tuple[type[BaseException], ...]
"""The roots of trees of errors whose texts are ours: they name what is wrong and hold no value."""

MESH: Trees = (MeshError, EvidenceError, FailpointError)


def kind(error: BaseException, own: Trees) -> str:
    """What callers branch on, of an error of our own; of a foreign one its class."""
    reason = getattr(error, "reason", None) if isinstance(error, own) else None
    return reason if isinstance(reason, str) else type(error).__name__


def brief(error: BaseException, own: Trees) -> str:
    """The error in one line."""
    name = type(error).__qualname__
    if isinstance(error, own):
        return f"{name}: {error}"
    codes = (getattr(error, "errno", None), getattr(error, "sqlstate", None))
    return ": ".join([name, *(str(code) for code in codes if _is_code(code))])


def whole(error: BaseException | None, own: Trees) -> str:
    """The error and what led to it, each with its places, the first one first."""
    return "\n".join(
        "".join(traceback.format_tb(found.__traceback__)) + brief(found, own) for found in _chain(error)
    )


def tell_crashes(own: Trees) -> None:
    """Lets this process's last words, if an error ends it or one of its threads, say no more than that."""

    def ended(_: type[BaseException], error: BaseException | None, __: TracebackType | None) -> None:
        print(whole(error, own), file=sys.stderr)

    def thread_ended(args: threading.ExceptHookArgs) -> None:
        ended(args.exc_type, args.exc_value, args.exc_traceback)

    sys.excepthook = ended
    threading.excepthook = thread_ended


def _is_code(code: object) -> bool:
    return isinstance(code, int) or (isinstance(code, str) and len(code) == 5 and code.isalnum())


def _chain(error: BaseException | None) -> list[BaseException]:
    found: list[BaseException] = []
    while error is not None and error not in found:
        found.insert(0, error)
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return found
