"""The memory of answers has bounds."""

from datetime import timedelta

from hub.reads.cache import OVERHEAD_BYTES, Cache, Question
from hub.reads.model import Answer

HOUR = timedelta(hours=1)


def question(number: int) -> Question:
    """One of many."""
    return Question("acme", "echo/default", bytes([number]))


def test_it_keeps_so_many_answers_and_forgets_the_one_that_nobody_has_asked_for_longest() -> None:
    cache = Cache(most=2)
    for number in (1, 2):
        cache.put(question(number), Answer(str(number), "T", b""), 0.0)
    assert cache.get(question(1), 1.0, HOUR)
    cache.put(question(3), Answer("3", "T", b""), 1.0)
    assert [bool(cache.get(question(n), 1.0, HOUR)) for n in (1, 2, 3)] == [True, False, True]


def test_it_keeps_so_many_bytes_and_counts_none_twice() -> None:
    cache = Cache(most_bytes=2 * (OVERHEAD_BYTES + 100))
    for _ in range(5):
        cache.put(question(1), Answer("1", "T", b"x" * 100), 0.0)
    cache.put(question(2), Answer("2", "T", b"x" * 100), 0.0)
    assert [bool(cache.get(question(n), 0.0, HOUR)) for n in (1, 2)] == [True, True]
    cache.put(question(3), Answer("3", "T", b"x" * 100), 0.0)
    assert cache.get(question(1), 0.0, HOUR) is None
