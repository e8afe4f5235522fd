"""What a job shows while it waits is gone once it has ended without it."""

from dataclasses import replace

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from hub.events.store import PostgresEventStore
from hub.jobs.decision import Decision
from hub.jobs.model import JobState
from hub.jobs.outcome import Declined, Outcome, Succeeded
from hub.jobs.store import PostgresJobStore
from hub.lanes.ports import Settled, Settlement
from hub.lanes.store import PostgresLaneStore
from tests.hub.jobs import agreed, new_job
from tests.hub.test_store import LANE, begin, event, settlement

WAITS = Decision(JobState.WAITING_CONFIRMATION, result_type="T", result=b"go to https://secret")
SAID: dict[bytes, Outcome] = {
    b"no": Declined("NO", ""),
    b"mute": Succeeded("", b""),
    b"yes": Succeeded("T", b"r"),
}


async def waits(engine: AsyncEngine) -> None:
    """Job 1 waits for its confirmation."""
    term, (orphan,) = await begin(engine, new_job(1))
    end = replace(settlement(orphan, JobState.WAITING_CONFIRMATION), decision=WAITS)
    await PostgresLaneStore(engine).settle(LANE, term, [end])


async def kept(engine: AsyncEngine) -> tuple[str, bytes]:
    """The result of job 1."""
    job = await PostgresJobStore(engine).get(new_job(1).job_id)
    assert job is not None
    return job.result_type, job.result


@pytest.mark.parametrize(("said", "then"), [(b"no", ("", b"")), (b"mute", ("", b"")), (b"yes", ("T", b"r"))])
async def test_a_job_that_waits_shows_its_result_and_one_that_ended_only_its_own(
    hub_engine: AsyncEngine, said: bytes, then: tuple[str, bytes]
) -> None:
    await waits(hub_engine)
    assert await kept(hub_engine) == ("T", WAITS.result)
    events = PostgresEventStore(hub_engine, SAID.get, agreed)
    await events.keep(event(new_job(1), outcome=said))
    assert await events.apply(new_job(1).job_id)
    assert await kept(hub_engine) == then
    async with hub_engine.connect() as connection:
        everywhere = (await connection.execute(text("SELECT job_done::text FROM job_done"))).scalar_one()
    assert WAITS.result.hex() not in everywhere


@pytest.mark.parametrize("state", [JobState.DECLINED, JobState.SUCCEEDED])
async def test_a_look_up_that_ends_it_answers_without_it_too(
    hub_engine: AsyncEngine, state: JobState
) -> None:
    await waits(hub_engine)
    async with hub_engine.begin() as connection:
        await connection.execute(text("UPDATE job SET due_at = now()"))
        await connection.execute(text("UPDATE lane SET lease_until = now() - interval '1 second'"))
    term, (orphan,) = await begin(hub_engine)
    (settled,) = await _settle(hub_engine, term, replace(settlement(orphan, state), decision=Decision(state)))
    assert (settled.ending.result_type, settled.ending.result) == ("", b"")
    assert await kept(hub_engine) == ("", b"")


async def _settle(engine: AsyncEngine, term: int, end: Settlement) -> list[Settled]:
    return await PostgresLaneStore(engine).settle(LANE, term, [end])
