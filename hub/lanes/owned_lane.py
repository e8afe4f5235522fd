"""A lane at work: its claims, its settlements and its relay, each in its own loop, under one term."""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass

from hub.clock import Clock
from hub.jobs.ports import Post
from hub.jobs.spec import Limits
from hub.lanes.dispatch import Tools
from hub.lanes.lane import Lane
from hub.lanes.ports import AuditLog, Grant, HeldEvents, LaneStore, Notary, Settled, Settlement, Spokes
from hub.lanes.relay import Relay
from mesh.batcher import Batcher
from mesh.duty import DutyLoop

SETTLE_BATCH = 256
LINGER_SECONDS = 0.004


@dataclass(frozen=True, slots=True)
class Ports:
    """What every lane of this replica shares."""

    store: LaneStore
    events: HeldEvents
    notary: Notary
    log: AuditLog
    spokes: Spokes
    clock: Clock
    draw: Callable[[], float]
    post: Post
    gone: Callable[[], None] = lambda: None
    """Says that a lane needs a new term."""


class LaneLoops:
    """One owned lane. Hints wake its claims and its relay."""

    def __init__(self, lane: str, *, grant: Grant, limits: Limits, ports: Ports) -> None:
        self.term = term = grant.term
        self._settlements = Batcher[Settlement, Settled](
            lambda batch: ports.store.settle(lane, term, batch),
            max_items=SETTLE_BATCH,
            max_queue=100_000,
            linger_seconds=LINGER_SECONDS,
        )
        tools = Tools(
            settle=self._settle,
            events=ports.events,
            notary=ports.notary,
            log=ports.log,
            spokes=ports.spokes,
            clock=ports.clock,
            draw=ports.draw,
            post=ports.post,
        )
        self._lane = Lane(lane, grant=grant, limits=limits, store=ports.store, tools=tools)
        self._claims = DutyLoop(self._lane)
        self._lane.hint = self._claims.hint
        self._lane.gone = ports.gone
        relay = Relay(lane, store=ports.store, log=ports.log)
        self._relay = DutyLoop(relay)
        self._tasks = [asyncio.create_task(loop.run()) for loop in (self._claims, self._relay)]

    @property
    def failed(self) -> bool:
        """True once the lane cannot go on under this term."""
        return self._lane.failed

    def adjust(self, grant: Grant) -> None:
        """Follows the store's clock, and an operator who has moved the breaker."""
        self._lane.adjust(grant)

    def hint_claims(self) -> None:
        """Says that a job may be due."""
        self._claims.hint()

    def hint_relay(self) -> None:
        """Says that a statement may be waiting."""
        self._relay.hint()

    async def stop(self) -> None:
        """Drops everything at once; what was under way is adopted under the next term."""
        self._lane.abandon()
        await self._end_loops()

    async def drain(self) -> None:
        """Finishes the attempts under way; statements left behind wait in the outbox."""
        await self._lane.drain()
        await self._settlements.close()
        await self._end_loops()

    async def _settle(self, settlement: Settlement) -> Settled:
        settled = await self._settlements.submit(settlement)
        self._relay.hint()
        return settled

    async def _end_loops(self) -> None:
        for task in self._tasks:
            task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.gather(*self._tasks)
