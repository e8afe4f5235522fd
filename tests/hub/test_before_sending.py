"""What is looked at again right before an attempt is sent, because time has passed since its claim."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from hub.housekeeping.store import PostgresHousekeepingStore
from hub.jobs.board import wait_for
from hub.jobs.decide import after_attempt, begin_by, unsent
from hub.jobs.decision import Decision, Moment
from hub.jobs.model import SETTLED, JobState, Purpose
from hub.jobs.outcome import NotSent, NotSentCause, Succeeded
from hub.jobs.spec import Replay
from tests.hub.jobs import NOW, claimed, new_job, spec
from tests.hub.test_doubted import run_out
from tests.hub.test_lane import Bench
from tests.hub.test_operations_store import Desk

DAY = timedelta(days=1)
ABSENT = NotSent(NotSentCause.ABSENT, "ABSENT", "")
DOWN = NotSent(NotSentCause.PROVIDER_DOWN, "CONNECTION_REFUSED", "")


@pytest.fixture
async def bench(hub_engine: AsyncEngine) -> AsyncIterator[Bench]:
    """A bench; whatever runs on it is stopped."""
    bench = Bench(hub_engine)
    yield bench
    for loops in bench.running:
        await loops.stop()


async def test_a_charge_whose_time_is_over_when_the_log_comes_back_is_not_sent_and_expires(
    bench: Bench, hub_engine: AsyncEngine
) -> None:
    job = new_job(1, expire_at=datetime(2999, 1, 1, tzinfo=UTC))
    bench.at = job.expire_at - timedelta(seconds=3)
    bench.log.down = True
    bench.spokes.outcomes = [Succeeded("T", b"r")]
    await bench.jobs.accept([job])
    bench.run(await bench.own())
    await wait_for(bench.log.asked, 5)
    bench.clock.move(9)
    bench.log.down = False
    waiting = await bench.until(job, {JobState.RETRY_WAIT, *SETTLED})
    assert (waiting.state, waiting.reason, waiting.attempt_count) == (JobState.RETRY_WAIT, "TIME_OVER", 0)
    assert bench.spokes.sent == []
    assert bench.log.entries[:1] == [f"intent {job.job_id}.1".encode()]
    await run_out(hub_engine)
    await PostgresHousekeepingStore(hub_engine).expire(10)
    over = await bench.until(job, SETTLED)
    assert (over.state, over.message) == (JobState.EXPIRED, "TIME_OVER")


@pytest.mark.parametrize("reason", ["NEVER_STARTED", "FENCED", "TIME_OVER"])
async def test_what_was_claimed_and_never_begun_expires_and_is_nobodys_letter(
    hub_engine: AsyncEngine, reason: str
) -> None:
    desk = Desk(hub_engine)
    await desk.settled(Decision(JobState.RETRY_WAIT, timedelta(hours=1), reason, counts=False))
    await run_out(hub_engine)
    await desk.house.expire(10)
    assert await desk.state() is JobState.EXPIRED


@pytest.mark.parametrize("counts", [True, False])
async def test_what_was_tried_in_vain_until_its_time_was_over_is_a_letter(
    hub_engine: AsyncEngine, *, counts: bool
) -> None:
    desk = Desk(hub_engine)
    await desk.settled(Decision(JobState.RETRY_WAIT, timedelta(hours=1), "CONNECTION_REFUSED", counts=counts))
    await run_out(hub_engine)
    await desk.house.expire(10)
    assert await desk.state() is JobState.DEAD


async def test_a_doubted_charge_whose_key_may_be_forgotten_is_looked_up_and_not_resent(
    bench: Bench, hub_engine: AsyncEngine
) -> None:
    job = new_job(1)
    await bench.jobs.accept([job])
    async with hub_engine.begin() as connection:
        await connection.execute(text("UPDATE job SET doubted = true, state = 4"))
    bench.at = datetime.now(UTC) + DAY
    bench.spokes.outcomes = [Succeeded("T", b"r", "found")]
    bench.run(await bench.own())
    found = await bench.until(job, SETTLED)
    assert (found.provider_reference, found.attempt_count) == ("found", 0)
    assert bench.spokes.sent == [f"{job.job_id}.2"]


def test_what_has_been_absent_twice_may_be_sent_again_however_old_its_key_is() -> None:
    look = claimed(purpose=Purpose.LOOK_UP, state=JobState.IN_DOUBT, doubted=True, reason="ABSENT_ONCE")
    again = after_attempt(look, ABSENT, spec(), Moment(NOW, 0.5))
    assert (again.state, again.doubts) == (JobState.RETRY_WAIT, False)
    assert unsent(claimed(), spec(), NOW + timedelta(minutes=59)) is None


def test_what_the_key_protected_is_asked_first_when_an_attempt_ends_after_the_keys_time() -> None:
    late = Moment(NOW + DAY, 0.5)
    asked = after_attempt(claimed(doubted=True), DOWN, spec(), late)
    parked = after_attempt(claimed(doubted=True), DOWN, spec(can_look_up=False), late)
    assert (asked.state, asked.wait) == (JobState.IN_DOUBT, timedelta())
    assert (parked.state, parked.wait) == (JobState.IN_DOUBT, None)


@given(st.sampled_from(Replay), st.booleans(), st.timedeltas(timedelta(), 3 * DAY))
def test_no_doubted_attempt_is_sent_without_a_key_that_outlives_it_and_none_after_its_time(
    replay: Replay, doubted: bool, after: timedelta
) -> None:
    job, offered = claimed(doubted=doubted), spec(replay)
    goes = unsent(job, offered, NOW + after) is None
    assert goes == (NOW + after < begin_by(job, offered))
    if goes:
        assert NOW + after < job.expire_at
        assert not doubted or (
            replay is Replay.NATIVE_KEY and after + offered.timeout < offered.replay_window
        )


def test_a_look_up_is_sent_however_late_it_is() -> None:
    look = claimed(purpose=Purpose.LOOK_UP, state=JobState.IN_DOUBT, doubted=True)
    assert unsent(look, spec(), NOW + 100 * DAY) is None
