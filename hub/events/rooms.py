"""Room for deliveries, for each provider apart: a slow one fills its own only."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from hub.events.deliveries import Refusal


class Rooms:
    """How many deliveries of each provider are being taken."""

    def __init__(self) -> None:
        self._inside: Counter[str] = Counter()

    @contextmanager
    def enter(self, provider: str, most: int) -> Iterator[None]:
        """Holds a place; raises Refusal if all are held."""
        if self._inside[provider] >= most:
            raise Refusal(503, "busy")
        self._inside[provider] += 1
        try:
            yield
        finally:
            self._inside[provider] -= 1
