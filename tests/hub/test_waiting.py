"""Waiting for jobs: what all who wait read together, and that none is forgotten."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from hub.errors import JobNotFound
from hub.jobs.board import Board
from hub.jobs.model import Job, JobState
from hub.jobs.store import PostgresJobStore
from hub.jobs.waiting import PollWaiting, Waiting
from mesh.clock import SystemClock
from mesh.duty import DutyLoop
from tests.hub.jobs import new_job, withdrawal

WAITERS = 300


class CountedStore(PostgresJobStore):
    """The real one, which counts what it is asked."""

    def __init__(self, engine: AsyncEngine) -> None:
        super().__init__(engine)
        self.asked: Counter[str] = Counter()

    async def get_all(self, job_ids: Sequence[str]) -> dict[str, Job]:
        self.asked["get_all"] += 1
        return await super().get_all(job_ids)

    async def settled(self, job_ids: Sequence[str]) -> list[str]:
        self.asked["settled"] += 1
        return await super().settled(job_ids)


class Desk:
    """Who waits, on a real store."""

    def __init__(self, engine: AsyncEngine) -> None:
        self.store, self.board = CountedStore(engine), Board()
        self.waiting = Waiting(self.store, self.board, SystemClock())
        self.polling = PollWaiting(self.store, self.board)


@pytest.fixture
async def desk(hub_engine: AsyncEngine) -> AsyncIterator[Desk]:
    """It polls."""
    running = Desk(hub_engine)
    task = asyncio.create_task(DutyLoop(running.polling).run())
    yield running
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_many_who_wait_ask_together_and_not_each_for_itself(desk: Desk) -> None:
    await desk.store.accept([new_job(n) for n in range(WAITERS)])
    jobs = [desk.waiting.job(new_job(n).job_id, seconds=2.5) for n in range(WAITERS)]
    waited = await asyncio.gather(*jobs)
    assert {job.state for job in waited} == {JobState.QUEUED}
    # Once to begin with, once at the end, and a poll each second between: by the batch, not by the waiter.
    assert desk.store.asked["get_all"] + desk.store.asked["settled"] <= 20


async def test_who_waits_is_answered_although_no_hint_comes(desk: Desk) -> None:
    await desk.store.accept([new_job(1), new_job(2)])
    waiting = [asyncio.create_task(desk.waiting.job(new_job(n).job_id, seconds=20)) for n in (1, 2)]
    async with asyncio.timeout(5):
        while len(desk.board.waited_for()) < 2:
            await asyncio.sleep(0)
        await desk.store.cancel(new_job(1).job_id, withdrawal())
        assert (await waiting[0]).state is JobState.CANCELLED
    assert not waiting[1].done()
    waiting[1].cancel()


async def test_a_job_that_is_not_there_is_not_found_beside_one_that_is(desk: Desk) -> None:
    await desk.store.accept([new_job(1)])
    answers = await asyncio.gather(
        *(desk.waiting.job(new_job(n).job_id, seconds=0) for n in (1, 2, 1)), return_exceptions=True
    )
    assert [type(answer) for answer in answers] == [Job, JobNotFound, Job]
