"""A provider's Retry-After for a whole lane outlives the owner that heard it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from hub.jobs.outcome import NotSent, NotSentCause
from hub.jobs.spec import Limits
from hub.jobs.store import PostgresJobStore
from hub.lanes.dispatch import Tools
from hub.lanes.lane import THROTTLE_SLACK_SECONDS, Lane
from hub.lanes.ports import Grant, Result, Settled, Settlement, Warranted
from hub.lanes.store import PostgresLaneLeases, PostgresLaneStore
from tests.fakes import FakeLog, FakeNotary, FakeSpokes, HandClock, NoEvents
from tests.hub.jobs import new_job

LANE = "echo/default"
LONG_FROM_NOW = datetime(2900, 1, 1, tzinfo=UTC)
"""So that what waits is not tried again within the test."""


def throttled(seconds: float) -> NotSent:
    """The provider wants nothing for so long."""
    return NotSent(NotSentCause.THROTTLED, "THROTTLED", "", timedelta(seconds=seconds))


class Noted(PostgresLaneStore):
    """The store, and what it was asked to write down of the provider's waits."""

    def __init__(self, engine: AsyncEngine) -> None:
        super().__init__(engine)
        self.waits: list[float] = []

    async def save_throttle(self, lane: str, term: int, seconds: float, *, orders: int) -> None:
        """Writes it down, and notes it."""
        self.waits.append(seconds)
        await super().save_throttle(lane, term, seconds, orders=orders)


async def nothing() -> None:
    """Nothing happens."""


class SlowSpokes(FakeSpokes):
    """Answers each attempt a tenth of a second after the one before; `between` is what happens meanwhile."""

    def __init__(self, clock: HandClock) -> None:
        super().__init__()
        self._clock = clock
        self.between: Callable[[], Awaitable[object]] = nothing

    async def perform(
        self, lane: str, term: int, attempts: Sequence[Warranted]
    ) -> AsyncIterator[list[Result]]:
        """The answers."""
        async for results in super().perform(lane, term, attempts):
            self._clock.move(0.1)
            yield results
            # Whoever heard it takes it in first.
            await asyncio.sleep(0)
            await self.between()


class Owners:
    """Owners of one lane, one after the other, before one provider."""

    def __init__(self, engine: AsyncEngine) -> None:
        self.store = Noted(engine)
        self.jobs = PostgresJobStore(engine)
        self.clock = HandClock(LONG_FROM_NOW)
        self.spokes = SlowSpokes(self.clock)
        self._leases = PostgresLaneLeases(engine)
        self._owner = ""

    async def grant(self, owner: str) -> Grant:
        """The lane goes to an owner."""
        await self._leases.release(self._owner, [LANE])
        self._owner = owner
        for _ in range(2):
            granted = await self._leases.acquire(owner, [LANE], timedelta(minutes=5))
        return granted[LANE]

    async def lane(self, owner: str) -> Lane:
        """The lane under its new owner."""
        grant = await self.grant(owner)

        async def settle(settlement: Settlement) -> Settled:
            (settled,) = await self.store.settle(LANE, grant.term, [settlement])
            return settled

        tools = Tools(
            settle=settle,
            events=NoEvents(),
            notary=FakeNotary(),
            log=FakeLog(),
            spokes=self.spokes,
            clock=self.clock,
            draw=lambda: 0.999,
            post=lambda job_id, ending=None: None,
        )
        return Lane(LANE, grant=grant, limits=Limits(8), store=self.store, tools=tools)


@pytest.fixture
def owners(hub_engine: AsyncEngine) -> Owners:
    """Nobody owns the lane yet."""
    return Owners(hub_engine)


async def test_the_next_owner_keeps_to_the_wait_that_the_provider_told_the_one_before(owners: Owners) -> None:
    await owners.jobs.accept([new_job(1)])
    owners.spokes.outcomes = [throttled(300)]
    first = await owners.lane("first")
    await first.run_once()
    await first.drain()
    await owners.jobs.accept([new_job(2)])
    owners.spokes.outcomes = [throttled(300)]
    second = await owners.lane("second")
    await second.run_once()
    owners.clock.move(280)
    await second.run_once()
    assert owners.spokes.sent == [f"{new_job(1).job_id}.1"]
    owners.clock.move(20 + THROTTLE_SLACK_SECONDS)
    await second.run_once()
    await second.drain()
    assert owners.spokes.sent == [f"{new_job(n).job_id}.1" for n in (1, 2)]


async def test_a_wait_is_written_down_as_soon_as_it_is_known(owners: Owners) -> None:
    await owners.jobs.accept([new_job(1)])
    owners.spokes.outcomes = [throttled(300)]
    lane, hinted = await owners.lane("first"), asyncio.Event()
    lane.hint = hinted.set
    await lane.run_once()
    await asyncio.wait_for(hinted.wait(), 5)
    await lane.run_once()
    assert len(owners.store.waits) == 1
    assert 295 < (await owners.grant("second")).throttled_seconds <= 300 + THROTTLE_SLACK_SECONDS


async def test_many_refusals_at_once_are_one_write_and_only_a_longer_wait_is_another(owners: Owners) -> None:
    await owners.jobs.accept([new_job(n) for n in range(1, 6)])
    owners.spokes.outcomes = [throttled(seconds) for seconds in (300, 300, 10, 300, 600)]
    lane = await owners.lane("first")
    owners.spokes.between = lane.run_once
    await lane.run_once()
    await lane.drain()
    assert [round(seconds) for seconds in owners.store.waits] == [301, 601]


async def test_a_wait_is_not_written_down_by_an_old_owner_and_never_shortened(owners: Owners) -> None:
    old = await owners.grant("old")
    await owners.grant("new")
    await owners.store.save_throttle(LANE, old.term, 300, orders=0)
    assert (await owners.grant("third")).throttled_seconds == 0
    term = (await owners.grant("fourth")).term
    for seconds in (300.0, 10.0):
        await owners.store.save_throttle(LANE, term, seconds, orders=0)
    assert 250 < (await owners.grant("fifth")).throttled_seconds <= 300
