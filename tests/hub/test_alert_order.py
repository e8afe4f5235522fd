"""Statements that raise or end several alerts wait for nobody in a ring."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from hub.alerts.model import Alert
from hub.alerts.store import PostgresAlertStore
from hub.database.engine import open_engine
from hub.database.statements import reader
from hub.housekeeping.concerns import HERE
from hub.housekeeping.store import PostgresHousekeepingStore
from hub.operators.store import PostgresOperationsStore
from tests.hub.test_key_order import WAITING

LANES = [f"echo/{n:02}" for n in range(12)]
LETTERS = [f"DeadLetters/{lane}/expired" for lane in LANES]
HELD = [f"LaneNotWorking/{lane}" for lane in LANES]
CONCERNS = [f"{HERE[0]}/{lane}" for lane in LANES]
_RAISE = reader("hub.alerts")("alert_raise")
_UNSEEN = text("UPDATE alert SET seen_at = now() - interval '1 minute'")
_TRIED_IN_VAIN = text(
    "INSERT INTO job (job_id, created_at, updated_at, expire_at, due_at, state, priority, lane_id, tenant, "
    "operation, request_id, attempt_count) SELECT gen_random_uuid(), now(), now(), now(), now(), 4, 0, lane, "
    "'acme', 'o', lane, 1 FROM unnest(CAST(:lanes AS text[])) AS lane"
)

Act = Callable[[AsyncEngine], Awaitable[None]]


def alert(key: str) -> Alert:
    """An alert of a key."""
    return Alert(key, key.split("/")[0], "SEV2", {}, "something is wrong")


async def firing(engine: AsyncEngine, keys: list[str]) -> None:
    """Lets alerts fire, whose causes are gone, so that the last lies first."""
    store = PostgresAlertStore(engine)
    for key in reversed(keys):
        await store.raise_alert(alert(key))
    async with engine.begin() as connection:
        await connection.execute(_UNSEEN)


async def dead(engine: AsyncEngine) -> None:
    """Jobs of many lanes are over, tried in vain."""
    async with engine.begin() as connection:
        await connection.execute(_TRIED_IN_VAIN, {"lanes": LANES})


async def expires(engine: AsyncEngine) -> None:
    """Makes them dead letters."""
    await PostgresHousekeepingStore(engine).expire(100)


async def raises_concerns(engine: AsyncEngine) -> None:
    """Raises what is wrong with many lanes, the last first."""
    await PostgresHousekeepingStore(engine).agree(CONCERNS, [alert(key) for key in reversed(CONCERNS)])


async def ends_concerns(engine: AsyncEngine) -> None:
    """Ends what was wrong."""
    await PostgresHousekeepingStore(engine).agree([], [])


async def ends_letters(engine: AsyncEngine) -> None:
    """Ends the alerts of letters that have left."""
    await PostgresOperationsStore(engine).reconcile_alerts(timedelta(minutes=5))


async def ends_lanes(engine: AsyncEngine) -> None:
    """Ends the alerts of lanes that are no more."""
    await PostgresOperationsStore(engine).reconcile_lanes([], [])


async def nothing(engine: AsyncEngine) -> None:
    """There is nothing before."""


@pytest.fixture
async def stranger(
    hub_database: Mapping[str, str], hub_engine: AsyncEngine
) -> AsyncIterator[AsyncConnection]:
    """Somebody else's transaction."""
    engine = open_engine(hub_database["hub_rw"])
    async with engine.connect() as connection:
        yield connection
    await engine.dispose()


async def until_waiting_or(done: "asyncio.Task[None]", engine: AsyncEngine) -> None:
    """Returns when somebody waits for a lock, or the work is done."""
    async with asyncio.timeout(5), engine.connect() as connection:
        while not done.done() and not (await connection.execute(WAITING)).scalar_one():
            await connection.rollback()
            await asyncio.sleep(0.01)


async def raised(connection: AsyncConnection, key: str) -> None:
    """Raises an alert within a transaction that goes on."""
    one = alert(key)
    said = {"name": one.name, "severity": one.severity, "summary": one.summary, "runbook": "", "labels": "{}"}
    await connection.execute(_RAISE, {"key": key, **said})


@pytest.mark.parametrize(
    ("keys", "before", "act"),
    [
        (LETTERS, dead, expires),
        (CONCERNS, nothing, raises_concerns),
        (CONCERNS, firing, ends_concerns),
        (LETTERS, firing, ends_letters),
        (HELD, firing, ends_lanes),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
async def test_who_raises_the_same_alerts_in_the_order_of_their_keys_is_never_waited_for_in_a_ring(
    hub_engine: AsyncEngine,
    stranger: AsyncConnection,
    keys: list[str],
    before: Callable[..., Awaitable[None]],
    act: Act,
) -> None:
    await (firing(hub_engine, keys) if before is firing else before(hub_engine))
    await raised(stranger, keys[0])
    acting = asyncio.create_task(act(hub_engine))
    await until_waiting_or(acting, hub_engine)
    for key in keys[1:]:
        await raised(stranger, key)
    await stranger.commit()
    await acting
