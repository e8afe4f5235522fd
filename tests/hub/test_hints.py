"""Hints between replicas, over a real database."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from hub.database.engine import open_engine, single
from hub.errors import StoreUnavailable
from hub.jobs.hints import HearHints, Hints, TellHints, payloads
from hub.jobs.model import Ending
from integration.jobs.v1.jobs_service_pb2 import CancelJobRequest
from mesh.clock import SystemClock
from mesh.duty import DutyLoop
from tests.hub.edge import charge, serving, taken


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


async def test_another_replica_hears_at_once_of_a_job_that_was_withdrawn_here(
    replicas: tuple[Replica, Replica], hub_engine: AsyncEngine, tmp_path: Path
) -> None:
    def post(job_id: str, ending: Ending | None = None) -> None:
        replicas[0].hints.tell_job(job_id)

    async with serving(hub_engine, tmp_path, post=post) as edge:
        job = await taken(edge.payments.Charge(charge(), timeout=5))
        await edge.jobs.CancelJob(CancelJobRequest(tenant="acme", job_id=job.job_id), timeout=5)
        async with asyncio.timeout(1):
            assert await replicas[1].jobs.get() == job.job_id


async def test_many_jobs_and_lanes_are_told_in_pieces_that_the_database_takes(
    replicas: tuple[Replica, Replica],
) -> None:
    jobs = {f"01890000-0000-7000-8000-{n:012d}" for n in range(450)}
    lanes = {f"provider-{n}/{'account' * 9}" for n in range(200)}
    for job_id in jobs:
        replicas[0].hints.tell_job(job_id)
    for lane in lanes:
        replicas[0].hints.tell_lane(lane)
    async with asyncio.timeout(5):
        assert {await replicas[1].jobs.get() for _ in jobs} == jobs
        assert {await replicas[1].lanes.get() for _ in lanes} == lanes


WORDS = st.sets(st.text(max_size=200), max_size=300)


@given(WORDS, WORDS)
def test_what_is_told_is_whole_and_fits_whatever_it_is(lanes: set[str], jobs: set[str]) -> None:
    told = payloads("replica", lanes, jobs)
    assert all(len(payload.encode()) < 8_000 for payload in told)
    heard = [json.loads(payload) for payload in told]
    assert sorted(lane for _, some, _ in heard for lane in some) == sorted(lanes)
    assert sorted(job for _, _, some in heard for job in some) == sorted(jobs)


def test_what_fits_into_one_notification_is_one() -> None:
    assert len(payloads("replica", ["echo/default"], [f"{n:036d}" for n in range(150)])) == 1
    assert len(payloads("replica", [], [])) == 1


async def test_what_could_not_be_told_is_told_later(
    replicas: tuple[Replica, Replica], hub_database: Mapping[str, str]
) -> None:
    engine = open_engine(hub_database["hub_rw"], connections=1)
    teller = Replica(engine, "c")
    await teller.hints.tell()
    teller.hints._heard_at = float("inf")
    async with engine.connect() as connection:
        pid = (await connection.execute(text("SELECT pg_backend_pid()"))).scalar_one()
    async with single(replicas[0].hints._engine).connect() as connection:
        await connection.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})
    teller.hints.tell_job("job")
    with pytest.raises(StoreUnavailable):
        await teller.hints.tell()
    await teller.hints.tell()
    async with asyncio.timeout(5):
        assert await replicas[1].jobs.get() == "job"
    await engine.dispose()


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
