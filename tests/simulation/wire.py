"""A question to another machine: it may not arrive, and its answer may not come back."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

from tests.simulation.world import World

T = TypeVar("T")

Fate = Callable[[], tuple[Exception | None, bool]]
"""What the asker gets instead of the answer, and whether the question is answered all the same."""


class Wire:
    """Carries questions. What has left does its work even if its sender is gone or stands still."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def ask(self, answer: Callable[[], T], fate: Fate, *, extra: float = 0.0) -> T:
        """The answer, or what fate raises."""
        reply: asyncio.Future[T] = self._world.loop.create_future()
        self._world.loop.later(self._world.latency() + extra, self._arrive, answer, fate, reply)
        return await reply

    def _arrive(self, answer: Callable[[], T], fate: Fate, reply: "asyncio.Future[T]") -> None:
        problem, answers = fate()
        said: T | Exception
        try:
            said = answer() if answers else RuntimeError("never answered")
        except Exception as error:  # noqa: BLE001 - the asker's to handle
            said = error
        self._world.loop.later(self._world.latency(), _return, reply, problem or said)


def _return(reply: "asyncio.Future[T]", said: T | Exception) -> None:
    if reply.done():
        return
    if isinstance(said, Exception):
        reply.set_exception(said)
    else:
        reply.set_result(said)
