"""Which lanes this replica owns: takes free ones, renews its own, drops what it lost."""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Protocol

from hub.lanes.ports import Grant, LaneLeases

LEASE = timedelta(seconds=6)
RENEW_SECONDS = 2.0

_log = logging.getLogger(__name__)


class RunningLane(Protocol):
    """A lane at work under one term."""

    @property
    def term(self) -> int:
        """The term it works under."""
        ...

    @property
    def failed(self) -> bool:
        """True once it cannot go on under this term."""
        ...

    def adjust(self, grant: Grant) -> None:
        """Follows what an operator has changed in the store."""
        ...

    async def stop(self) -> None:
        """Drops everything at once."""
        ...

    async def drain(self) -> None:
        """Finishes what is under way and stops."""
        ...


class Ownership:
    """The duty that keeps the leases. `start` makes a lane run under a term."""

    name = "ownership"

    def __init__(
        self,
        owner: str,
        *,
        leases: LaneLeases,
        lanes: Callable[[], Sequence[str]],
        start: Callable[[str, Grant], RunningLane],
    ) -> None:
        self._owner = owner
        self._leases = leases
        self._lanes = lanes
        self._start = start
        self._running: dict[str, RunningLane] = {}
        self._draining = False
        self._seen: frozenset[str] = frozenset()
        self._round = asyncio.Lock()

    async def run_once(self) -> float | None:
        """Renews and takes leases, and makes what runs agree with what is owned."""
        async with self._round:
            return await self._go_round()

    async def _go_round(self) -> float:
        failed = [lane for lane, running in self._running.items() if running.failed]
        if failed:
            await self._leases.release(self._owner, failed)
        lanes = list(self._running) if self._draining else self._lanes()
        owned = await self._leases.acquire(self._owner, lanes, LEASE) if lanes else {}
        await self._follow(owned)
        if len(owned) == len(lanes):
            return RENEW_SECONDS
        # A lane seen for the first time is only written down by the first round; another's may fall free.
        is_new, self._seen = not self._seen.issuperset(lanes), frozenset(lanes)
        return RENEW_SECONDS / 10 if is_new else RENEW_SECONDS / 4

    async def drain(self) -> None:
        """Finishes what is under way, then gives the lanes up."""
        self._draining = True
        await asyncio.gather(*(running.drain() for running in self._running.values()))
        async with self._round:
            # No round is under way that could take back what is given up here.
            await self._leases.release(self._owner, list(self._running))
            self._running.clear()

    def running(self, lane: str) -> RunningLane | None:
        """The lane, if this replica runs it."""
        return self._running.get(lane)

    async def _follow(self, owned: Mapping[str, Grant]) -> None:
        for lane, running in list(self._running.items()):
            if lane not in owned or owned[lane].term != running.term:
                _log.info("lane given up", extra={"lane": lane, "term": running.term})
                await self._running.pop(lane).stop()
        for lane, grant in owned.items():
            if lane in self._running:
                self._running[lane].adjust(grant)
                continue
            _log.info("lane taken", extra={"lane": lane, "term": grant.term})
            self._running[lane] = self._start(lane, grant)
