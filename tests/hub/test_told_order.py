"""What providers say gets its cursors after the commit: in order, none skipped, held back by nobody."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from typing import Any

import pytest
from sqlalchemy import event, text
from sqlalchemy.ext.asyncio import AsyncEngine

from hub.database.engine import open_engine, single
from hub.errors import CursorOutOfRange
from hub.events.told import Told
from hub.events.told_store import PostgresToldLog
from hub.feeds import watching
from hub.feeds.watching import Stream, Watching
from tests.hub.jobs import new_job
from tests.hub.told import tell, told_to


def names(events: list[Told]) -> list[str]:
    """Which events."""
    return [e.event_id for e in events]


async def read(stream: Stream[Told], count: int) -> list[Told]:
    """So many events, as soon as they have come."""
    seen: list[Told] = []
    async with asyncio.timeout(20):
        while len(seen) < count:
            seen += await stream.batch()
    return seen


class Replica:
    """The streams of one replica."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._tasks: list[asyncio.Task[None]] = []
        log = PostgresToldLog(engine)
        self.watching: Watching[Told] = watching.start(
            "told",
            fed=log,
            log=log,
            news=asyncio.Event,
            draining=asyncio.Event(),
            most=400,
            run=lambda loop: self._tasks.append(asyncio.create_task(loop.run())),
        )

    async def stop(self) -> None:
        """Ends at once."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


@pytest.fixture
async def replica(hub_engine: AsyncEngine) -> AsyncIterator[Replica]:
    """It runs."""
    running = Replica(hub_engine)
    yield running
    await running.stop()


async def test_what_is_told_is_read_while_transactions_are_open_in_this_and_other_databases(
    hub_engine: AsyncEngine, audit_database: Mapping[str, str], hub_database: Mapping[str, str]
) -> None:
    foreign = [open_engine(url) for url in (audit_database["audit_owner"], hub_database["hub_owner"])]
    async with AsyncExitStack() as stack:
        for engine in foreign:
            connection = await stack.enter_async_context(engine.connect())
            await connection.execute(text("SELECT pg_current_xact_id()"))
        async with hub_engine.begin() as writer:
            await tell(writer, "evt")
        assert names(await told_to(hub_engine)) == ["evt-1"]
    for engine in foreign:
        await engine.dispose()


async def test_a_commit_that_comes_late_is_told_after_what_has_been_read(hub_engine: AsyncEngine) -> None:
    async with hub_engine.begin() as slow:
        await tell(slow, "slow")
        async with hub_engine.begin() as quick:
            await tell(quick, "quick")
        told = await told_to(hub_engine)
        assert names(told) == ["quick-1"]
    assert names(await told_to(hub_engine, after=told[-1].cursor)) == ["slow-1"]


async def test_nothing_is_skipped_or_told_twice_whoever_commits_and_numbers_meanwhile(
    hub_engine: AsyncEngine,
) -> None:
    log, done = PostgresToldLog(hub_engine), asyncio.Event()

    async def write(writer: int) -> None:
        for number in range(10):
            async with hub_engine.begin() as connection:
                await connection.execute(text("SELECT pg_sleep(random() * 0.01)"))
                await tell(connection, f"{writer}-{number}")
                await connection.execute(text("SELECT pg_sleep(random() * 0.01)"))

    async def number() -> None:
        while not done.is_set():
            await log.number(3)

    async def follow() -> list[Told]:
        seen: list[Told] = []
        while len(seen) < 40:
            seen += await log.all_after(seen[-1].cursor if seen else 0, 5)
        return seen

    async with asyncio.timeout(30):
        numbering = [asyncio.create_task(number()) for _ in range(3)]
        seen, *_ = await asyncio.gather(follow(), *(write(writer) for writer in range(4)))
        done.set()
        await asyncio.gather(*numbering)
    assert [e.cursor for e in seen] == list(range(1, 41))
    for writer in range(4):
        assert [n for n in names(seen) if n.startswith(f"{writer}-")] == [
            f"{writer}-{n}-1" for n in range(10)
        ]


async def test_a_reader_goes_on_at_another_replica_and_misses_nothing(hub_engine: AsyncEngine) -> None:
    first = Replica(hub_engine)
    async with first.watching.stream("acme", after=-1) as stream:
        async with hub_engine.begin() as connection:
            await tell(connection, "before")
        (event_before,) = await read(stream, 1)
        assert event_before.event_id == "before-1"
        cursor, history = stream.cursor, stream.history
    await first.stop()
    async with hub_engine.begin() as connection:
        await tell(connection, "between", count=300)
    second = Replica(hub_engine)
    async with second.watching.stream("acme", after=cursor, history=history) as stream:
        assert names(await read(stream, 300)) == [f"between-{n}" for n in range(1, 301)]
        async with hub_engine.begin() as connection:
            await tell(connection, "after")
        assert names(await read(stream, 1)) == ["after-1"]
    await second.stop()


async def test_three_hundred_who_follow_cost_as_many_statements_as_one(
    replica: Replica, hub_engine: AsyncEngine
) -> None:
    statements: list[str] = []

    def count(*given: Any) -> None:
        statements.append(given[2])

    async with AsyncExitStack() as stack:
        opened = [replica.watching.stream("acme", after=-1) for _ in range(300)]
        streams = [await stack.enter_async_context(stream) for stream in opened]
        reading = [asyncio.create_task(read(stream, 20)) for stream in streams]
        event.listen(hub_engine.sync_engine, "before_cursor_execute", count)
        for number in range(20):
            async with hub_engine.begin() as connection:
                await tell(connection, f"evt-{number}")
        seen = await asyncio.gather(*reading)
        event.remove(hub_engine.sync_engine, "before_cursor_execute", count)
    expected = [f"evt-{number}-1" for number in range(20)]
    assert all(names(one) == expected for one in seen)
    # Twenty are the tests' own; the feed numbers and reads a few times in each second.
    assert len(statements) < 100


async def test_a_cursor_of_another_history_is_refused(
    replica: Replica, hub_engine: AsyncEngine, hub_database: Mapping[str, str]
) -> None:
    async with hub_engine.begin() as connection:
        await tell(connection, "evt")
    async with replica.watching.stream("acme", after=0) as stream:
        await read(stream, 1)
        cursor, history = stream.cursor, stream.history
    owner = open_engine(hub_database["hub_owner"])
    async with single(owner).connect() as connection:
        await connection.execute(text("UPDATE event_head SET history = gen_random_uuid()"))
    await owner.dispose()
    with pytest.raises(CursorOutOfRange):
        await replica.watching.stream("acme", after=cursor, history=history).__aenter__()


async def test_a_quiet_tenant_and_a_job_read_past_nothing_of_others(
    hub_engine: AsyncEngine, hub_database: Mapping[str, str]
) -> None:
    job_id = new_job(1).job_id
    async with hub_engine.begin() as connection:
        await tell(connection, "many", count=20_000)
        await tell(connection, "one", tenant="quiet", job_id=job_id)
    await PostgresToldLog(hub_engine).number(30_000)
    owner = open_engine(hub_database["hub_owner"])
    async with single(owner).connect() as connection:
        await connection.execute(text("VACUUM ANALYZE provider_event"))
    await owner.dispose()
    engine = open_engine(hub_database["hub_rw"], connections=1)
    before = await rows_read(engine)
    assert names(await told_to(engine, "quiet")) == ["one-1"]
    assert names(await told_to(engine, "quiet", job_id=job_id)) == ["one-1"]
    assert await told_to(engine, "beta", job_id=job_id) == []
    assert await rows_read(engine) - before < 20
    await engine.dispose()


async def rows_read(engine: AsyncEngine) -> int:
    """How many rows of what is told have been read by anybody."""
    count = text(
        "SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_user_tables WHERE relname = 'provider_event'"
    )
    async with single(engine).connect() as connection:
        await connection.execute(text("SELECT pg_stat_force_next_flush()"))
        return (await connection.execute(count)).scalar_one()  # type: ignore[no-any-return]
