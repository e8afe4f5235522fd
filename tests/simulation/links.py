"""A hub's connections: to its store and to the spoke. What is lost here is lost as on a network."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import timedelta
from typing import TypeVar

from hub.housekeeping.concerns import LaneAtWork
from hub.jobs.model import Claimed, JobState
from hub.jobs.spec import Limits, OperationSpec
from hub.lanes.breaker import Breaker
from hub.lanes.ports import (
    Grant,
    Orphan,
    Report,
    Result,
    Settled,
    Settlement,
    SpokeUnavailable,
    Statement,
    Survey,
    Warranted,
)
from tests.simulation.house import MemoryHouse
from tests.simulation.late import end_of
from tests.simulation.loop import NOBODY
from tests.simulation.offering import Directory
from tests.simulation.spoke import Stream
from tests.simulation.wire import Wire
from tests.simulation.world import World

T = TypeVar("T")
GRACE_SECONDS = 15.0


class StoreUnavailable(Exception):
    """The database does not answer, or the connection died: whatever was asked may have been done."""


class StoreLink:
    """Serves `LaneStore`, `LaneLeases` and `HeldEvents` over a connection that can die."""

    def __init__(self, world: World, wire: Wire) -> None:
        self._world = world
        self._wire = wire
        self._store = world.store
        self._house = MemoryHouse(world.store)
        self.down_until = 0.0

    async def claim(
        self,
        lane: str,
        term: int,
        limit: int,
        intents: Callable[[Sequence[Claimed]], list[bytes]],
        *,
        served: Sequence[str] = (),
        trial: bool = False,
    ) -> list[Orphan]:
        """Claims, and shows the watch what began."""
        asked_at = self._world.loop.time()

        def claim() -> list[Orphan]:
            waiting = self._tenants(lane)
            orphans = self._store.claim(lane, term, limit, intents, served, trial=trial)
            if orphans:
                self._world.watch.claimed(term, orphans, asked_at)
                claimed = [orphan.claimed for orphan in orphans]
                self._world.watch.turns.claimed(term, claimed, waiting, self._tenants(lane), trial=trial)
            return orphans

        return await self._ask(claim, "claim_reply_lost")

    async def adopt(self, lane: str, term: int) -> list[Orphan]:
        """Adopts."""
        return await self._ask(lambda: self._store.adopt(lane, term), "adopt_reply_lost")

    async def settle(self, lane: str, term: int, settlements: Sequence[Settlement]) -> list[Settled]:
        """Settles, and shows the watch what the owner had learnt."""
        self._world.watch.concluded(term, settlements)

        def settle() -> list[Settled]:
            watch, seqs = self._world.watch, {s.job_id: self._store.seq(s.job_id) for s in settlements}
            watch.settling(lane, term, settlements)
            settled = self._store.settle(lane, term, settlements)
            watch.settled(term, [s for s in settlements if s.seq != seqs[s.job_id]])
            return settled

        return await self._ask(settle, "settle_reply_lost")

    async def expire(self, limit: int) -> list[str]:
        """Expires; worlds are small, and all that is late fits."""
        return await self._ask(self._store.expire)

    async def next_expiry(self) -> float | None:
        """Reads."""
        return await self._ask(self._store.next_expiry)

    async def save_breaker(
        self, lane: str, term: int, breaker: Breaker, *, orders: int, seconds: float
    ) -> None:
        """Writes the breaker down."""
        await self._ask(lambda: self._store.save_breaker(lane, term, breaker, orders=orders, seconds=seconds))

    async def save_throttle(self, lane: str, term: int, seconds: float, *, orders: int) -> None:
        """Writes the provider's wait down."""
        await self._ask(lambda: self._store.save_throttle(lane, term, seconds, orders=orders))

    async def next_due(self, lane: str) -> float | None:
        """Reads."""
        return await self._ask(lambda: self._store.next_due(lane))

    async def read_outbox(self, lane: str, limit: int) -> list[Statement]:
        """Reads."""
        return await self._ask(lambda: self._store.read_outbox(lane, limit))

    async def clear_outbox(self, done: Sequence[str], refused: Mapping[str, str]) -> None:
        """Clears."""
        await self._ask(lambda: self._store.clear_outbox(done, refused))

    async def survey(self, owner: str, lanes: Sequence[str], lease: timedelta) -> Survey:
        """Says that a hub lives, and asks how things stand."""
        return await self._ask(lambda: self._store.survey(owner, lanes, lease))

    async def acquire(self, owner: str, lanes: Sequence[str], lease: timedelta) -> Mapping[str, Grant]:
        """Renews and takes."""

        def acquire() -> Mapping[str, Grant]:
            granted = self._store.acquire(owner, lanes, lease)
            for lane, grant in granted.items():
                self._world.watch.granted(owner, lane, grant.term)
            return granted

        return await self._ask(acquire)

    async def release(self, owner: str, lanes: Sequence[str]) -> None:
        """Gives up."""
        await self._ask(lambda: self._store.release(owner, lanes))

    async def retire(self, owner: str) -> None:
        """Goes."""
        await self._ask(lambda: self._store.retire(owner))

    async def apply(self, job_id: str) -> bool:
        """Lets held events settle a job."""

        def apply() -> bool:
            before = end_of(self._store.get(job_id))
            ended = self._world.events.apply(job_id)
            if before is not None and before != end_of(self._store.get(job_id)):
                self._world.watch.wrong("contradictions", job_id, "an event has changed its end")
            return ended

        return await self._ask(apply, "apply_reply_lost")

    async def held_jobs(self) -> list[tuple[str, str]]:
        """Reads."""
        return await self._ask(self._world.events.held_jobs)

    async def lanes(self) -> list[LaneAtWork]:
        """Reads."""
        return await self._ask(self._house.lanes)

    async def park_doubts(self, lane: str, term: int, limit: int, beyond: timedelta) -> list[str]:
        """Parks."""
        return await self._ask(lambda: self._house.park_doubts(lane, term, limit, beyond))

    async def ask(self, answer: Callable[[], T]) -> T:
        """One commit of another kind."""
        return await self._ask(answer)

    def _tenants(self, lane: str) -> set[str]:
        return {row.new.tenant for row in self._store.due(lane) if row.state is not JobState.IN_DOUBT}

    async def _ask(self, answer: Callable[[], T], lost: str = "store_reply_lost") -> T:
        slow = self._world.net.uniform(0.1, 1.0) if self._world.faults.strikes("store_slow") else 0.0
        return await self._wire.ask(answer, lambda: self._fate(lost), extra=slow)

    def _fate(self, lost: str) -> tuple[Exception | None, bool]:
        if self._world.loop.time() < self.down_until or self._world.faults.strikes("store_refuses"):
            return StoreUnavailable("down"), False
        died = self._world.faults.strikes(lost)
        return (StoreUnavailable("connection died") if died else None), True


