"""The events of all tenants, read once by each replica and passed on to those who follow them here."""

import asyncio
from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import groupby
from operator import attrgetter
from typing import Generic

from hub.feeds.model import E, Log
from mesh.duty import pause

POLL_SECONDS = 1.0
GATHER_SECONDS = 0.02
BATCH = 1000
MOST_WAITING = 2000
"""How many events are kept for a follower that is slow; then it reads for itself."""


class Follower(Generic[E]):
    """Who follows a tenant's events, or those of one of its jobs, from `start` on."""

    def __init__(self, start: int, job_id: str) -> None:
        self.start = start
        self.is_behind = False
        self._job_id = job_id
        self._waiting: deque[E] = deque()
        self._awake = asyncio.Event()

    def give(self, events: Sequence[E]) -> None:
        """Passes events on, unless too many wait already."""
        wanted = [e for e in events if not self._job_id or e.job_id == self._job_id]
        if not wanted or self.is_behind:
            return
        if len(self._waiting) + len(wanted) > MOST_WAITING:
            self.is_behind = True
            self._waiting.clear()
        self._waiting.extend([] if self.is_behind else wanted)
        self._awake.set()

    def wake(self) -> None:
        """Lets it look around."""
        self._awake.set()

    async def take(self, limit: int) -> list[E]:
        """Up to `limit` events, as soon as there are any or it is woken."""
        if not self._waiting and not self.is_behind:
            self._awake.clear()
            await self._awake.wait()
        return [self._waiting.popleft() for _ in range(min(limit, len(self._waiting)))]


class Feed(Generic[E]):
    """The duty that numbers events and reads on, once for everybody. `wake` wakes the loop that runs it.

    `news` gives something to await that is set when there may be more; without a hint it looks every second.
    """

    def __init__(
        self, name: str, log: Log[E], *, news: Callable[[], asyncio.Event], draining: asyncio.Event
    ) -> None:
        self.name = name
        self._log = log
        self._news = news
        self._draining = draining
        self._followers: defaultdict[str, set[Follower[E]]] = defaultdict(set)
        self._position = 0
        self.wake: Callable[[], None] = lambda: None

    @contextmanager
    def followed(self, tenant: str, *, newest: int, job_id: str = "") -> Iterator[Follower[E]]:
        """Somebody who gets all that comes after their `start`; `newest` is a cursor that there is."""
        if not self._followers:
            self._position = max(self._position, newest)
            self.wake()
        follower = Follower[E](self._position, job_id)
        self._followers[tenant].add(follower)
        try:
            yield follower
        finally:
            self._followers[tenant].discard(follower)
            if not self._followers[tenant]:
                del self._followers[tenant]

    async def run_once(self) -> float | None:
        """Numbers what is new and passes it on; waits for more while somebody follows."""
        news = self._news()
        while await self._log.number(BATCH) == BATCH:
            pass
        if not self._followers:
            return POLL_SECONDS
        events = await self._log.all_after(self._position, BATCH)
        self._pass_on(events)
        if self._draining.is_set():
            self._wake_all()
        if len(events) < BATCH:
            await pause(news, POLL_SECONDS)
            if news.is_set():
                # Lets the commits of the same few milliseconds arrive in one read.
                await asyncio.sleep(GATHER_SECONDS)
        return 0

    def _pass_on(self, events: Sequence[E]) -> None:
        if not events:
            return
        self._position = events[-1].cursor
        tenant_of = attrgetter("tenant")
        for tenant, some in groupby(sorted(events, key=tenant_of), key=tenant_of):
            theirs = list(some)
            for follower in self._followers.get(tenant, ()):
                follower.give(theirs)

    def _wake_all(self) -> None:
        for followers in self._followers.values():
            for follower in followers:
                follower.wake()
