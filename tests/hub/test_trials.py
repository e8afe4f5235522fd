"""What fails while the breaker is not closed is the lane's try, and costs its job nothing."""

from datetime import UTC, datetime

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from hub.jobs.model import JobState
from hub.jobs.outcome import NotSent, NotSentCause
from hub.jobs.spec import Limits
from hub.lanes.breaker import BreakerState
from hub.lanes.owned_lane import LaneLoops, Ports
from hub.lanes.ports import Grant
from tests.fakes import FakeNotary, HandClock, NoEvents
from tests.hub.jobs import NOW, new_job
from tests.hub.test_lane import LANE, Bench

LONG_FROM_NOW = datetime(2900, 1, 1, tzinfo=UTC)
"""So that what waits is not tried again within the test."""

DOWN = NotSent(NotSentCause.PROVIDER_DOWN, "CONNECTION_REFUSED", "")


@pytest.mark.parametrize(
    ("state", "counted"), [(BreakerState.CLOSED, 1), (BreakerState.HALF_OPEN, 0)], ids=["closed", "on trial"]
)
async def test_only_an_attempt_on_a_closed_breaker_is_counted(
    hub_engine: AsyncEngine, state: BreakerState, counted: int
) -> None:
    bench = Bench(hub_engine)
    bench.spokes.outcomes = [DOWN]
    ports = Ports(
        store=bench.lanes,
        events=NoEvents(),
        notary=FakeNotary(),
        log=bench.log,
        spokes=bench.spokes,
        clock=HandClock(LONG_FROM_NOW),
        draw=lambda: 0.999,
        post=bench.board.post,
    )
    await bench.jobs.accept([new_job(1)])
    posted, grant = bench.board.ticket(new_job(1).job_id), Grant(await bench.own(), NOW, breaker_state=state)
    loops = LaneLoops(LANE, grant=grant, limits=Limits(1), ports=ports)
    await posted
    await loops.stop()
    found = await bench.jobs.get(new_job(1).job_id)
    assert found is not None
    assert (found.state, found.attempt_count) == (JobState.RETRY_WAIT, counted)
