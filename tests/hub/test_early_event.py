"""A webhook that comes before the attempt that caused it has ended."""

from collections.abc import AsyncIterator, Sequence

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from hub.events.model import ArrivedEvent
from hub.events.store import PostgresEventStore
from hub.jobs.model import JobState
from hub.jobs.outcome import NotSent, NotSentCause, Outcome, Pending, Succeeded
from hub.jobs.spec import Limits
from hub.jobs.waiting import Waiting
from hub.lanes.owned_lane import LaneLoops, Ports
from hub.lanes.ports import Grant, Result, Warranted
from mesh.clock import SystemClock
from tests.fakes import FakeNotary, FakeSpokes, HandClock
from tests.hub.jobs import NOW, agreed, new_job
from tests.hub.test_lane import LANE, Bench

OUTCOMES: dict[bytes, Outcome] = {b"yes": Succeeded("T", b"r", "ref")}


class Hasty(FakeSpokes):
    """A provider whose webhook is faster than its own reply."""

    def __init__(self, events: PostgresEventStore, reply: Outcome) -> None:
        super().__init__()
        self._events = events
        self._reply = reply

    async def perform(
        self, lane: str, term: int, attempts: Sequence[Warranted]
    ) -> AsyncIterator[list[Result]]:
        """Says that it is done by webhook, then something else by reply."""
        for attempt in attempts:
            job_id = attempt.claimed.job_id
            await self._events.keep(ArrivedEvent(lane, f"evt {job_id}", "done", job_id, b"yes", b"said"))
            assert not await self._events.apply(job_id)
            yield [Result(attempt.claimed.attempt_id, self._reply, self.evidence)]


@pytest.mark.parametrize(
    "reply",
    [Pending("T", b""), NotSent(NotSentCause.UNSUPPORTED, "NOT_OFFERED", "")],
    ids=["pending", "dead"],
)
async def test_it_settles_the_job_as_soon_as_the_attempt_has_ended(
    hub_engine: AsyncEngine, reply: Outcome
) -> None:
    bench, events = Bench(hub_engine), PostgresEventStore(hub_engine, OUTCOMES.get, agreed)
    ports = Ports(
        store=bench.lanes,
        events=events,
        notary=FakeNotary(),
        log=bench.log,
        spokes=Hasty(events, reply),
        clock=HandClock(),
        draw=lambda: 0.0,
        post=bench.board.post,
    )
    job = new_job(1)
    (accepted,) = await bench.jobs.accept([job])
    assert accepted.created_at is not None
    waiting = Waiting(bench.jobs, bench.board, SystemClock())
    ticket = waiting.ticket(job.job_id)
    loops = LaneLoops(LANE, grant=Grant(await bench.own(), NOW), limits=Limits(8), ports=ports)
    told = await waiting.fresh_job(job, accepted.created_at, ticket, seconds=10)
    await loops.stop()
    assert (told.state, told.provider_reference) == (JobState.SUCCEEDED, "ref")
