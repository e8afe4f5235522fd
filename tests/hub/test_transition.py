"""A job changes its state in one place, and only as the table says."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine

from hub.jobs.decision import Decision
from hub.jobs.event_store import PostgresEventLog
from hub.jobs.model import FINAL, TRANSITIONS, JobState
from hub.jobs.rows import ending_columns
from hub.jobs.statements import reader
from hub.jobs.store import PostgresJobStore
from tests.hub.jobs import new_job

MOVE = reader("hub.jobs")("end_jobs")
LIVE = [state for state in JobState if state not in FINAL]


async def move(engine: AsyncEngine, numbers: list[int], was: JobState, becomes: JobState) -> list[str]:
    """Moves jobs that stand in a state; the ids of those moved."""
    change = ending_columns({new_job(n).job_id: Decision(becomes) for n in numbers}, left=[was], by="")
    async with engine.begin() as connection:
        return [str(job_id) for job_id in (await connection.execute(MOVE, change)).scalars()]


async def stand(engine: AsyncEngine, numbers: list[int], state: JobState) -> PostgresJobStore:
    """Accepts jobs and lets them stand in a state."""
    store = PostgresJobStore(engine)
    await store.accept([new_job(n) for n in numbers])
    async with engine.begin() as connection:
        await connection.execute(text("UPDATE job SET state = :state"), {"state": int(state)})
    return store


@pytest.mark.parametrize("was", LIVE, ids=lambda state: state.name)
async def test_a_move_that_the_table_does_not_have_is_refused(hub_engine: AsyncEngine, was: JobState) -> None:
    store = await stand(hub_engine, [1], was)
    for becomes in set(JobState) - TRANSITIONS[was] - {was}:
        with pytest.raises(IntegrityError, match="cannot go from state"):
            await move(hub_engine, [1], was, becomes)
    job = await store.get(new_job(1).job_id)
    assert job is not None
    assert job.state is was


@pytest.mark.parametrize("was", LIVE, ids=lambda state: state.name)
async def test_every_move_of_the_table_is_made_and_told(hub_engine: AsyncEngine, was: JobState) -> None:
    targets = dict(enumerate(sorted(TRANSITIONS[was]), start=1))
    store = await stand(hub_engine, list(targets), was)
    for number, becomes in targets.items():
        assert await move(hub_engine, [number], was, becomes) == [new_job(number).job_id]
    for number, becomes in targets.items():
        job = await store.get(new_job(number).job_id)
        assert job is not None
        assert job.state is becomes
    log = PostgresEventLog(hub_engine)
    assert await log.number(100) == len(targets)
    events = await log.all_after(0, 100)
    assert [(e.job.job_id, e.job.state) for e in events] == [
        (new_job(number).job_id, becomes) for number, becomes in targets.items()
    ]
