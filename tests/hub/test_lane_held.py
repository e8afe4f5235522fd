"""A lane that the provider holds: seen, told to those on call, and ended by itself or by an operator."""

from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from hub.jobs.decision import Decision
from hub.jobs.model import JobState
from hub.jobs.store import PostgresJobStore
from hub.lanes.breaker import MISCONFIGURED, Breaker, BreakerState
from hub.lanes.store import PostgresLaneLeases
from hub.operators.convert import lane_to_proto
from tests.fakes import FakeNotary
from tests.hub.jobs import new_job
from tests.hub.test_operations_store import LANE, WHY, Desk, age_alerts

HELD = Breaker(BreakerState.OPEN, 0.0, MISCONFIGURED, 1)
DOWN = Breaker(BreakerState.OPEN, 0.0, "CONNECTION_REFUSED", 2)


@pytest.fixture
async def desk(hub_engine: AsyncEngine) -> Desk:
    """A desk whose lane has an owner."""
    desk = Desk(hub_engine)
    await desk.settled(Decision(JobState.SUCCEEDED))
    return desk


@pytest.mark.parametrize(("seconds", "told"), [(60, []), (1800, ["LaneThrottled/echo/default"])])
async def test_a_long_wait_is_seen_and_told_and_ends_by_an_operators_word(
    desk: Desk, seconds: float, told: list[str]
) -> None:
    await desk.lanes.save_throttle(LANE, desk.term, seconds, orders=0)
    assert await desk.firing() == told
    lane = await desk.store.lane(LANE)
    assert lane_to_proto(lane, None).HasField("throttled_until_time")
    await desk.operating.move_breaker(LANE, BreakerState.HALF_OPEN, WHY)
    lane = await desk.store.lane(LANE)
    assert not lane_to_proto(lane, None).HasField("throttled_until_time")
    await age_alerts(desk.engine)
    await desk.store.reconcile_lanes([LANE], [])
    assert await desk.firing() == []


async def test_many_short_waits_one_after_the_other_are_told_once_they_are_long_together(desk: Desk) -> None:
    await desk.lanes.save_throttle(LANE, desk.term, 30, orders=0)
    async with desk.engine.begin() as connection:
        await connection.execute(text("UPDATE lane SET throttled_at = now() - interval '11 minutes'"))
    await desk.lanes.save_throttle(LANE, desk.term, 31, orders=0)
    assert await desk.firing() == ["LaneThrottled/echo/default"]


async def test_a_wait_that_an_operator_has_ended_is_not_written_again_by_an_owner_that_has_not_heard(
    desk: Desk,
) -> None:
    await desk.operating.move_breaker(LANE, BreakerState.HALF_OPEN, WHY)
    await desk.lanes.save_throttle(LANE, desk.term, 1800, orders=0)
    lane = await desk.store.lane(LANE)
    assert lane.throttled_until is None


async def test_wrong_settings_of_ours_have_an_alert_of_their_own(desk: Desk) -> None:
    await desk.lanes.save_breaker(LANE, desk.term, HELD, orders=0, seconds=30.0)
    assert await desk.firing() == ["LaneMisconfigured/echo/default"]
    await desk.lanes.save_breaker(LANE, desk.term, DOWN, orders=0, seconds=10.0)
    assert await desk.firing() == ["BreakerOpen/echo/default"]
    await desk.lanes.save_breaker(LANE, desk.term, HELD, orders=0, seconds=30.0)
    assert await desk.firing() == ["LaneMisconfigured/echo/default"]
    await desk.lanes.save_breaker(LANE, desk.term, Breaker(), orders=0, seconds=0.0)
    assert await desk.firing() == []


async def test_trials_are_of_jobs_that_were_tried_least_and_of_each_tenant(hub_engine: AsyncEngine) -> None:
    jobs, leases, desk = PostgresJobStore(hub_engine), PostgresLaneLeases(hub_engine), Desk(hub_engine)
    await jobs.accept([new_job(n, tenant="globex" if n == 9 else "acme") for n in range(1, 10)])
    async with hub_engine.begin() as connection:
        await connection.execute(
            text("UPDATE job SET seq = 5 WHERE request_id IN ('request-1', 'request-2')")
        )
    for _ in range(2):
        granted = await leases.acquire("hub", [LANE], timedelta(minutes=5))
    orphans = await desk.lanes.claim(LANE, granted[LANE].term, 3, FakeNotary().intents, trial=True)
    assert {o.claimed.job_id for o in orphans} == {new_job(n).job_id for n in (3, 4, 9)}
