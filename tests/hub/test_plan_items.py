"""An item of a plan is begun once, also when the replica that runs plans dies at any moment."""

from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from hub.errors import ProviderNotReady
from hub.jobs.decision import Decision
from hub.jobs.letters import Cause
from hub.jobs.model import JobState
from hub.jobs.store import PostgresJobStore
from hub.lanes.duties import PLANS
from hub.lanes.ports import Settlement, Statement
from hub.lanes.store import PostgresLaneLeases, PostgresLaneStore
from hub.plans.carrier_store import PostgresCarrierStore
from hub.plans.carriers import Replay
from hub.plans.model import Frozen, Item, ItemState, NewPlan, Offers, Pace, PlanKind, PlanState, Why
from hub.plans.store import PostgresPlanStore
from tests.fakes import FakeNotary
from tests.hub.jobs import OPERATION, new_job
from tests.hub.test_carriers import Actions

LANE = "echo/default"
WHY = Why("spiffe://integration.local/operator/ana", "it is back", "OPS-1")
DOUBTED = Decision(JobState.DEAD, None, "GIVEN_UP", letter=Cause.PROVIDER_DOWN, doubts=True)
PARKED = Decision(JobState.IN_DOUBT, None, "REPLY_CUT", letter=Cause.UNRESOLVED_DOUBT)
LEASE = timedelta(seconds=30)
DEAD = Decision(JobState.DEAD, None, "CONNECTION_REFUSED", letter=Cause.PROVIDER_DOWN)


class Uniquely(Actions):
    """Signs nothing, but gives every statement an id of its own."""

    def action(self, *_: object, **__: object) -> Statement:
        """A statement."""
        return _said()


class Known:
    """What is known of spokes."""

    def __init__(self, *unheard: str, can_look_up: bool | None = None) -> None:
        self._unheard = set(unheard)
        self._can_look_up = can_look_up

    def offered(self) -> Mapping[str, bool]:
        """The job's operation, if it is known whether it can be looked up."""
        return {} if self._can_look_up is None else {f"{LANE}|{OPERATION}": self._can_look_up}

    def unheard(self) -> Set[str]:
        """Those that have said nothing."""
        return self._unheard


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

    async def die(self, decision: Decision = DEAD) -> None:
        """Lets the job's next attempt be its last."""
        lanes, term = PostgresLaneStore(self.engine), await self.own(LANE, "old")
        (orphan,) = await lanes.claim(LANE, term, 1, FakeNotary().intents)
        settlement = Settlement(
            self.job_id, orphan.claimed.seq, decision, "not_sent", str(uuid4()), b"evidence"
        )
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
        return len(
            (await store.replay(self.plan_id, items, [_said() for _ in items], Offers([], [], []))).back
        )

    async def replay(self, spokes: Known) -> Item:
        """Begins the plan's only item; the item."""
        store = PostgresCarrierStore(self.engine, await self.own(PLANS, "old"))
        carrier = Replay(store, notary=Uniquely(), spokes=spokes, changed=lambda job_id, lane: None)
        plans = PostgresPlanStore(self.engine)
        plan = await plans.get(self.plan_id)
        assert plan is not None
        try:
            await carrier.begin(plan, await self.pending(), WHY)
        finally:
            (item,) = await self.items()
        return item

    async def items(self) -> list[Item]:
        """All that the plan has."""
        return await PostgresPlanStore(self.engine).items(self.plan_id, after=0, limit=10)

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


async def test_an_item_that_waits_too_long_for_its_confirmation_is_passed_over_until_it_has_its_result(
    planned: Planned,
) -> None:
    plans = PostgresPlanStore(planned.engine)
    assert (await planned.replay(Known())).state is ItemState.STARTED
    await planned.die(Decision(JobState.WAITING_CONFIRMATION, timedelta()))
    await plans.refresh()
    assert [i.state for i in await planned.items()] == [ItemState.STARTED]
    async with planned.engine.begin() as connection:
        await connection.execute(text("UPDATE plan_item SET updated_at = now() - interval '11 minutes'"))
    await plans.refresh()
    (item,) = await planned.items()
    assert (item.state, item.detail) == (ItemState.UNCONFIRMED, "NOT_CONFIRMED_IN_TIME")
    assert await plans.end(planned.plan_id, PlanState.FINISHED, "", _said())
    await planned.die(Decision(JobState.DECLINED))
    await plans.refresh()
    (item,) = await planned.items()
    assert (item.state, item.detail) == (ItemState.FAILED, "DECLINED")


async def test_a_person_lets_a_plan_go_on_past_what_is_under_way_while_it_runs(planned: Planned) -> None:
    plans = PostgresPlanStore(planned.engine)
    await planned.replay(Known())
    assert await plans.go_on(planned.plan_id, _said())
    (item,) = await planned.items()
    assert (item.state, item.detail) == (ItemState.UNCONFIRMED, "PASSED_OVER")
    assert await plans.end(planned.plan_id, PlanState.STOPPED, "", _said())
    assert not await plans.go_on(planned.plan_id, _said())


async def fallen(hub_engine: AsyncEngine, decision: Decision) -> Planned:
    """A plan to put back a dead letter that came so."""
    planned = Planned(hub_engine)
    await PostgresJobStore(hub_engine).accept([new_job(1)])
    await planned.die(decision)
    await planned.approve()
    return planned


@pytest.mark.parametrize("decision", [DOUBTED, PARKED], ids=["doubted", "parked"])
async def test_a_doubted_dead_letter_waits_for_its_spoke_and_is_looked_up_then(
    hub_engine: AsyncEngine, decision: Decision
) -> None:
    planned = await fallen(hub_engine, decision)
    with pytest.raises(ProviderNotReady):
        await planned.replay(Known("echo"))
    (item,) = await planned.pending()
    assert (item.detail, await planned.state()) == ("", decision.state)
    item = await planned.replay(Known(can_look_up=True))
    assert (item.state, await planned.state()) == (ItemState.STARTED, JobState.IN_DOUBT)


async def test_what_was_certainly_not_done_goes_back_whether_its_spoke_is_heard_or_not(
    planned: Planned,
) -> None:
    assert (await planned.replay(Known("echo"))).state is ItemState.STARTED
    assert await planned.state() is JobState.RETRY_WAIT


@pytest.mark.parametrize(
    ("decision", "can_look_up"), [(PARKED, False), (PARKED, None), (DOUBTED, None)], ids=repr
)
async def test_a_doubt_that_nobody_can_be_asked_about_needs_a_person_and_is_not_said_to_be_over(
    hub_engine: AsyncEngine, decision: Decision, can_look_up: bool | None
) -> None:
    planned = await fallen(hub_engine, decision)
    item = await planned.replay(Known(can_look_up=can_look_up))
    assert (item.state, item.detail) == (ItemState.FAILED, "NEEDS_A_PERSON")
    assert await planned.state() is decision.state
