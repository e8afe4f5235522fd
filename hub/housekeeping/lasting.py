"""For how long something has been so without a break, as far as this process has seen. Pure."""

from collections.abc import Iterable, Mapping


class Lasting:
    """A new process begins anew: what came before it may have been otherwise in between."""

    def __init__(self) -> None:
        self._since: dict[str, float] = {}

    def seen(self, keys: Iterable[str], now: float) -> Mapping[str, float]:
        """Takes what is so now, in monotonic seconds; for how many seconds each has been so."""
        self._since = {key: self._since.get(key, now) for key in keys}
        return {key: now - since for key, since in self._since.items()}
