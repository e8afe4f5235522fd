"""Streams of events: what all of them cost together, and that none misses anything."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from hub.database.engine import open_engine, single
from hub.errors import CursorOutOfRange, TooManyStreams
from hub.feeds import feed as feeding
from hub.feeds.feed import Feed
from hub.feeds.model import Head
from hub.feeds.watching import EVENTS_PER_MESSAGE, Stream, Watching
from hub.jobs.board import Board
from hub.jobs.event_store import PostgresEventLog
from hub.jobs.model import Event
from mesh.duty import DutyLoop
from tests.hub.test_event_order import tell


class CountedLog(PostgresEventLog):
    """The real one, which counts what it is asked."""

    def __init__(self, engine: AsyncEngine) -> None:
        super().__init__(engine)
        self.asked: Counter[str] = Counter()

    async def number(self, limit: int) -> int:
        self.asked["number"] += 1
        return await super().number(limit)

    async def head(self) -> Head:
        self.asked["head"] += 1
        return await super().head()

    async def all_after(self, cursor: int, limit: int) -> list[Event]:
        self.asked["all_after"] += 1
        return await super().all_after(cursor, limit)

    async def between(
        self, tenant: str, *, after: int, upto: int, limit: int, job_id: str = ""
    ) -> list[Event]:
        self.asked["between"] += 1
        return await super().between(tenant, after=after, upto=upto, limit=limit, job_id=job_id)


class Service:
    """A replica's streams, on a real store."""

    def __init__(self, engine: AsyncEngine) -> None:
        self.engine, self.board, self.draining = engine, Board(), asyncio.Event()
        self.log = CountedLog(engine)
        self.feed = Feed("jobs", self.log, news=self.board.news, draining=self.draining)
        self.loop = DutyLoop(self.feed)
        self.feed.wake = self.loop.hint
        self.watching = Watching(self.log, self.feed, most=400)

    async def tell(self, first: int, last: int, *, tenant: str = "acme") -> None:
        """Commits events of jobs and says so."""
        async with self.engine.begin() as connection:
            for number in range(first, last + 1):
                await tell(connection, number, tenant=tenant)
        self.board.post("any")


@pytest.fixture
async def service(hub_engine: AsyncEngine) -> AsyncIterator[Service]:
    """It runs."""
    running = Service(hub_engine)
    task = asyncio.create_task(running.loop.run())
    yield running
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def read(stream: Stream[Event], count: int) -> list[int]:
    """The jobs that so many events speak of, as soon as they have come."""
    seen: list[Event] = []
    async with asyncio.timeout(10):
        while len(seen) < count:
            seen += await stream.batch()
    assert sorted(e.cursor for e in seen) == [e.cursor for e in seen]
    return [int(e.job.job_id[-12:]) for e in seen]


@asynccontextmanager
async def reading(service: Service, tenant: str, count: int) -> AsyncIterator[list[Stream[Event]]]:
    """Streams of a tenant, each waiting for what comes."""
    async with AsyncExitStack() as stack:
        opened = [service.watching.stream(tenant, after=-1) for _ in range(count)]
        streams = [await stack.enter_async_context(stream) for stream in opened]
        waiting = [asyncio.create_task(stream.batch()) for stream in streams]
        yield streams
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)


async def test_what_is_read_does_not_grow_with_those_who_follow(service: Service) -> None:
    async with (
        reading(service, "quiet", 300),
        service.watching.stream("acme", after=0) as stream,
    ):
        await service.tell(1, 1)
        assert await read(stream, 1) == [1]
        service.log.asked.clear()
        for number in range(2, 12):
            await service.tell(number, number)
            assert await read(stream, 1) == [number]
        assert service.log.asked["between"] == 0
        assert service.log.asked["all_after"] <= 40


async def test_all_who_follow_a_tenant_see_its_events_and_nobody_elses(service: Service) -> None:
    async with (
        service.watching.stream("acme", after=0) as first,
        service.watching.stream("acme", after=0) as second,
        service.watching.stream("other", after=0) as other,
    ):
        await service.tell(1, 3)
        await service.tell(4, 4, tenant="other")
        assert await read(first, 3) == await read(second, 3) == [1, 2, 3]
        assert await read(other, 1) == [4]


