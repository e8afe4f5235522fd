"""What an old owner, or an old attempt, may still settle: nothing."""

from datetime import timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from hub.errors import LaneLost
from hub.jobs.decision import Decision
from hub.jobs.model import JobState
from hub.jobs.store import PostgresJobStore
from hub.lanes.ports import Orphan, Settlement
from hub.lanes.store import PostgresLaneLeases, PostgresLaneStore
from tests.fakes import FakeNotary
from tests.hub.jobs import new_job

LANE = "echo/default"
LEASE = timedelta(seconds=30)
AGAIN = Decision(JobState.RETRY_WAIT, timedelta())
DONE = Decision(JobState.SUCCEEDED)


class Owned:
    """A lane with one job, and its owners."""

    def __init__(self, engine: AsyncEngine) -> None:
        self.jobs = PostgresJobStore(engine)
        self.lanes = PostgresLaneStore(engine)
        self._leases = PostgresLaneLeases(engine)

    async def own(self, owner: str) -> int:
        """Takes the lane from whoever has it; the new term."""
        for other in ("old", "new"):
            await self._leases.release(other, [LANE])
        await self._leases.acquire(owner, [LANE], LEASE)
        return (await self._leases.acquire(owner, [LANE], LEASE))[LANE].term

    async def claim(self, term: int) -> Orphan:
        """The job's next attempt."""
        (orphan,) = await self.lanes.claim(LANE, term, 1, FakeNotary().intents)
        return orphan

    async def settle(self, term: int, orphan: Orphan, decision: Decision) -> None:
        """An owner's word on an attempt."""
        claimed = orphan.claimed
        await self.lanes.settle(
            LANE, term, [Settlement(claimed.job_id, claimed.seq, decision, "x", claimed.job_id, b"")]
        )

    async def state(self) -> JobState:
        """Where the job stands."""
        found = await self.jobs.get(new_job(1).job_id)
        assert found is not None
        return found.state


@pytest.fixture
async def owned(hub_engine: AsyncEngine) -> Owned:
    """A lane with one job that is due."""
    owned = Owned(hub_engine)
    await owned.jobs.accept([new_job(1)])
    return owned


async def test_an_old_owner_settles_nothing_from_the_new_owners_first_moment_on(owned: Owned) -> None:
    old = await owned.own("old")
    attempt = await owned.claim(old)
    await owned.own("new")  # and has not yet taken over what was under way
    with pytest.raises(LaneLost):
        await owned.settle(old, attempt, DONE)
    assert await owned.state() is JobState.RUNNING


async def test_an_old_owner_settles_nothing_that_the_new_one_has_taken_over(owned: Owned) -> None:
    old = await owned.own("old")
    attempt = await owned.claim(old)
    new = await owned.own("new")
    (adopted,) = await owned.lanes.adopt(LANE, new)
    with pytest.raises(LaneLost):
        await owned.settle(old, attempt, DONE)
    await owned.settle(new, adopted, DONE)
    assert await owned.state() is JobState.SUCCEEDED


async def test_an_earlier_attempts_late_end_does_not_settle_the_attempt_under_way(owned: Owned) -> None:
    term = await owned.own("old")
    first = await owned.claim(term)
    await owned.settle(term, first, AGAIN)
    second = await owned.claim(term)
    with pytest.raises(LaneLost):
        await owned.settle(term, first, DONE)
    assert await owned.state() is JobState.RUNNING
    await owned.settle(term, second, DONE)


async def test_an_attempt_that_has_ended_does_not_end_a_second_time_while_its_job_waits(owned: Owned) -> None:
    term = await owned.own("old")
    attempt = await owned.claim(term)
    await owned.settle(term, attempt, AGAIN)
    with pytest.raises(LaneLost):
        await owned.settle(term, attempt, DONE)
    assert await owned.state() is JobState.RETRY_WAIT
