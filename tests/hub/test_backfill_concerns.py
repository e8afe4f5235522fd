"""A backfill takes in what is nobody's job as its webhook would have been taken in, once."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from uuid import uuid4

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from hub.events.model import ArrivedEvent, Concern
from hub.events.told import EventKind
from hub.jobs.agreeing import Sum
from hub.plans.carrier_store import PostgresCarrierStore
from hub.plans.carriers import Backfill
from hub.plans.model import Filter, ItemState, Pace, Plan, PlanKind, Why
from hub.plans.planning import Planning
from hub.plans.store import PostgresPlanStore
from tests.hub.jobs import NOW
from tests.hub.test_concerns import concerning, done, store_of, told
from tests.hub.test_plan_items import PLANS, Planned, Uniquely
from tests.hub.test_plans import WHY, Known


class Lists:
    """A provider's list of its events."""

    def __init__(self, events: Sequence[ArrivedEvent]) -> None:
        self._events = events

    async def list_events(
        self, lane: str, plan_id: str, *, start: datetime, end: datetime, most: int
    ) -> list[ArrivedEvent]:
        """All of them."""
        return list(self._events)


class Filling:
    """Backfills of one list."""

    def __init__(self, engine: AsyncEngine, *events: ArrivedEvent) -> None:
        self._engine = engine
        self._plans = PostgresPlanStore(engine)
        self._planning = Planning(
            self._plans,
            catalogue=Known(),
            lists=Lists(events),
            notary=Uniquely(),
            new_id=lambda: str(uuid4()),
        )

    async def preview(self) -> Plan:
        """A backfill of everything."""
        wanted = Filter(provider="echo", start=NOW, end=NOW)
        return await self._planning.preview(PlanKind.BACKFILL, wanted, Pace(), WHY)

    async def run(self, plan: Plan) -> list[ItemState]:
        """Approves and carries it out; how its items ended."""
        why = Why("luis", "checked", "OPS-1")
        approved = await self._planning.approve(plan.plan_id, why)
        term = await Planned(self._engine).own(PLANS, "new")
        store = PostgresCarrierStore(self._engine, term)
        items = await self._plans.pending(plan.plan_id, 10)
        events = store_of(self._engine)
        carrier = Backfill(store, notary=Uniquely(), keep=events.keep, apply=_no_job)
        await carrier.begin(approved, items, why)
        return [i.state for i in await self._plans.items(plan.plan_id, after=0, limit=10)]


async def _no_job(job_id: str, lane: str) -> None:
    raise AssertionError("there is no job to apply it to")


async def test_a_dispute_whose_webhook_was_lost_is_told_once_with_all_that_it_says(
    hub_engine: AsyncEngine,
) -> None:
    job_id = await done(hub_engine, 1, "acme", "pi_1")
    filling = Filling(hub_engine, concerning("evt_1"), replace(concerning("evt_2"), concern=None))
    plan = await filling.preview()
    assert (plan.counts.total, plan.ineligible) == (1, {"SAYS_NOTHING": 1})
    assert await filling.run(plan) == [ItemState.SUCCEEDED]
    (one,) = await told(hub_engine)
    assert (one.kind, one.job_id, one.event_id) == (EventKind.DISPUTE, job_id, "evt_1")
    assert (one.provider.reference, one.provider.amount, one.happened_at) == ("pi_1", Sum(1250, "EUR"), NOW)
    assert (await filling.preview()).ineligible == {"ALREADY_HERE": 1, "SAYS_NOTHING": 1}


async def test_one_that_came_by_webhook_is_left_out(hub_engine: AsyncEngine) -> None:
    await done(hub_engine, 1, "acme", "pi_1")
    await store_of(hub_engine).keep(concerning("evt_1"))
    plan = await Filling(hub_engine, concerning("evt_1")).preview()
    assert (plan.counts.total, plan.ineligible) == (0, {"ALREADY_HERE": 1})


async def test_one_that_was_kept_when_its_spoke_had_no_word_for_it_is_taken_in(
    hub_engine: AsyncEngine,
) -> None:
    await done(hub_engine, 1, "acme", "pi_1")
    await store_of(hub_engine).keep(replace(concerning("evt_1"), concern=None))
    filling = Filling(hub_engine, concerning("evt_1"))
    assert await filling.run(await filling.preview()) == [ItemState.SUCCEEDED]
    assert [one.event_id for one in await told(hub_engine)] == ["evt_1"]


async def test_one_that_comes_by_webhook_before_the_plan_runs_is_told_once(hub_engine: AsyncEngine) -> None:
    await done(hub_engine, 1, "acme", "pi_1")
    filling = Filling(hub_engine, concerning("evt_1"))
    plan = await filling.preview()
    await store_of(hub_engine).keep(concerning("evt_1"))
    assert await filling.run(plan) == [ItemState.SKIPPED]
    assert len(await told(hub_engine)) == 1


@pytest.mark.parametrize(
    "concern", [Concern(EventKind.INBOUND), Concern(EventKind.OTHER, "x", Sum(1, "JPY"))]
)
async def test_what_concerns_no_job_is_taken_in_too(hub_engine: AsyncEngine, concern: Concern) -> None:
    filling = Filling(hub_engine, concerning("evt_1", concern))
    assert await filling.run(await filling.preview()) == [ItemState.SUCCEEDED]
    (one,) = await told(hub_engine, "")
    assert (one.kind, one.provider.reference, one.provider.amount) == (
        concern.kind,
        concern.reference,
        concern.amount,
    )
