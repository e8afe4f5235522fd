"""A job is called poison only for a worker that no other job of its lane was using."""

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from hub.jobs.board import wait_for
from hub.jobs.decide import POISON_AFTER
from hub.jobs.model import SETTLED, Claimed, JobState
from hub.jobs.outcome import Succeeded
from hub.lanes.ports import Report, Result, Warranted
from tests.fakes import FakeNotary, FakeSpokes
from tests.hub.jobs import new_job
from tests.hub.test_lane import LANE, Bench
from tests.hub.test_throttle import Owners

JOBS = [new_job(n) for n in range(1, 6)]
SUSPECT = JOBS[2]


class Workers(FakeSpokes):
    """Succeeds with everything, and notes who was at work beside whom."""

    def __init__(self) -> None:
        super().__init__()
        self.beside: dict[str, set[str]] = {}
        self._busy: set[str] = set()
        self.silent = False

    async def perform(
        self, lane: str, term: int, attempts: Sequence[Warranted]
    ) -> AsyncIterator[list[Result]]:
        """All of them at once, for a few turns of the loop."""
        ids = {a.claimed.job_id for a in attempts}
        self._busy |= ids
        for one in self._busy:
            self.beside.setdefault(one, set()).update(self._busy - {one})
        for _ in range(5):
            await asyncio.sleep(0)
        self._busy -= ids
        yield [Result(a.claimed.attempt_id, Succeeded("T", b"r"), b"evidence") for a in attempts]

    async def fence(self, lane: str, term: int, attempts: Sequence[Claimed]) -> list[Report]:
        """Knows what the test says, or does not answer."""
        if self.silent:
            await asyncio.Event().wait()
        return await super().fence(lane, term, attempts)


@pytest.fixture
async def bench(hub_engine: AsyncEngine) -> AsyncIterator[Bench]:
    """A bench with jobs that all are due; whatever runs on it is stopped."""
    bench = Bench(hub_engine)
    bench.spokes = Workers()
    await bench.jobs.accept(JOBS)
    yield bench
    for loops in bench.running:
        await loops.stop()


async def lose(engine: AsyncEngine, workers: int) -> None:
    """So many workers have died of the suspect, or of somebody who shared them with it."""
    async with engine.begin() as connection:
        change = text("UPDATE job SET losses = :workers WHERE job_id = CAST(:job_id AS uuid)")
        await connection.execute(change, {"workers": workers, "job_id": SUSPECT.job_id})


async def beside_the_suspect(bench: Bench) -> set[str]:
    """Lets all jobs end; who was at work beside the suspect."""
    for job in JOBS:
        assert (await bench.until(job, SETTLED)).state is JobState.SUCCEEDED
    assert isinstance(bench.spokes, Workers)
    return bench.spokes.beside[SUSPECT.job_id]


async def test_a_job_is_alone_when_one_more_lost_worker_would_make_it_poison(
    bench: Bench, hub_engine: AsyncEngine
) -> None:
    await lose(hub_engine, POISON_AFTER - 1)
    bench.run(await bench.own())
    assert await beside_the_suspect(bench) == set()


async def test_a_job_that_has_lost_fewer_workers_goes_with_the_others(
    bench: Bench, hub_engine: AsyncEngine
) -> None:
    await lose(hub_engine, POISON_AFTER - 2)
    bench.run(await bench.own())
    assert await beside_the_suspect(bench) == {job.job_id for job in JOBS if job is not SUSPECT}


async def test_nobody_joins_a_suspect_that_an_older_owner_left_at_work(
    bench: Bench, hub_engine: AsyncEngine
) -> None:
    await lose(hub_engine, POISON_AFTER - 1)
    term = await bench.own("dead")
    claimed = await bench.lanes.claim(LANE, term, 3, FakeNotary().intents)
    assert SUSPECT.job_id in {o.claimed.job_id for o in claimed}
    await bench.leases.release("dead", [LANE])
    assert isinstance(bench.spokes, Workers)
    bench.spokes.silent = True
    bench.run(await bench.own("heir"))
    for job in JOBS[3:]:
        await bench.until(job, {JobState.RUNNING})
        while f"intent {job.job_id}.1".encode() not in bench.log.entries:
            await wait_for(bench.board.news(), 0.05)
    for _ in range(20):
        await asyncio.sleep(0)
    assert bench.spokes.beside == {}


async def test_nothing_is_claimed_or_sent_while_a_suspect_is_at_work(hub_engine: AsyncEngine) -> None:
    owners, at_work, over = Owners(hub_engine), asyncio.Event(), asyncio.Event()

    async def lasts() -> None:
        at_work.set()
        await over.wait()

    owners.spokes.outcomes, owners.spokes.between = [Succeeded("T", b"r")] * 2, lasts
    await owners.jobs.accept([SUSPECT])
    await lose(hub_engine, POISON_AFTER - 1)
    lane = await owners.lane("owner")
    await lane.run_once()
    await asyncio.wait_for(at_work.wait(), 5)
    await owners.jobs.accept([JOBS[0]])
    await lane.run_once()
    for _ in range(20):
        await asyncio.sleep(0)
    later = await owners.jobs.get(JOBS[0].job_id)
    assert later is not None
    assert later.state is JobState.QUEUED
    assert owners.spokes.sent == [f"{SUSPECT.job_id}.1"]
    over.set()
    await lane.drain()
