"""Group commit: what queues while one flush is under way goes together in the next."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, NamedTuple, TypeVar

from mesh.errors import Closed as Closed
from mesh.errors import Full as Full

T = TypeVar("T")
R = TypeVar("R")

Flush = Callable[[list[T]], Awaitable[Sequence[R | Exception]]]


class _Waiting(NamedTuple, Generic[T, R]):
    item: T
    size: int
    done: asyncio.Future[R]


class Batcher(Generic[T, R]):
    """Hands items to `flush` in batches, one flush at a time, and each result back to its submitter.

    `flush` answers in the order of its items, an exception in the place of an item that failed; if it
    raises, every item of the batch fails. Idle, it flushes at once; an item whose submitter has gone
    before its flush began is dropped. A batch holds at least one item, whatever its size. Within
    `linger_seconds` of the last flush it is busy, and waits that long for company.
    """

    def __init__(
        self,
        flush: Flush[T, R],
        *,
        max_items: int,
        max_queue: int,
        max_bytes: int | None = None,
        size_of: Callable[[T], int] | None = None,
        linger_seconds: float = 0.0,
    ) -> None:
        self._flush = flush
        self._max_items = max_items
        self._max_queue = max_queue
        self._max_bytes = max_bytes
        self._size_of = size_of
        self._linger_seconds = linger_seconds
        self._busy_until = 0.0
        self._queue: deque[_Waiting[T, R]] = deque()
        self._flushing: asyncio.Task[None] | None = None
        self._closed = False

    async def submit(self, item: T) -> R:
        """Returns the item's result; raises Full if the queue is, Closed after `close`."""
        if self._closed:
            raise Closed("no more is taken")
        if len(self._queue) >= self._max_queue:
            raise Full("too much is waiting")
        loop = asyncio.get_running_loop()
        size = self._size_of(item) if self._size_of else 0
        done: asyncio.Future[R] = loop.create_future()
        self._queue.append(_Waiting(item, size, done))
        if self._flushing is None:
            self._flushing = loop.create_task(self._run())
        return await done

    async def close(self) -> None:
        """Takes no more and returns when everything taken has its result."""
        self._closed = True
        if self._flushing is not None:
            await asyncio.shield(self._flushing)

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            while self._queue:
                if loop.time() < self._busy_until and len(self._queue) < self._max_items:
                    await asyncio.sleep(self._linger_seconds)
                await self._settle(self._take())
                self._busy_until = loop.time() + self._linger_seconds
        finally:
            self._flushing = None

    def _take(self) -> list[_Waiting[T, R]]:
        batch: list[_Waiting[T, R]] = []
        size = 0
        while self._queue and len(batch) < self._max_items:
            size += self._queue[0].size
            if batch and self._max_bytes is not None and size > self._max_bytes:
                break
            waiting = self._queue.popleft()
            if waiting.done.done():
                size -= waiting.size
            else:
                batch.append(waiting)
        return batch

    async def _settle(self, batch: list[_Waiting[T, R]]) -> None:
        if not batch:
            return
        try:
            results = await self._flush([waiting.item for waiting in batch])
            if len(results) != len(batch):
                raise RuntimeError(f"flush gave {len(results)} results for {len(batch)} items")
        except BaseException as error:
            _fail(batch, error)
            if not isinstance(error, Exception):
                raise
            return
        for waiting, result in zip(batch, results, strict=True):
            if waiting.done.done():
                continue
            if isinstance(result, Exception):
                waiting.done.set_exception(result)
            else:
                waiting.done.set_result(result)


def _fail(batch: list[_Waiting[T, R]], error: BaseException) -> None:
    for waiting in batch:
        if waiting.done.done():
            continue
        if isinstance(error, asyncio.CancelledError):
            waiting.done.cancel()
        else:
            waiting.done.set_exception(error)
