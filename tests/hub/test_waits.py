"""When a job is due again: the store's clock reckons it, which is the one that tells when it has come."""

from datetime import timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from hub.jobs.decision import Decision
from hub.jobs.model import JobState
from hub.jobs.store import PostgresJobStore
from hub.lanes.ports import Settlement
from hub.lanes.store import PostgresLaneLeases, PostgresLaneStore
from tests.fakes import FakeNotary
from tests.hub.jobs import new_job

LANE = "echo/default"
LEASE = timedelta(seconds=30)


@pytest.mark.parametrize("wait", [None, timedelta(), timedelta(seconds=1.5), timedelta(days=400)])
async def test_a_job_is_due_again_when_its_wait_has_passed_since_the_store_was_told(
    hub_engine: AsyncEngine, wait: timedelta | None
) -> None:
    jobs, lanes, leases = (
        PostgresJobStore(hub_engine),
        PostgresLaneStore(hub_engine),
        PostgresLaneLeases(hub_engine),
    )
    await jobs.accept([new_job(1)])
    await leases.acquire("hub", [LANE], LEASE)
    grant = (await leases.acquire("hub", [LANE], LEASE))[LANE]
    (orphan,) = await lanes.claim(LANE, grant.term, 1, FakeNotary().intents)
    assert grant.at <= orphan.claimed.claimed_at
    ended = Decision(JobState.IN_DOUBT, wait)
    settlement = Settlement(orphan.claimed.job_id, 1, ended, "x", orphan.claimed.job_id, b"")
    await lanes.settle(LANE, grant.term, [settlement])
    job = await jobs.get(new_job(1).job_id)
    assert job is not None
    assert job.due_at == (None if wait is None else job.updated_at + wait)