class SpokeLink:
    """Serves `Spokes` over streams that can be cut."""

    def __init__(self, world: World, wire: Wire, directory: Directory) -> None:
        self._world = world
        self._wire = wire
        self._directory = directory

    def is_ready(self, provider: str) -> bool:
        """Whether the spoke is up."""
        return self._world.spoke.is_up

    def spec(self, provider: str, operation: str) -> OperationSpec:
        """What the manifest says."""
        return self._directory.spec(operation)

    def limits(self, lane: str) -> Limits | None:
        """Always the same."""
        return None

    async def perform(
        self, lane: str, term: int, attempts: Sequence[Warranted]
    ) -> AsyncIterator[list[Result]]:
        """Sends a batch and yields what comes back."""
        world = self._world
        stream = Stream(world, attempts, term=term)
        self._send(stream)
        longest = max(a.timeout for a in attempts).total_seconds() + GRACE_SECONDS
        deadline = world.loop.call_later(longest, stream.cut, context=NOBODY)
        try:
            for _ in attempts:
                result = await stream.answers.get()
                if result is None:
                    self._directory.missed()
                    raise SpokeUnavailable("cut")
                world.watch.heard(result)
                yield [result]
        finally:
            deadline.cancel()

    async def fence(self, lane: str, term: int, attempts: Sequence[Claimed]) -> list[Report]:
        """Closes the lane to older owners and asks about their attempts."""
        claims = [(a.attempt_id, a.claimed_at) for a in attempts]
        reports = await self._wire.ask(lambda: self._world.spoke.fence(term, claims), self._fence_fate)
        for report in reports:
            if report.result is not None:
                self._world.watch.heard(report.result)
        return reports

    def _send(self, stream: Stream) -> None:
        world = self._world
        delay = world.latency()
        if world.faults.strikes("execute_late"):
            world.loop.later(world.net.uniform(0.0, 0.5), stream.cut)
            delay = world.net.uniform(0.1, 4.0)
        elif world.faults.strikes("stream_cut"):
            world.loop.later(world.net.uniform(0.0, 2.0), stream.cut)
        world.loop.later(delay, world.spoke.receive, stream)

    def _fence_fate(self) -> tuple[Exception | None, bool]:
        if not self._world.spoke.is_up:
            self._directory.missed()
            return SpokeUnavailable("down"), False
        lost = self._world.faults.strikes("fence_lost")
        return (SpokeUnavailable("reply lost") if lost else None), True
