"""A job is undone at most once, and can be tried again as long as no attempt has done it."""

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from hub.events.store import PostgresEventStore
from hub.jobs.decision import Decision
from hub.jobs.letters import Cause
from hub.jobs.model import Job, JobState, NewJob
from hub.jobs.store import PostgresJobStore
from hub.lanes.ports import Settlement
from hub.lanes.store import PostgresLaneLeases, PostgresLaneStore
from hub.plans.carrier_store import PostgresCarrierStore
from hub.plans.model import Filter, undo_key
from hub.plans.store import PostgresPlanStore
from tests.fakes import FakeNotary
from tests.hub.jobs import agreed, new_job, withdrawal
from tests.hub.test_store import OUTCOMES, event

LANE = "echo/default"


class Undone:
    """A job that has succeeded, and what was attempted to undo it."""

    def __init__(self, engine: AsyncEngine) -> None:
        self.jobs = PostgresJobStore(engine)
        self._leases = PostgresLaneLeases(engine)
        self._lanes = PostgresLaneStore(engine)
        self._plans = PostgresPlanStore(engine)
        self._carriers = PostgresCarrierStore(engine, 1)
        self._made = 1
        self._events = PostgresEventStore(engine, OUTCOMES.get, agreed)

    async def begin(self) -> None:
        """Lets the job succeed."""
        await self.jobs.accept([new_job(1)])
        await self.settle(new_job(1).job_id, Decision(JobState.SUCCEEDED, provider_reference="ref"))

    async def attempt(self, decision: Decision | None) -> str:
        """One more attempt to undo it, under its next key, and how it ends."""
        self._made += 1
        key = undo_key(new_job(1).job_id, await self.next_number())
        undo: NewJob = replace(new_job(self._made), request_id=key)
        (accepted,) = await self.jobs.accept([undo])
        if decision is not None:
            await self.settle(accepted.job_id, decision)
        return accepted.job_id

    async def settle(self, job_id: str, decision: Decision) -> None:
        """Lets a job's first attempt end in a decision."""
        await self._leases.acquire("hub", [LANE], timedelta(seconds=30))
        term = (await self._leases.acquire("hub", [LANE], timedelta(seconds=30)))[LANE].term
        (orphan,) = await self._lanes.claim(LANE, term, 1, FakeNotary().intents)
        assert orphan.claimed.job_id == job_id
        settlement = Settlement(job_id, orphan.claimed.seq, decision, "x", str(uuid4()), b"evidence")
        await self._lanes.settle(LANE, term, [settlement])
        await self._leases.release("hub", [LANE])

    async def hear(self, job_id: str, event_id: str, outcome: bytes) -> None:
        """Lets the provider say something more about a job."""
        await self._events.keep(replace(event(new_job(1), event_id, outcome), job_id=job_id))
        await self._events.apply(job_id)

    async def next_number(self) -> int:
        """The number under which a plan would undo the job now."""
        job = await self.jobs.get(new_job(1).job_id)
        assert isinstance(job, Job)
        return await self._carriers.undo_number(job)

    async def undone_by(self) -> str:
        """The job that a preview names as the one that undoes it."""
        (found,) = await self._plans.succeeded_jobs(Filter(job_ids=(new_job(1).job_id,)), 10)
        return found.undone_by


@pytest.fixture
async def undone(hub_engine: AsyncEngine) -> Undone:
    """A job that nobody has undone."""
    undone = Undone(hub_engine)
    await undone.begin()
    return undone


async def test_a_job_that_nobody_has_undone_is_undone_under_the_first_key(undone: Undone) -> None:
    assert (await undone.undone_by(), await undone.next_number()) == ("", 1)


async def test_attempts_that_came_to_nothing_do_not_bar_another(undone: Undone) -> None:
    await undone.attempt(Decision(JobState.DECLINED))
    assert (await undone.undone_by(), await undone.next_number()) == ("", 2)
    assert await undone.jobs.cancel(await undone.attempt(None), withdrawal())
    assert (await undone.undone_by(), await undone.next_number()) == ("", 3)


@pytest.mark.parametrize(
    "decision",
    [
        None,
        Decision(JobState.SUCCEEDED),
        Decision(JobState.WAITING_CONFIRMATION),
        Decision(JobState.DEAD, letter=Cause.PROVIDER_DOWN),
        Decision(JobState.IN_DOUBT, letter=Cause.UNRESOLVED_DOUBT),
    ],
    ids=lambda decision: decision.state.name if decision else "QUEUED",
)
async def test_what_has_undone_a_job_or_still_may_is_the_only_one(
    undone: Undone, decision: Decision | None
) -> None:
    await undone.attempt(Decision(JobState.DECLINED))
    second = await undone.attempt(decision)
    assert await undone.undone_by() == second
    assert await undone.next_number() == 2
    assert await undone.attempt(None) == second


async def test_an_undo_that_did_not_last_frees_its_job_for_another_under_a_new_key(undone: Undone) -> None:
    first = await undone.attempt(Decision(JobState.SUCCEEDED, provider_reference="ref"))
    await undone.hear(first, "evt_1", b"yes")
    assert (await undone.undone_by(), await undone.next_number()) == (first, 1)
    await undone.hear(first, "evt_2", b"no")
    assert (await undone.undone_by(), await undone.next_number()) == ("", 2)
    second = await undone.attempt(Decision(JobState.SUCCEEDED, provider_reference="ref"))
    assert second != first
    assert (await undone.undone_by(), await undone.next_number()) == (second, 2)


async def test_another_providers_refund_is_a_riddle_and_frees_nothing(undone: Undone) -> None:
    first = await undone.attempt(Decision(JobState.SUCCEEDED, provider_reference="other"))
    await undone.hear(first, "evt_1", b"yes")
    assert (await undone.undone_by(), await undone.next_number()) == (first, 1)
