"""An alert changes when what it says does, and not with each thing that it is about."""

import itertools
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from hub.alerts.model import AlertState
from hub.alerts.store import PostgresAlertStore
from hub.housekeeping.store import PostgresHousekeepingStore
from hub.jobs.decision import Decision
from hub.jobs.letters import Cause
from hub.jobs.model import JobState
from hub.jobs.store import PostgresJobStore
from hub.lanes.breaker import MISCONFIGURED, Breaker, BreakerState
from hub.lanes.model import LaneMode
from hub.lanes.ports import Settlement, Statement
from hub.lanes.store import PostgresLaneLeases, PostgresLaneStore
from hub.operators.store import PostgresOperationsStore
from hub.plans.model import PlanState
from hub.plans.store import PostgresPlanStore
from mesh.clock import SystemClock
from tests.fakes import FakeNotary
from tests.hub.jobs import new_job
from tests.hub.test_operations_store import age_alerts
from tests.hub.test_plan_items import Planned

LANE = "echo/default"
DEAD = Decision(JobState.DEAD, reason="CONNECTION_REFUSED", letter=Cause.PROVIDER_DOWN)
TRIED = Decision(JobState.RETRY_WAIT, timedelta(), "CONNECTION_REFUSED")
DOWN = Breaker(BreakerState.OPEN, 0.0, "CONNECTION_REFUSED", 1)


class Hall:
    """A lane where things happen that alerts are about, each as often as the test wants."""

    def __init__(self, engine: AsyncEngine) -> None:
        self.engine = engine
        self.alerts = PostgresAlertStore(engine)
        self.store = PostgresOperationsStore(engine)
        self.lanes = PostgresLaneStore(engine)
        self._numbers = itertools.count(1)

    async def own(self) -> None:
        """Takes the lane."""
        leases = PostgresLaneLeases(self.engine)
        await leases.acquire("hub", [LANE], timedelta(minutes=5))
        self.term = (await leases.acquire("hub", [LANE], timedelta(minutes=5)))[LANE].term

    async def settled(self, decision: Decision = DEAD) -> None:
        """A job comes, and its first attempt ends in a decision."""
        await PostgresJobStore(self.engine).accept([new_job(next(self._numbers))])
        (orphan,) = await self.lanes.claim(LANE, self.term, 1, FakeNotary().intents)
        job_id = orphan.claimed.job_id
        end = Settlement(job_id, orphan.claimed.seq, decision, "not_sent", str(uuid4()), b"evidence")
        await self.lanes.settle(LANE, self.term, [end])

    async def expired(self) -> None:
        """A job that was tried in vain runs out of time."""
        await self.settled(TRIED)
        async with self.engine.begin() as connection:
            await connection.execute(text("UPDATE job SET expire_at = now() WHERE state = 4"))
        assert len(await PostgresHousekeepingStore(self.engine).expire(10)) == 1

    async def opened(self) -> None:
        """The owner's breaker opens."""
        await self.lanes.save_breaker(LANE, self.term, DOWN, orders=await self._orders(), seconds=5.0)

    async def ordered_open(self) -> None:
        """An operator opens the breaker."""
        assert await self.store.order_breaker(LANE, BreakerState.OPEN, said())

    async def held(self, mode: LaneMode = LaneMode.PAUSED) -> None:
        """An operator holds the lane."""
        assert await self.store.set_mode(LANE, mode, actor="ana", reason="why", said=said())

    async def refused(self) -> None:
        """The log refuses a statement of a job."""
        await self.settled(Decision(JobState.SUCCEEDED))
        (statement, *_) = await self.lanes.read_outbox(LANE, 1)
        await self.lanes.clear_outbox([], {statement.statement_id: "MALFORMED"})

    async def alert(self) -> AlertState:
        """The only alert."""
        (state,) = await self.alerts.all()
        return state

    async def untold(self) -> list[str]:
        """The alerts that a sink has not been told as they are, an hour from now."""
        later = SystemClock().now() + timedelta(hours=1)
        return [c.state.alert.key for c in await self.alerts.candidates("s", repeats=False, now=later)]

    async def _orders(self) -> int:
        async with self.engine.connect() as connection:
            return int((await connection.execute(text("SELECT max(breaker_orders) FROM lane"))).scalar_one())


Happens = Callable[[Hall], Awaitable[None]]


def said() -> Statement:
    """A statement about what somebody does."""
    return Statement(str(uuid4()), b"said")


@pytest.fixture
async def hall(hub_engine: AsyncEngine) -> Hall:
    """A hall on a fresh database."""
    hall = Hall(hub_engine)
    await hall.own()
    return hall


ABOUT: list[Happens] = [Hall.settled, Hall.expired, Hall.opened, Hall.ordered_open, Hall.held, Hall.refused]


@pytest.mark.parametrize("happens", ABOUT, ids=lambda f: f.__name__)
async def test_what_is_told_already_is_not_told_again_when_more_of_the_same_happens(
    hall: Hall, happens: Happens
) -> None:
    await happens(hall)
    first = await hall.alert()
    await hall.alerts.record_told("s", [first], first.changed_at)
    for _ in range(3):
        await happens(hall)
    assert await hall.alert() == first
    assert await hall.untold() == []


@pytest.mark.parametrize("happens", ABOUT, ids=lambda f: f.__name__)
async def test_what_happens_after_an_alert_has_ended_begins_it_anew(hall: Hall, happens: Happens) -> None:
    await happens(hall)
    first = await hall.alert()
    assert await hall.alerts.end_alert(first.alert.key)
    await happens(hall)
    again = await hall.alert()
    assert (again.change, again.ended_at) == (first.change + 2, None)
    assert again.started_at == again.changed_at > first.started_at
    assert again.alert == first.alert


