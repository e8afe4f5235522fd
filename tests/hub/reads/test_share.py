"""Reads have a part of the lane's limits that jobs have not, and the replicas share it."""

from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from hub.jobs.spec import Limits
from hub.lanes.breaker import BreakerState
from hub.lanes.model import LaneMode
from hub.lanes.store import PostgresLaneLeases
from hub.reads.model import Standing
from hub.reads.store import PostgresStandingStore

LEASE = timedelta(seconds=6)


@pytest.mark.parametrize("replicas", [1, 2, 3, 7])
@pytest.mark.parametrize("limits", [Limits(64, 80.0, 20, 0.2), Limits(10, 5.0, 10, 0.9)], ids=str)
def test_jobs_and_reads_of_all_replicas_together_keep_to_the_limits(limits: Limits, replicas: int) -> None:
    jobs, reads = limits.of_jobs(), limits.of_reads(replicas)
    assert jobs.rate_per_second + replicas * reads.rate_per_second == pytest.approx(limits.rate_per_second)
    for whole, work, read in (
        (limits.concurrency, jobs.concurrency, reads.concurrency),
        (limits.burst, jobs.burst, reads.burst),
    ):
        # Nobody has less than one at a time.
        assert work + replicas * read <= max(whole, work + replicas)


def test_a_lane_without_reads_leaves_everything_to_its_jobs() -> None:
    limits = Limits(64, 80.0, 20)
    assert limits.of_jobs() == limits


async def test_every_replica_that_lives_is_counted_and_what_holds_a_lane_back_is_known(
    hub_engine: AsyncEngine,
) -> None:
    leases, store = PostgresLaneLeases(hub_engine), PostgresStandingStore(hub_engine)
    assert (await store.standings(LEASE)).replicas == 0
    await leases.survey("one", ["echo/default", "echo/held", "echo/open", "echo/throttled"], LEASE)
    await leases.survey("two", [], LEASE)
    async with hub_engine.begin() as connection:
        for change in (
            f"mode = {LaneMode.PAUSED:d} WHERE lane_id = 'echo/held'",
            f"breaker_state = {BreakerState.OPEN:d}, breaker_until = 'infinity' WHERE lane_id = 'echo/open'",
            "throttled_until = now() + interval '1 hour' WHERE lane_id = 'echo/throttled'",
        ):
            await connection.execute(text(f"UPDATE lane SET {change}"))
    found = await store.standings(LEASE)
    assert (found.replicas, set(found.lanes)) == (2, {"echo/held", "echo/open", "echo/throttled"})
    assert found.lanes["echo/held"] == Standing(works=False)
    assert found.lanes["echo/open"] == Standing(breaker=BreakerState.OPEN, open_seconds=float("inf"))
    assert 3500 < found.lanes["echo/throttled"].throttled_seconds <= 3600
