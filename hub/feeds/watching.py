"""Streams of events: what lies behind is read, what comes is passed on; nothing is skipped for the slow."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, asynccontextmanager
from typing import Generic

from hub.errors import CursorOutOfRange, TooManyStreams
from hub.feeds.feed import BATCH, GATHER_SECONDS, Feed, Follower
from hub.feeds.model import E, Head, Log
from mesh.duty import DutyLoop

EVENTS_PER_MESSAGE = 256
TRIES = 50


class Stream(Generic[E]):
    """One reader's way through the events of a tenant, or of one of its jobs."""

    def __init__(
        self, tenant: str, job_id: str, *, head: Head, cursor: int, log: Log[E], feed: Feed[E]
    ) -> None:
        self.history = head.history
        self.cursor = cursor
        self._tenant = tenant
        self._job_id = job_id
        self._newest = head.cursor
        self._log = log
        self._feed = feed
        self._following = ExitStack()
        self._follower: Follower[E] | None = None

    async def batch(self) -> list[E]:
        """The next events, as soon as there are any; none when it should look whether to go on."""
        follower = self._follower or self._follow()
        if self.cursor < follower.start:
            return await self._catch_up(follower.start)
        events = [e for e in await follower.take(EVENTS_PER_MESSAGE) if e.cursor > self.cursor]
        if follower.is_behind:
            self.close()
        if events:
            self.cursor = self._newest = events[-1].cursor
        return events

    def close(self) -> None:
        """Follows no more."""
        self._follower = None
        self._following.close()

    def _follow(self) -> Follower[E]:
        following = self._feed.followed(self._tenant, newest=self._newest, job_id=self._job_id)
        self._follower = self._following.enter_context(following)
        return self._follower

    async def _catch_up(self, upto: int) -> list[E]:
        events = await self._log.between(
            self._tenant, after=self.cursor, upto=upto, limit=EVENTS_PER_MESSAGE, job_id=self._job_id
        )
        # Where nothing lies behind, it is not looked for again.
        self.cursor = events[-1].cursor if events else upto
        return events


class Watching(Generic[E]):
    """Opens streams, `most` for each tenant."""

    def __init__(self, log: Log[E], feed: Feed[E], *, most: int) -> None:
        self._log = log
        self._feed = feed
        self._most = most
        self._open: Counter[str] = Counter()

    @asynccontextmanager
    async def stream(
        self, tenant: str, *, after: int, history: str = "", job_id: str = ""
    ) -> AsyncIterator[Stream[E]]:
        """A stream of what comes after a cursor, or, if that is negative, of what comes from now on.

        Raises TooManyStreams and CursorOutOfRange.
        """
        if self._open[tenant] >= self._most:
            raise TooManyStreams("the tenant has as many streams open as it may", limit=str(self._most))
        self._open[tenant] += 1
        try:
            head = await self.head(after, history, now=after < 0)
            cursor = head.cursor if after < 0 else after
            stream = Stream[E](tenant, job_id, head=head, cursor=cursor, log=self._log, feed=self._feed)
            try:
                yield stream
            finally:
                stream.close()
        finally:
            self._open[tenant] -= 1

    async def head(self, after: int, history: str, *, now: bool) -> Head:
        """Where events stand; `now`: behind all that is committed. Raises CursorOutOfRange."""
        head = await (self._now() if now else self._log.head())
        if after > head.cursor or history not in {"", head.history}:
            raise CursorOutOfRange(
                "the cursor is not one of this history of events",
                newest_cursor=str(head.cursor),
                history=head.history,
            )
        return head

    async def _now(self) -> Head:
        """The head behind which lies all that was committed before; under a load without end, nearly all."""
        for _ in range(TRIES):
            numbered = await self._log.number(BATCH)
            head = await self._log.head()
            if not head.is_behind:
                break
            await asyncio.sleep(0 if numbered else GATHER_SECONDS)
        return head


def start(
    name: str,
    *,
    fed: Log[E],
    log: Log[E],
    news: Callable[[], asyncio.Event],
    draining: asyncio.Event,
    most: int,
    run: Callable[[DutyLoop], None],
) -> Watching[E]:
    """Streams with the duty behind them, which reads from `fed`; who is behind reads from `log`."""
    feed = Feed(name, fed, news=news, draining=draining)
    feeding = DutyLoop(feed)
    feed.wake = feeding.hint
    run(feeding)
    return Watching(log, feed, most=most)
