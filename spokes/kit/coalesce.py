"""Many questions in few calls: an exchange takes what is queued and brings back what has finished.

At most two exchanges are under way per actor. One may wait at the actor for answers; as soon as
another arrives with new questions, the waiting one goes home with whatever there is.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, TypeAlias

from spokes.kit.envelope import deadline_of
from spokes.kit.errors import ActorLost

MAX_EXCHANGES: Final = 2
# With several questions open, an answer waits this long for company: a Ray call costs about a millisecond.
LINGER_SECONDS: Final = 0.002
LINGER_FROM: Final = 4

Item: TypeAlias = tuple[int, bytes]
Exchange: TypeAlias = Callable[[Sequence[Item]], Awaitable[Sequence[Item]]]


class Courier:
    """The server's side. `exchange` calls the actor; `freed` is called when answers have come."""

    def __init__(self, exchange: Exchange, *, freed: Callable[[], None]) -> None:
        self._exchange = exchange
        self._freed = freed
        self._outbox: list[Item] = []
        self._open: dict[int, tuple[asyncio.Future[bytes], float]] = {}
        self._calls: set[asyncio.Task[None]] = set()
        self._next = 0
        self.is_lost = False

    @property
    def in_flight(self) -> int:
        """Questions that have no answer yet."""
        return len(self._open)

    def is_overdue(self, now: float) -> bool:
        """Whether any question should have had its answer before `now`, in seconds since 1970."""
        return any(deadline < now for _, deadline in self._open.values())

    def ask(self, question: bytes) -> asyncio.Future[bytes]:
        """Sends a question with the next exchange; the answer is ActorLost if the actor is."""
        answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        if self.is_lost:
            answer.set_exception(ActorLost("the actor is gone"))
            return answer
        self._next += 1
        self._open[self._next] = (answer, deadline_of(question))
        self._outbox.append((self._next, question))
        if len(self._outbox) == 1:
            # Whatever else this turn of the loop asks goes along.
            asyncio.get_running_loop().call_soon(self._send)
        return answer

    def lose(self) -> None:
        """Gives up on the actor: all that it was asked may have been done."""
        self.is_lost = True
        lost, self._open, self._outbox = self._open, {}, []
        for answer, _ in lost.values():
            if not answer.done():
                answer.set_exception(ActorLost("the actor that had the work is gone"))

    def _send(self) -> None:
        waiting = bool(self._outbox) or (bool(self._open) and not self._calls)
        if self.is_lost or not waiting or len(self._calls) >= MAX_EXCHANGES:
            return
        items, self._outbox = self._outbox, []
        call = asyncio.get_running_loop().create_task(self._call(items))
        self._calls.add(call)

    async def _call(self, items: Sequence[Item]) -> None:
        try:
            answers = await self._exchange(items)
        except ActorLost:
            self.lose()
            answers = ()
        this = asyncio.current_task()
        assert this is not None
        self._calls.discard(this)
        for number, reply in answers:
            asked = self._open.pop(number, None)
            if asked is not None and not asked[0].done():
                asked[0].set_result(reply)
        self._send()
        self._freed()


class Desk:
    """The actor's side: works on all questions at once by `work`, which raises nothing."""

    def __init__(self, work: Callable[[bytes], Awaitable[bytes]]) -> None:
        self._work = work
        self._open: dict[int, asyncio.Task[None]] = {}
        self._finished: list[Item] = []
        self._waiter: asyncio.Future[None] | None = None
        self._closing: asyncio.TimerHandle | None = None

    async def exchange(self, items: Sequence[Item]) -> Sequence[Item]:
        """Begins the questions and returns the answers that are there, at least one if any is open."""
        self._send_home()
        for number, question in items:
            self._open[number] = asyncio.create_task(self._answer(number, question))
        if not self._finished and self._open:
            waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiter = waiter
            await waiter
        finished, self._finished = self._finished, []
        return finished

    async def _answer(self, number: int, question: bytes) -> None:
        reply = await self._work(question)
        del self._open[number]
        self._finished.append((number, reply))
        if self._closing is None:
            linger = LINGER_SECONDS if len(self._open) >= LINGER_FROM else 0.0
            self._closing = asyncio.get_running_loop().call_later(linger, self._send_home)

    def _send_home(self) -> None:
        if self._closing is not None:
            self._closing.cancel()
            self._closing = None
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
        self._waiter = None