async def test_a_stream_of_one_job_sees_that_job_only(service: Service) -> None:
    await service.tell(1, 2)
    job_id = "01890000-0000-7000-8000-000000000002"
    async with service.watching.stream("acme", after=0, job_id=job_id) as stream:
        assert await read(stream, 1) == [2]
        await service.tell(1, 2)
        assert await read(stream, 1) == [2]


async def test_a_reader_that_is_slow_misses_nothing(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feeding, "MOST_WAITING", 50)
    async with (
        service.watching.stream("acme", after=0) as slow,
        service.watching.stream("acme", after=0) as quick,
    ):
        await service.tell(1, 1)
        assert await read(slow, 1) == await read(quick, 1) == [1]
        for first in range(2, 302, 50):
            await service.tell(first, first + 49)
            await read(quick, 50)
        assert await read(slow, 300) == list(range(2, 302))
        await service.tell(302, 302)
        assert await read(slow, 1) == [302]


async def test_a_reader_that_comes_back_reads_what_it_missed_and_goes_on(service: Service) -> None:
    await service.tell(1, EVENTS_PER_MESSAGE + 40)
    async with service.watching.stream("acme", after=0) as stream:
        assert await read(stream, EVENTS_PER_MESSAGE) == list(range(1, EVENTS_PER_MESSAGE + 1))
        cursor = stream.cursor
    async with service.watching.stream("acme", after=cursor) as stream:
        await service.tell(1000, 1000)
        assert (await read(stream, 41))[-2:] == [EVENTS_PER_MESSAGE + 40, 1000]


async def test_events_that_no_hint_tells_of_are_seen_all_the_same(service: Service) -> None:
    async with service.watching.stream("acme", after=-1) as stream:
        async with service.engine.begin() as connection:
            await tell(connection, 1)
        assert await read(stream, 1) == [1]


async def test_from_now_on_means_what_is_not_committed_yet(service: Service) -> None:
    await service.tell(1, 5)
    async with service.watching.stream("acme", after=-1) as stream:
        await service.tell(6, 6)
        assert await read(stream, 1) == [6]


async def test_a_stream_ends_its_wait_when_the_replica_drains(service: Service) -> None:
    async with service.watching.stream("acme", after=-1) as stream:
        service.draining.set()
        async with asyncio.timeout(5):
            assert await stream.batch() == []


async def test_a_tenant_has_so_many_streams_and_may_open_one_when_another_is_closed(
    service: Service,
) -> None:
    few = Watching(service.log, service.feed, most=2)
    async with few.stream("acme", after=-1):
        async with few.stream("acme", after=-1), few.stream("other", after=-1):
            with pytest.raises(TooManyStreams):
                await few.stream("acme", after=-1).__aenter__()
        async with few.stream("acme", after=-1):
            pass


@pytest.mark.parametrize("cursor", [2, 1 << 40, 1 << 62])
async def test_a_cursor_beyond_the_newest_is_refused_and_told_which_that_is(
    service: Service, cursor: int
) -> None:
    await service.tell(1, 1)
    async with service.watching.stream("acme", after=-1) as stream:
        history = stream.history
    with pytest.raises(CursorOutOfRange) as refused:
        await service.watching.stream("acme", after=cursor).__aenter__()
    assert refused.value.metadata == {"newest_cursor": "1", "history": history}
    async with service.watching.stream("acme", after=1, history=history):
        pass


async def test_a_cursor_of_another_history_is_refused(service: Service, hub_database: dict[str, str]) -> None:
    await service.tell(1, 2)
    async with service.watching.stream("acme", after=0) as stream:
        await read(stream, 2)
        cursor, history = stream.cursor, stream.history
    await restored(hub_database["hub_owner"])
    with pytest.raises(CursorOutOfRange):
        await service.watching.stream("acme", after=cursor, history=history).__aenter__()


async def restored(url: str) -> None:
    """Does what an operator does after a restore."""
    owner = open_engine(url)
    async with single(owner).connect() as connection:
        await connection.execute(text("UPDATE event_head SET history = gen_random_uuid()"))
    await owner.dispose()
