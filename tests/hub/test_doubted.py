"""What an attempt may have had an effect of is not called undone, whatever state it waits in."""

from datetime import timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from hub.jobs.decision import Decision
from hub.jobs.model import JobState
from tests.hub.jobs import withdrawal
from tests.hub.test_operations_store import LANE, Desk

LATER = timedelta(hours=1)
WAITS = Decision(JobState.RETRY_WAIT, LATER, "CONNECTION_REFUSED", doubts=True)


async def run_out(engine: AsyncEngine) -> None:
    """Lets the time of all jobs be over."""
    async with engine.begin() as connection:
        over = text("UPDATE job SET expire_at = now() - CAST(:ago AS interval)")
        await connection.execute(over, {"ago": timedelta(seconds=1)})


async def test_a_job_that_may_have_been_carried_out_is_not_withdrawn(hub_engine: AsyncEngine) -> None:
    desk = Desk(hub_engine)
    await desk.settled(WAITS)
    assert not await desk.jobs.cancel(desk.job.job_id, withdrawal())
    assert await desk.state() is JobState.RETRY_WAIT


async def test_a_job_that_may_have_been_carried_out_does_not_expire(hub_engine: AsyncEngine) -> None:
    desk = Desk(hub_engine)
    await desk.settled(WAITS)
    await run_out(hub_engine)
    await desk.house.expire(10)
    assert await desk.state() is JobState.IN_DOUBT
    assert await desk.lanes.next_due(LANE) is not None
    assert await desk.firing() == []
