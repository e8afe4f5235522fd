"""What stands still in silence is told: each with a key that names it, and an end."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from hub.alerts.model import Alert
from hub.alerts.store import PostgresAlertStore
from hub.housekeeping.concerns import of_backlogs, of_outboxes, of_plans
from hub.housekeeping.store import PostgresHousekeepingStore
from hub.housekeeping.watching import WatchBacklog
from hub.intake.backlog import Admission, AdmissionLimits, Quota
from hub.lanes.duties import PLANS
from hub.lanes.store import PostgresLaneLeases, PostgresLaneStore
from hub.plans.store import PostgresPlanStore
from tests.fakes import HandClock
from tests.hub.jobs import new_job, withdrawal
from tests.hub.test_abandoned import House
from tests.hub.test_alert_changes import said
from tests.hub.test_operations_store import LANE
from tests.hub.test_plan_items import Planned

AGES = {
    "outbox": "UPDATE outbox SET stated_at = stated_at - interval '301 seconds'",
    "plan": "UPDATE plan_item SET updated_at = updated_at - interval '601 seconds'",
    "plan approved": "UPDATE plan SET approved_at = approved_at - interval '601 seconds'",
    "alert": "UPDATE alert SET seen_at = seen_at - interval '31 seconds'",
}


async def older(engine: AsyncEngine, *what: str) -> None:
    """Lets time pass for something."""
    async with engine.begin() as connection:
        for each in what:
            await connection.execute(text(AGES[each]))


async def firing(engine: AsyncEngine) -> list[str]:
    """The keys of what fires."""
    return sorted(a.alert.key for a in await PostgresAlertStore(engine).firing())


@pytest.fixture
async def house(hub_engine: AsyncEngine) -> AsyncIterator[House]:
    """A house on a fresh database, with a job in a lane that is owned."""
    house = House(hub_engine)
    await house.desk.jobs.accept([new_job(1)])
    await house.own()
    yield house


async def test_a_spoke_that_does_not_answer_for_a_minute_is_told_while_jobs_wait_for_it(house: House) -> None:
    house.silent = ["echo", "idle"]
    await house.watching.run_once()
    house.clock.move(59)
    await house.watching.run_once()
    assert await firing(house.engine) == []
    house.clock.move(1)
    await house.watching.run_once()
    assert await firing(house.engine) == ["SpokeAway/echo"]
    assert await house.desk.jobs.cancel(new_job(1).job_id, withdrawal())
    await house.watching.run_once()
    assert await firing(house.engine) == []


async def test_a_spoke_that_answered_in_between_has_a_minute_again(house: House) -> None:
    for silent in (["echo"], [], ["echo"]):
        house.silent = silent
        await house.watching.run_once()
        house.clock.move(59)
    await house.watching.run_once()
    assert await firing(house.engine) == []


async def test_a_lane_that_nobody_owns_for_a_minute_is_told_until_it_has_an_owner(house: House) -> None:
    await house.leases.release("hub", [LANE])
    await house.watching.run_once()
    house.clock.move(60)
    await house.watching.run_once()
    assert await firing(house.engine) == [f"LaneUnowned/{LANE}"]
    await house.own()
    await house.watching.run_once()
    assert await firing(house.engine) == []


async def test_another_replica_that_takes_over_the_watch_neither_ends_nor_repeats_what_goes_on(
    house: House,
) -> None:
    await house.leases.release("hub", [LANE])
    await house.watching.run_once()
    house.clock.move(60)
    await house.watching.run_once()
    (before,) = await house.firing()
    await House(house.engine).watching.run_once()
    assert await house.firing() == [before]


async def test_who_keeps_house_and_takes_a_lane_for_a_moment_does_not_own_it(house: House) -> None:
    await house.leases.release("hub", [LANE])
    await house.own("hub-duty/housekeeping.1")
    (lane,) = await house.store.lanes()
    assert lane.is_unowned


@pytest.mark.parametrize("lane", [LANE, PLANS])
async def test_a_statement_that_is_on_its_way_for_minutes_is_told_until_the_log_has_it(
    hub_engine: AsyncEngine, lane: str
) -> None:
    store = PostgresHousekeepingStore(hub_engine)
    await PostgresLaneLeases(hub_engine).acquire("hub", [lane], timedelta(minutes=5))
    async with hub_engine.begin() as connection:
        statement = "INSERT INTO outbox (statement_id, lane_id, job_id, envelope) VALUES "
        ids = "gen_random_uuid(), :lane, gen_random_uuid(), ''"
        await connection.execute(text(f"{statement} ({ids}), ({ids})"), {"lane": lane})
    assert await store.old_outboxes() == []
    await older(hub_engine, "outbox")
    (concern,) = of_outboxes(await store.old_outboxes())
    assert concern.patience == 0
    await store.agree([concern.alert.key], [concern.alert])
    assert await firing(hub_engine) == [f"OutboxOld/{lane}"]
    lanes = PostgresLaneStore(hub_engine)
    await lanes.clear_outbox([s.statement_id for s in await lanes.read_outbox(lane, 9)], {})
    assert await store.old_outboxes() == []
    await store.agree([], [])
    assert await firing(hub_engine) == []


async def test_a_plan_that_does_not_go_on_is_told_until_it_does_or_stops(hub_engine: AsyncEngine) -> None:
    store, planned, plans = (
        PostgresHousekeepingStore(hub_engine),
        Planned(hub_engine),
        PostgresPlanStore(hub_engine),
    )
    await planned.approve()
    assert await store.plans_at_a_halt() == []
    await older(hub_engine, "plan", "plan approved")
    assert await store.plans_at_a_halt() == [planned.plan_id]
    (concern,) = of_plans([planned.plan_id])
    await store.agree([concern.alert.key], [concern.alert])
    assert await firing(hub_engine) == [f"PlanWaiting/{planned.plan_id}"]
    async with hub_engine.begin() as connection:
        await connection.execute(text("UPDATE plan_item SET updated_at = now() WHERE number = 1"))
    assert await store.plans_at_a_halt() == []
    await older(hub_engine, "plan")
    assert await plans.stop(planned.plan_id, "stopped", said())
    assert await store.plans_at_a_halt() == []


async def test_a_backlog_that_is_full_for_a_minute_is_told_until_no_edge_sees_it_any_more(
    hub_engine: AsyncEngine,
) -> None:
    alerts, clock = PostgresAlertStore(hub_engine), HandClock()
    limits = AdmissionLimits(2, Quota(), {"acme": Quota(unfinished=3), "barred": Quota(unfinished=0)})
    admission = Admission(limits)
    seen: list[Alert] = []

    async def see(alert: Alert) -> None:
        seen.append(alert)
        if not await alerts.see_alert(alert.key):
            await alerts.raise_alert(alert)

    duty = WatchBacklog(lambda: of_backlogs(admission.full()), see, clock)
    admission.end_count({("a/b", "acme"): 2, ("a/c", "acme"): 1, ("a/d", "other"): 1}, {}, 0.0)
    await duty.run_once()
    assert seen == []
    clock.move(60)
    await duty.run_once()
    assert await firing(hub_engine) == ["BacklogFull/lane/a/b", "BacklogFull/tenant/acme"]
    store = PostgresHousekeepingStore(hub_engine)
    await store.agree([], [])
    assert len(await firing(hub_engine)) == 2
    await older(hub_engine, "alert")
    admission.end_count({("a/b", "acme"): 2}, {}, 0.0)
    await duty.run_once()
    await store.agree([], [])
    assert await firing(hub_engine) == ["BacklogFull/lane/a/b"]
