"""Events of jobs get their cursors after they are committed: in order, without a gap, none skipped."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from hub.database.engine import open_engine, single
from hub.jobs.event_store import PostgresEventLog
from hub.jobs.model import Event, JobState
from hub.jobs.store import PostgresJobStore
from local.stack.postgres import Server
from tests.hub.jobs import new_job, withdrawal

_INTO = """INSERT INTO job_event (job_id, tenant, state, at, lane_id, operation, request_id, attempt_count,
                       created_at, expire_at, provider_reference, reason, message)
SELECT CAST({job_id} AS uuid), :tenant, :state, now(), 'echo/default', 'o',
       'r', 0, now(), now(), '', '', ''
"""
_TELL = text(_INTO.format(job_id=":job_id"))
_TELL_MANY = text(_INTO.format(job_id="gen_random_uuid()") + "FROM generate_series(1, 20000)")


async def tell(connection: AsyncConnection, number: int, *, tenant: str = "acme", state: int = 2) -> None:
    """Writes an event down, as the end of a change of a job does."""
    event = {"job_id": new_job(number).job_id, "tenant": tenant, "state": state}
    await connection.execute(_TELL, event)


async def read(engine: AsyncEngine, after: int = 0, tenant: str = "acme") -> list[Event]:
    """Numbers what is committed, and reads a tenant's."""
    log = PostgresEventLog(engine)
    while await log.number(10):
        pass
    return await log.between(tenant, after=after, upto=(await log.head()).cursor, limit=1000)


def numbers(events: list[Event]) -> list[int]:
    """Which jobs events speak of."""
    return [int(e.job.job_id[-12:]) for e in events]


async def test_a_commit_that_comes_late_comes_after_what_has_been_read(hub_engine: AsyncEngine) -> None:
    async with hub_engine.begin() as slow:
        await tell(slow, 1)
        async with hub_engine.begin() as quick:
            await tell(quick, 2)
        events = await read(hub_engine)
        assert numbers(events) == [2]
    assert numbers(await read(hub_engine, after=events[-1].cursor)) == [1]


async def test_what_is_rolled_back_leaves_no_gap(hub_engine: AsyncEngine) -> None:
    async with hub_engine.connect() as connection:
        await tell(connection, 1)
        await connection.rollback()
    async with hub_engine.begin() as connection:
        await tell(connection, 2)
    assert [e.cursor for e in await read(hub_engine)] == [1]


async def test_events_are_read_while_transactions_are_open_in_this_and_other_databases(
    hub_engine: AsyncEngine, audit_database: Mapping[str, str], hub_database: Mapping[str, str]
) -> None:
    foreign = [open_engine(url) for url in (audit_database["audit_owner"], hub_database["hub_owner"])]
    other, same = [await engine.connect() for engine in foreign]
    for connection in (other, same):
        await connection.execute(text("SELECT pg_current_xact_id()"))
    store = PostgresJobStore(hub_engine)
    await store.accept([new_job(1)])
    await store.cancel(new_job(1).job_id, withdrawal())
    assert [e.job.state for e in await read(hub_engine)] == [JobState.CANCELLED]
    for connection, engine in zip((other, same), foreign, strict=True):
        await connection.close()
        await engine.dispose()


async def test_a_prepared_transaction_that_is_forgotten_holds_nothing_up(
    hub_engine: AsyncEngine, audit_database: Mapping[str, str], postgres_server: Server
) -> None:
    if postgres_server.run("SHOW max_prepared_transactions").strip() == "0":
        return
    engine = open_engine(audit_database["audit_owner"])
    async with single(engine).connect() as connection:
        for statement in ("BEGIN", "SELECT pg_current_xact_id()", "PREPARE TRANSACTION 'forgotten'"):
            await connection.execute(text(statement))
        async with hub_engine.begin() as writer:
            await tell(writer, 1)
        assert numbers(await read(hub_engine)) == [1]
        await connection.execute(text("ROLLBACK PREPARED 'forgotten'"))
    await engine.dispose()


async def test_no_event_is_skipped_or_told_twice_whoever_commits_and_numbers_meanwhile(
    hub_engine: AsyncEngine,
) -> None:
    log, done = PostgresEventLog(hub_engine), asyncio.Event()

    async def write(job: int) -> None:
        for state in range(1, 11):
            async with hub_engine.begin() as connection:
                await connection.execute(text("SELECT pg_current_xact_id()"))
                await connection.execute(text("SELECT pg_sleep(random() * 0.01)"))
                await tell(connection, job, state=state)
                await connection.execute(text("SELECT pg_sleep(random() * 0.01)"))

    async def number() -> None:
        while not done.is_set():
            await log.number(3)

    async def follow() -> list[Event]:
        seen: list[Event] = []
        while len(seen) < 40:
            seen += await log.all_after(seen[-1].cursor if seen else 0, 5)
        return seen

    async with asyncio.timeout(30):
        numbering = [asyncio.create_task(number()) for _ in range(2)]
        seen, *_ = await asyncio.gather(follow(), *(write(job) for job in range(4)))
        done.set()
        await asyncio.gather(*numbering)
    assert [e.cursor for e in seen] == list(range(1, 41))
    states: dict[str, list[int]] = defaultdict(list)
    for event in seen:
        states[event.job.job_id].append(event.job.state)
    assert list(states.values()) == [list(range(1, 11))] * 4


async def test_an_event_carries_the_jobs_labels(hub_engine: AsyncEngine) -> None:
    store = PostgresJobStore(hub_engine)
    await store.accept([new_job(7)])
    await store.cancel(new_job(7).job_id, withdrawal())
    (event,) = await read(hub_engine)
    assert event.job.labels == {"order": "7"}


async def test_a_quiet_tenant_and_a_job_read_past_no_event_of_others(
    hub_engine: AsyncEngine, hub_database: Mapping[str, str]
) -> None:
    async with hub_engine.begin() as connection:
        await connection.execute(_TELL_MANY, {"tenant": "acme", "state": 2})
        await tell(connection, 1, tenant="quiet")
    await PostgresEventLog(hub_engine).number(30_000)
    owner = open_engine(hub_database["hub_owner"])
    async with single(owner).connect() as connection:
        await connection.execute(text("ANALYZE numbered_event"))
    await owner.dispose()
    engine = open_engine(hub_database["hub_rw"], connections=1)
    log, before = PostgresEventLog(engine), await rows_read(engine)
    assert numbers(await log.between("quiet", after=0, upto=30_000, limit=9)) == [1]
    assert numbers(await log.between("quiet", after=0, upto=30_000, limit=9, job_id=new_job(1).job_id)) == [1]
    assert await rows_read(engine) - before < 10
    await engine.dispose()


async def rows_read(engine: AsyncEngine) -> int:
    """How many rows of numbered events have been read by anybody."""
    count = text(
        "SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_user_tables WHERE relname = 'numbered_event'"
    )
    async with single(engine).connect() as connection:
        await connection.execute(text("SELECT pg_stat_force_next_flush()"))
        return (await connection.execute(count)).scalar_one()  # type: ignore[no-any-return]
