"""Answers that may be given again, as long as the spoke's manifest says. No I/O."""

from collections import OrderedDict
from dataclasses import replace
from datetime import timedelta
from typing import NamedTuple

from hub.reads.model import Answer

MOST_ANSWERS = 10_000
MOST_BYTES = 16 << 20
OVERHEAD_BYTES = 512


class Question(NamedTuple):
    """Who asks what, where. `content` is the hash of the operation and all its fields."""

    tenant: str
    lane: str
    content: bytes


class _Kept(NamedTuple):
    answer: Answer
    at: float


class Cache:
    """This replica's memory of answers; the one that has not been asked for longest goes first."""

    def __init__(self, *, most: int = MOST_ANSWERS, most_bytes: int = MOST_BYTES) -> None:
        self._most = most
        self._most_bytes = most_bytes
        self._kept: OrderedDict[Question, _Kept] = OrderedDict()
        self._bytes = 0

    def get(self, question: Question, now: float, longest: timedelta) -> Answer | None:
        """An answer no older than `longest`, which says how old it is."""
        kept = self._kept.get(question)
        if kept is None:
            return None
        age = timedelta(seconds=now - kept.at)
        if age >= longest:
            self._drop(question)
            return None
        self._kept.move_to_end(question)
        return replace(kept.answer, age=age)

    def put(self, question: Question, answer: Answer, now: float) -> None:
        """Keeps an answer that has just been given."""
        self._drop(question)
        self._kept[question] = _Kept(answer, now)
        self._bytes += _size(answer)
        while len(self._kept) > self._most or self._bytes > self._most_bytes:
            self._drop(next(iter(self._kept)))

    def _drop(self, question: Question) -> None:
        if (kept := self._kept.pop(question, None)) is not None:
            self._bytes -= _size(kept.answer)


def _size(answer: Answer) -> int:
    return OVERHEAD_BYTES + len(answer.result)