async def test_a_lane_that_drains_after_a_pause_is_not_told_again(hall: Hall) -> None:
    await hall.held()
    first = await hall.alert()
    await hall.held(LaneMode.DRAINING)
    assert await hall.alert() == first


async def test_an_alert_says_who_has_opened_the_breaker_last_and_goes_on(hall: Hall) -> None:
    await hall.opened()
    first = await hall.alert()
    await hall.ordered_open()
    ordered = await hall.alert()
    await hall.opened()
    last = await hall.alert()
    assert [a.change for a in (first, ordered, last)] == [1, 2, 3]
    assert first.started_at == ordered.started_at == last.started_at
    assert "operator" in ordered.alert.summary
    assert first.alert == last.alert == replace(ordered.alert, summary=first.alert.summary)
    assert ordered.changed_at > first.changed_at


async def test_that_our_settings_are_refused_is_not_told_on_beside_an_operators_own_order(hall: Hall) -> None:
    refused = Breaker(BreakerState.OPEN, 0.0, MISCONFIGURED, 1)
    await hall.lanes.save_breaker(LANE, hall.term, refused, orders=0, seconds=5.0)
    await age_alerts(hall.engine)
    await hall.store.reconcile_lanes([LANE], [])
    assert [a.alert.name for a in await hall.alerts.firing()] == ["LaneMisconfigured"]
    await hall.ordered_open()
    await hall.store.reconcile_lanes([LANE], [])
    assert [a.alert.name for a in await hall.alerts.firing()] == ["BreakerOpen"]


async def test_an_alert_whose_cause_was_just_seen_does_not_end_although_it_changed_long_ago(
    hall: Hall,
) -> None:
    await hall.settled()
    await age_alerts(hall.engine)
    await hall.settled()
    async with hall.engine.begin() as connection:
        row = (await connection.execute(text("SELECT changed_at, seen_at FROM alert"))).one()
        # So that the two seconds of patience are not a race against the test.
        await connection.execute(text("UPDATE alert SET seen_at = seen_at + interval '1 minute'"))
        await connection.execute(text("UPDATE dead_letter SET left_at = now()"))
    assert row.seen_at - row.changed_at >= timedelta(hours=1)
    await hall.store.reconcile_alerts(timedelta(minutes=5))
    assert len(await hall.alerts.firing()) == 1
    await age_alerts(hall.engine)
    await hall.store.reconcile_alerts(timedelta(minutes=5))
    assert await hall.alerts.firing() == []


@pytest.mark.parametrize("happens", [Hall.held, Hall.opened], ids=lambda f: f.__name__)
async def test_the_alert_of_a_lane_ends_when_no_spoke_offers_it(hall: Hall, happens: Happens) -> None:
    await happens(hall)
    await age_alerts(hall.engine)
    for lanes, unheard in (([LANE], []), ([], ["echo"])):
        await hall.store.reconcile_lanes(lanes, unheard)
        assert len(await hall.alerts.firing()) == 1
    await hall.store.reconcile_lanes(["other/default"], [])
    assert await hall.alerts.firing() == []


@pytest.mark.parametrize("happens", [Hall.held, Hall.opened], ids=lambda f: f.__name__)
@pytest.mark.parametrize("decision", [None, TRIED, DEAD], ids=["queued", "waiting", "dead letter"])
async def test_the_alert_of_a_lane_that_no_spoke_offers_stays_while_it_holds_a_job(
    hall: Hall, happens: Happens, decision: Decision | None
) -> None:
    if decision:
        await hall.settled(decision)
    else:
        await PostgresJobStore(hall.engine).accept([new_job(1)])
    await happens(hall)
    await age_alerts(hall.engine)
    await hall.store.reconcile_lanes([], [])
    names = {a.alert.name for a in await hall.alerts.firing()} - {"DeadLetters"}
    assert len(names) == 1


async def test_a_lane_that_is_offered_again_is_held_as_it_was_left(hall: Hall) -> None:
    await hall.held()
    await age_alerts(hall.engine)
    await hall.store.reconcile_lanes([], [])
    await hall.store.reconcile_lanes([LANE], [])
    (again,) = await hall.alerts.firing()
    assert again.alert.name == "LaneNotWorking"


async def test_a_stopped_plan_that_is_abandoned_ends_its_alert_and_can_not_go_on(
    hub_engine: AsyncEngine,
) -> None:
    planned, plans = Planned(hub_engine), PostgresPlanStore(hub_engine)
    await planned.approve()
    assert not await plans.abandon(planned.plan_id, "wrong", said())
    assert await plans.stop(planned.plan_id, "stopped", said())
    assert await plans.abandon(planned.plan_id, "wrong", said())
    assert not await plans.resume(planned.plan_id, said())
    await age_alerts(hub_engine)
    await PostgresOperationsStore(hub_engine).reconcile_alerts(timedelta(minutes=5))
    assert await PostgresAlertStore(hub_engine).firing() == []


async def test_a_plan_that_stops_again_is_told_again(hub_engine: AsyncEngine) -> None:
    planned, plans = Planned(hub_engine), PostgresPlanStore(hub_engine)
    await planned.approve()
    assert await plans.end(planned.plan_id, PlanState.STOPPED, "too many fail", said())
    (first,) = await PostgresAlertStore(hub_engine).firing()
    assert await plans.resume(planned.plan_id, said())
    assert await plans.end(planned.plan_id, PlanState.STOPPED, "too many fail", said())
    (again,) = await PostgresAlertStore(hub_engine).firing()
    assert (first.change, again.change) == (1, 2)
    assert again.started_at > first.started_at
