"""The events of all tenants, read once by each replica and passed on to those who follow them here."""

import asyncio
from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import groupby
from typing import Protocol

from hub.jobs.board import Board, wait_for
from hub.jobs.model import Event, Head

POLL_SECONDS = 1.0
GATHER_SECONDS = 0.02
BATCH = 1000
MOST_WAITING = 2000
"""How many events are kept for a follower that is slow; then it reads for itself."""


class EventLog(Protocol):
    """The store of events, as far as the feed needs it."""

    async def number(self, limit: int) -> int:
        """Gives committed events their cursors; how many."""
        ...

    async def head(self) -> Head:
        """The newest cursor."""
        ...

    async def all_after(self, cursor: int, limit: int) -> list[Event]:
        """Events of all tenants after a cursor, in order."""
        ...


class Follower:
    """Who follows a tenant's events, or those of one of its jobs, from `start` on."""

    def __init__(self, start: int, job_id: str) -> None:
        self.start = start
        self.is_behind = False
        self._job_id = job_id
        self._waiting: deque[Event] = deque()
        self._awake = asyncio.Event()

    def give(self, events: Sequence[Event]) -> None:
        """Passes events on, unless too many wait already."""
        wanted = [e for e in events if not self._job_id or e.job.job_id == self._job_id]
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

    async def take(self, limit: int) -> list[Event]:
        """Up to `limit` events, as soon as there are any or it is woken."""
        if not self._waiting and not self.is_behind:
            self._awake.clear()
            await self._awake.wait()
        return [self._waiting.popleft() for _ in range(min(limit, len(self._waiting)))]


class Feed:
    """The duty that numbers events and reads on, once for everybody. `wake` wakes the loop that runs it."""

    name = "event feed"

    def __init__(self, log: EventLog, board: Board, *, draining: asyncio.Event) -> None:
        self._log = log
        self._board = board
        self._draining = draining
        self._followers: defaultdict[str, set[Follower]] = defaultdict(set)
        self._position = 0
        self.wake: Callable[[], None] = lambda: None

    @contextmanager
    def followed(self, tenant: str, *, newest: int, job_id: str = "") -> Iterator[Follower]:
        """Somebody who gets all that comes after their `start`; `newest` is a cursor that there is."""
        if not self._followers:
            self._position = max(self._position, newest)
            self.wake()
        follower = Follower(self._position, job_id)
        self._followers[tenant].add(follower)
        try:
            yield follower
        finally:
            self._followers[tenant].discard(follower)
            if not self._followers[tenant]:
                del self._followers[tenant]

    async def run_once(self) -> float | None:
        """Numbers what is new and passes it on; waits for more while somebody follows."""
        news = self._board.news()
        while await self._log.number(BATCH) == BATCH:
            pass
        if not self._followers:
            return POLL_SECONDS
        events = await self._log.all_after(self._position, BATCH)
        self._pass_on(events)
        if self._draining.is_set():
            self._wake_all()
        if len(events) < BATCH and await wait_for(news, POLL_SECONDS):
            # Lets the commits of the same few milliseconds arrive in one read.
            await asyncio.sleep(GATHER_SECONDS)
        return 0

    def _pass_on(self, events: Sequence[Event]) -> None:
        if not events:
            return
        self._position = events[-1].cursor
        for tenant, some in groupby(sorted(events, key=lambda e: e.job.tenant), key=lambda e: e.job.tenant):
            theirs = list(some)
            for follower in self._followers.get(tenant, ()):
                follower.give(theirs)

    def _wake_all(self) -> None:
        for followers in self._followers.values():
            for follower in followers:
                follower.wake()
