"""Hints between replicas, over a real database."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from hub.jobs.hints import MOST_IN_ONE, HearHints, Hints, TellHints
from mesh.clock import SystemClock
from mesh.duty import DutyLoop


class Replica:
    """A replica that hears and tells, and keeps what it hears."""

    def __init__(self, engine: AsyncEngine, name: str) -> None:
        self.lanes: asyncio.Queue[str] = asyncio.Queue()
        self.jobs: asyncio.Queue[str] = asyncio.Queue()
        self.hints = Hints(
            engine,
            replica=name,
            clock=SystemClock(),
            lane=self.lanes.put_nowait,
            job=self.jobs.put_nowait,
        )
        self.telling = DutyLoop(TellHints(self.hints))
        self.hints.wake = self.telling.hint
        self.tasks: list[asyncio.Task[None]] = []

    async def meet(self, other: "Replica") -> None:
        """Returns when it has heard the other."""
        while not self.hints._has_company:
            other.telling.hint()
            await asyncio.sleep(0.02)


@pytest.fixture
async def replicas(hub_engine: AsyncEngine) -> AsyncIterator[tuple[Replica, Replica]]:
    """Two replicas that know of each other."""
    pair = Replica(hub_engine, "a"), Replica(hub_engine, "b")
    for replica in pair:
        loops = (replica.telling, DutyLoop(HearHints(replica.hints)))
        replica.tasks = [asyncio.create_task(loop.run()) for loop in loops]
    async with asyncio.timeout(10):
        await pair[0].meet(pair[1])
        await pair[1].meet(pair[0])
    yield pair
    tasks = [task for replica in pair for task in replica.tasks]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_the_owner_of_a_lane_hears_at_once_of_a_job_that_another_replica_took(
    replicas: tuple[Replica, Replica],
) -> None:
    replicas[0].hints.tell_lane("echo/default")
    async with asyncio.timeout(1):
        assert await replicas[1].lanes.get() == "echo/default"
    assert replicas[0].lanes.empty()


async def test_many_jobs_are_told_in_pieces_that_the_database_takes(
    replicas: tuple[Replica, Replica],
) -> None:
    told = {f"01890000-0000-7000-8000-{n:012d}" for n in range(3 * MOST_IN_ONE)}
    for job_id in told:
        replicas[0].hints.tell_job(job_id)
    async with asyncio.timeout(5):
        assert {await replicas[1].jobs.get() for _ in told} == told


async def test_a_replica_hears_again_after_its_connection_was_cut(
    replicas: tuple[Replica, Replica], hub_engine: AsyncEngine
) -> None:
    async with hub_engine.connect() as connection:
        await connection.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND query LIKE 'LISTEN%'"
            )
        )
    async with asyncio.timeout(10):
        while replicas[1].lanes.empty():
            replicas[0].hints.tell_lane("echo/default")
            await asyncio.sleep(0.05)


async def test_a_replica_that_is_alone_tells_nothing_of_its_work(hub_engine: AsyncEngine) -> None:
    alone = Replica(hub_engine, "a")
    woken: list[None] = []
    alone.hints.wake = lambda: woken.append(None)
    alone.hints.tell_lane("echo/default")
    alone.hints.tell_job("job")
    assert woken == []
