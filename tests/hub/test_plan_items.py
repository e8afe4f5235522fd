"""An item of a plan is begun once, also when the replica that runs plans dies at any moment."""

from dataclasses import dataclass, field
from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from hub.jobs.decide import Decision
from hub.jobs.letters import Cause
from hub.jobs.model import JobState
from hub.jobs.store import PostgresJobStore
from hub.lanes.duties import PLANS
from hub.lanes.ports import Settlement, Statement
from hub.lanes.store import PostgresLaneLeases, PostgresLaneStore
from hub.plans.carrier_store import PostgresCarrierStore
from hub.plans.model import Frozen, Item, ItemState, NewPlan, Pace, PlanKind, Why
from hub.plans.store import PostgresPlanStore
from tests.fakes import FakeNotary
from tests.hub.jobs import new_job

LANE = "echo/default"
LEASE = timedelta(seconds=30)
DEAD = Decision(JobState.DEAD, None, "CONNECTION_REFUSED", letter=Cause.PROVIDER_DOWN)


@dataclass
class Planned:
    """A dead letter, and an approved plan to put it back."""

    engine: AsyncEngine
    plan_id: str = field(default_factory=lambda: str(uuid4()))
    job_id: str = new_job(1).job_id

    async def own(self, lane: str, owner: str) -> int:
        """Takes a lease from whoever has it; the new term."""
        leases = PostgresLaneLeases(self.engine)
        for other in ("old", "new"):
            await leases.release(other, [lane])
        await leases.acquire(owner, [lane], LEASE)
        return (await leases.acquire(owner, [lane], LEASE))[lane].term

    async def die(self) -> None:
        """Lets the job's next attempt be its last."""
        lanes, term = PostgresLaneStore(self.engine), await self.own(LANE, "old")
        (orphan,) = await lanes.claim(LANE, term, 1, FakeNotary().intents)
        settlement = Settlement(self.job_id, orphan.claimed.seq, DEAD, "not_sent", str(uuid4()), b"evidence")
        await lanes.settle(LANE, term, [settlement])

    async def approve(self) -> None:
        """Makes the plan and lets it run."""
        plans, why = PostgresPlanStore(self.engine), Why("ana", "it is back", "OPS-1")
        plan = NewPlan(
            plan_id=self.plan_id,
            kind=PlanKind.REPLAY,
            filter="{}",
            pace=Pace(),
            why=why,
            needs_second_person=False,
            ineligible={},
            items=[Frozen(self.job_id)],
        )
        await plans.create(plan, _said())
        assert await plans.approve(self.plan_id, "luis", _said())

    async def pending(self) -> list[Item]:
        """What has not begun."""
        return await PostgresPlanStore(self.engine).pending(self.plan_id, 10)

    async def begin(self, term: int, items: list[Item]) -> int:
        """Begins items under a term; how many jobs went back."""
        store = PostgresCarrierStore(self.engine, term)
        return len(await store.replay(self.plan_id, items, [_said() for _ in items], []))

    async def state(self) -> JobState:
        """Where the job stands."""
        found = await PostgresJobStore(self.engine).get(self.job_id)
        assert found is not None
        return found.state


def _said() -> Statement:
    return Statement(str(uuid4()), b"said")


@pytest.fixture
async def planned(hub_engine: AsyncEngine) -> Planned:
    """A plan that runs."""
    planned = Planned(hub_engine)
    await PostgresJobStore(hub_engine).accept([new_job(1)])
    await planned.die()
    await planned.approve()
    return planned


async def test_an_item_that_was_begun_before_a_crash_is_not_begun_after_it(planned: Planned) -> None:
    term = await planned.own(PLANS, "old")
    items = await planned.pending()
    assert await planned.begin(term, items) == 1
    await planned.die()
    assert await planned.begin(await planned.own(PLANS, "new"), items) == 0
    assert await planned.state() is JobState.DEAD


async def test_whoever_takes_over_finds_only_what_has_not_begun(planned: Planned) -> None:
    term = await planned.own(PLANS, "old")
    assert [i.state for i in await planned.pending()] == [ItemState.PENDING]
    await planned.begin(term, await planned.pending())
    assert await planned.pending() == []


async def test_a_runner_whose_term_is_over_begins_nothing(planned: Planned) -> None:
    old = await planned.own(PLANS, "old")
    await planned.own(PLANS, "new")
    assert await planned.begin(old, await planned.pending()) == 0
    assert await planned.state() is JobState.DEAD
