"""A lane's calls to its spoke: what goes together, what goes first, and within which limits."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from hub.errors import StoreUnavailable
from hub.jobs.model import SETTLED, JobState, Purpose
from hub.jobs.outcome import Succeeded
from hub.jobs.spec import Limits
from hub.lanes.breaker import Breaker
from hub.lanes.dispatch import CALL_BYTES, parts
from hub.lanes.gate import Gate
from hub.lanes.lane import SHORTEST_TERM_SECONDS
from hub.lanes.ports import Orphan, Receipt, Result, Warranted
from tests.fakes import FakeNotary, FakeSpokes
from tests.hub.jobs import WORK, claimed, new_job, spec
from tests.hub.test_lane import LANE, Bench
from tests.hub.test_throttle import Noted, Owners


class SlowWork(FakeSpokes):
    """Finds what it is asked for at once, and works until the test lets it end."""

    def __init__(self) -> None:
        super().__init__()
        self.over = asyncio.Event()
        self.most = self._busy = 0

    async def perform(
        self, lane: str, term: int, attempts: Sequence[Warranted]
    ) -> AsyncIterator[list[Result]]:
        """One purpose at a time."""
        self.outcomes += [Succeeded("T", b"r")] * len(attempts)
        if attempts[0].claimed.purpose is Purpose.EXECUTE:
            self._busy += len(attempts)
            self.most = max(self.most, self._busy)
            await self.over.wait()
            self._busy -= len(attempts)
        async for results in super().perform(lane, term, attempts):
            yield results


@pytest.fixture
async def bench(hub_engine: AsyncEngine) -> AsyncIterator[Bench]:
    """A bench with a slow spoke; whatever runs on it is stopped."""
    bench = Bench(hub_engine)
    bench.spokes = SlowWork()
    yield bench
    for loops in bench.running:
        await loops.stop()


async def doubt(engine: AsyncEngine, number: int) -> None:
    """Leaves a job in doubt, to be looked up now, as the least urgent of all."""
    change = text("UPDATE job SET state = 5, doubted = true, priority = 9 WHERE job_id = :id")
    async with engine.begin() as connection:
        await connection.execute(change, {"id": new_job(number).job_id})


async def test_a_look_up_does_not_wait_for_the_work_that_was_claimed_with_it(
    bench: Bench, hub_engine: AsyncEngine
) -> None:
    await bench.jobs.accept([new_job(1), new_job(2)])
    await doubt(hub_engine, 2)
    bench.run(await bench.own())
    assert (await bench.until(new_job(2), SETTLED)).state is JobState.SUCCEEDED
    found = await bench.jobs.get(new_job(1).job_id)
    assert found is not None
    assert found.state is JobState.RUNNING


async def test_what_may_have_been_done_is_looked_up_before_work_is_begun(
    bench: Bench, hub_engine: AsyncEngine
) -> None:
    await bench.jobs.accept([new_job(n) for n in range(1, 5)])
    await doubt(hub_engine, 4)
    term = await bench.own()
    firsts = [await bench.lanes.claim(LANE, term, 1, FakeNotary().intents) for _ in range(2)]
    assert [o.claimed.job_id for first in firsts for o in first] == [new_job(n).job_id for n in (4, 1)]


async def test_the_limits_that_a_spoke_says_now_are_those_that_hold(bench: Bench) -> None:
    bench.spokes.limited = Limits(2)
    await bench.jobs.accept([new_job(n) for n in range(1, 6)])
    bench.run(await bench.own())
    await bench.until(new_job(1), {JobState.RUNNING})
    assert isinstance(bench.spokes, SlowWork)
    bench.spokes.over.set()
    await bench.until(new_job(5), SETTLED)
    assert bench.spokes.most == 2


def test_a_gate_follows_other_limits_at_once_and_stays_closed_once_closed() -> None:
    gate = Gate(Limits(64, 100.0, 50), Breaker())
    assert gate.admits(0.0) == 1
    assert gate.admits(10.0) == 50
    gate.follow(Limits(64, 1.0, 1), 10.0)
    assert gate.admits(10.0) == 1
    gate.begun(1, 10.0, fresh=True)
    assert [gate.admits(t) for t in (10.5, 11.1)] == [0, 1]
    gate.follow(Limits(3), 20.0)
    assert gate.admits(20.0) == 2
    gate.close()
    gate.follow(Limits(64), 21.0)
    assert gate.admits(21.0) == 0


@given(
    st.lists(
        st.tuples(st.sampled_from((Purpose.LOOK_UP, Purpose.EXECUTE)), st.integers(0, 1 << 20)), max_size=40
    )
)
def test_calls_are_cut_by_bytes_look_ups_first_and_leave_nothing_out(
    given_: list[tuple[Purpose, int]],
) -> None:
    attempts = [
        Warranted(
            replace(claimed(purpose=purpose, seq=n), work=replace(WORK, request=bytes(size))),
            b"intent",
            Receipt(0, b"", (), b""),
            spec(),
        )
        for n, (purpose, size) in enumerate(given_)
    ]
    calls = parts(attempts)
    assert sorted(a.claimed.seq for call in calls for a in call) == list(range(len(attempts)))
    assert all(sum(len(a.claimed.work.request) for a in call) <= CALL_BYTES for call in calls)
    purposes = [{a.claimed.purpose for a in call} for call in calls]
    assert all(len(kinds) == 1 for kinds in purposes)
    order = [kinds.pop() for kinds in purposes]
    assert order == sorted(order, key=[Purpose.LOOK_UP, Purpose.CANCEL, Purpose.EXECUTE].index)
    assert len(calls) <= len(Purpose) + sum(size for _, size in given_) // (CALL_BYTES // 2)


class Breaking(Noted):
    """A store that cannot be read when a lane is taken over."""

    async def adopt(self, lane: str, term: int) -> list[Orphan]:
        """Fails."""
        raise StoreUnavailable("down")


@pytest.mark.parametrize(("after", "asked"), [(SHORTEST_TERM_SECONDS, 1), (0.0, 0)], ids=["once", "always"])
async def test_a_lane_that_fails_asks_for_a_new_term_at_once_unless_it_fails_always(
    hub_engine: AsyncEngine, after: float, asked: int
) -> None:
    owners = Owners(hub_engine)
    owners.store = Breaking(hub_engine)
    lane, calls = await owners.lane("first"), []
    lane.gone = lambda: calls.append(1)
    owners.clock.move(after)
    for _ in range(2):
        with pytest.raises(StoreUnavailable):
            await lane.run_once()
    assert len(calls) == asked
