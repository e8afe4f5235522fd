"""The duty that keeps the counts short: commits add rows to them, so that none waits for another."""

from collections.abc import Awaitable, Callable

FOLD_SECONDS = 2.0


class Folding:
    """`fold` sums the rows of each group up into one."""

    name = "fold counts"

    def __init__(self, fold: Callable[[], Awaitable[None]]) -> None:
        self._fold = fold

    async def run_once(self) -> float | None:
        """Folds once."""
        await self._fold()
        return FOLD_SECONDS
