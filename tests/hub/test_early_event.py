"""A webhook that comes before the attempt that caused it has ended."""

from collections.abc import AsyncIterator, Sequence

from sqlalchemy.ext.asyncio import AsyncEngine

from hub.events.model import ArrivedEvent
from hub.events.store import PostgresEventStore
from hub.jobs.model import JobState
from hub.jobs.outcome import Outcome, Pending, Succeeded
from hub.jobs.spec import Limits
from hub.lanes.owned_lane import LaneLoops, Ports
from hub.lanes.ports import Grant, Result, Warranted
from tests.fakes import FakeNotary, FakeSpokes, HandClock
from tests.hub.jobs import NOW, agreed, new_job
from tests.hub.test_lane import LANE, Bench

OUTCOMES: dict[bytes, Outcome] = {b"yes": Succeeded("T", b"r", "ref")}


class Hasty(FakeSpokes):
    """A provider whose webhook is faster than its own reply."""

    def __init__(self, events: PostgresEventStore) -> None:
        super().__init__()
        self._events = events

    async def perform(
        self, lane: str, term: int, attempts: Sequence[Warranted]
    ) -> AsyncIterator[list[Result]]:
        """Says that it is done by webhook, then that it will be by reply."""
        for attempt in attempts:
            job_id = attempt.claimed.job_id
            await self._events.keep(ArrivedEvent(lane, f"evt {job_id}", "done", job_id, b"yes", b"said"))
            assert not await self._events.apply(job_id)
            yield [Result(attempt.claimed.attempt_id, Pending("T", b""), self.evidence)]


async def test_it_settles_the_job_as_soon_as_the_attempt_has_ended(hub_engine: AsyncEngine) -> None:
    bench, events = Bench(hub_engine), PostgresEventStore(hub_engine, OUTCOMES.get, agreed)
    ports = Ports(
        store=bench.lanes,
        events=events,
        notary=FakeNotary(),
        log=bench.log,
        spokes=Hasty(events),
        clock=HandClock(),
        draw=lambda: 0.0,
        post=bench.board.post,
    )
    await bench.jobs.accept([new_job(1)])
    posted = bench.board.ticket(new_job(1).job_id)
    loops = LaneLoops(LANE, grant=Grant(await bench.own(), NOW), limits=Limits(8), ports=ports)
    await posted
    await loops.stop()
    found = await bench.jobs.get(new_job(1).job_id)
    assert found is not None
    assert (found.state, found.provider_reference) == (JobState.SUCCEEDED, "ref")
