"""Which lanes this replica owns: renews its own, takes its share, gives away the rest, drops what it lost."""

import asyncio
import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import timedelta
from typing import Protocol

from hub.lanes.ports import Grant, LaneLeases, Survey
from hub.lanes.sharing import homes

LEASE = timedelta(seconds=6)
RENEW_SECONDS = 2.0
STABLE_SECONDS = 2 * RENEW_SECONDS
"""For how long a lane has been another's share before it is given away."""

LAPSE_SLACK_SECONDS = 0.02

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
        self._draining = self._retired = False
        self._round = asyncio.Lock()
        self._strange_since: dict[str, float] = {}
        self._leaving: dict[str, asyncio.Task[None]] = {}

    async def run_once(self) -> float | None:
        """Renews and takes leases, and makes what runs agree with what is owned."""
        async with self._round:
            return None if self._retired else await self._go_round()

    async def _go_round(self) -> float:
        lanes = [] if self._draining else self._lanes()
        offered = self._running.keys() if self._draining else set(lanes)
        ending = [lane for lane, running in self._running.items() if running.failed or lane not in offered]
        if ending:
            # Whoever has one next, also this replica, has a new term, and takes over what was under way.
            await self._leases.release(self._owner, ending)
        survey = await self._leases.survey(self._owner, lanes, LEASE)
        share = self._share(survey, lanes)
        wanted = {*(self._running if self._draining else set(lanes) & self._running.keys()), *share}
        owned = await self._leases.acquire(self._owner, sorted(wanted), LEASE) if wanted else {}
        await self._follow(owned)
        self._give_away(set() if self._draining else owned.keys() - share)
        return _wait(survey.lapses, has_share=owned.keys() >= share)

    async def drain(self) -> None:
        """Finishes what is under way, then gives the lanes up."""
        self._draining = True
        staying = [running for lane, running in self._running.items() if lane not in self._leaving]
        await asyncio.gather(*(running.drain() for running in staying), *self._leaving.values())
        async with self._round:
            # No round is under way, and none begins, that could take back what is given up here.
            self._retired = True
            await self._leases.retire(self._owner)
            self._running.clear()

    def running(self, lane: str) -> RunningLane | None:
        """The lane, if this replica runs it."""
        return self._running.get(lane)

    def _share(self, survey: Survey, lanes: Sequence[str]) -> set[str]:
        home = homes({**survey.offers, self._owner: lanes}, survey.owners)
        return {lane for lane, replica in home.items() if replica == self._owner}

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

    def _give_away(self, strange: Collection[str]) -> None:
        """Lets go of what has been another's share for a while: a replica that comes may go at once."""
        loop = asyncio.get_running_loop()
        now = loop.time()
        self._strange_since = {lane: self._strange_since.get(lane, now) for lane in strange}
        for lane, since in self._strange_since.items():
            if now - since >= STABLE_SECONDS and lane not in self._leaving:
                self._leaving[lane] = loop.create_task(self._leave(lane))

    async def _leave(self, lane: str) -> None:
        """Finishes what is under way in a lane, then lets its home have it."""
        running = self._running[lane]
        try:
            await running.drain()
            async with self._round:
                if self._running.get(lane) is running:
                    del self._running[lane]
                    await self._leases.release(self._owner, [lane])
                    _log.info("lane given away", extra={"lane": lane, "term": running.term})
        except Exception:  # noqa: BLE001 - its lease is not renewed any more, and runs out
            _log.exception("lane not given away in good order", extra={"lane": lane, "term": running.term})
        finally:
            if self._running.get(lane) is running:
                del self._running[lane]
            del self._leaving[lane]


def _wait(lapses: float | None, *, has_share: bool) -> float:
    """Seconds until the next round: what is not owned yet may fall free at any time, and what lapses then."""
    usual = RENEW_SECONDS if has_share else RENEW_SECONDS / 4
    return usual if lapses is None else min(usual, lapses + LAPSE_SLACK_SECONDS)
