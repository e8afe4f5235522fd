"""What is due for a sink, and the store of alerts on real Postgres."""

import asyncio
from datetime import datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.ext.asyncio import AsyncEngine

from hub.alerts.model import NEVER, Alert, AlertState, Candidate, Told, backoff, is_due
from hub.alerts.store import PostgresAlertStore
from mesh.clock import SystemClock
from tests.hub.jobs import NOW

ALERT = Alert("k", "DeadLetters", "SEV1", {"provider": "echo", "account": "default"}, "1 dead", "docs/x.md")
START = NOW - timedelta(hours=1)
OTHER_START = NOW - timedelta(hours=2)


def ago(seconds: float) -> datetime:
    """So long before now."""
    return NOW - timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("change", "ended", "told", "repeats", "due"),
    [
        pytest.param(1, None, Told(), False, True, id="never told"),
        pytest.param(3, None, Told(2, OTHER_START, ago(1)), False, True, id="fires again"),
        pytest.param(2, ago(1), Told(1, START, ago(1)), False, True, id="has ended"),
        pytest.param(2, ago(1), Told(), False, True, id="has begun and ended"),
        pytest.param(2, None, Told(1, START, ago(59)), False, False, id="says more, told just now"),
        pytest.param(2, None, Told(1, START, ago(60)), False, True, id="says more, told a minute ago"),
        pytest.param(1, None, Told(1, START, ago(999)), False, False, id="nothing new"),
        pytest.param(1, None, Told(1, START, ago(59)), True, False, id="repeated a minute after"),
        pytest.param(1, None, Told(1, START, ago(60)), True, True, id="repeated"),
        pytest.param(2, ago(299), Told(2, START, ago(60)), True, True, id="end repeated"),
        pytest.param(2, ago(300), Told(2, START, ago(60)), True, False, id="end repeated enough"),
        pytest.param(2, ago(999), Told(1, START, ago(999)), True, True, id="end not told yet"),
        pytest.param(1, None, Told(1, START, NOW + timedelta(hours=1)), True, False, id="clock went back"),
    ],
)
def test_what_is_due(change: int, ended: datetime | None, told: Told, repeats: bool, due: bool) -> None:
    state = AlertState(ALERT, change, START, NOW, ended)
    assert is_due(Candidate(state, told), repeats=repeats, now=NOW) is due


def test_backoff_grows_to_a_minute_and_is_spread_over_all_of_it() -> None:
    longest = [backoff(n, lambda: 1.0).total_seconds() for n in range(9)]
    assert longest == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    assert backoff(10**6, lambda: 0.25).total_seconds() == 15
    assert backoff(3, lambda: 0.0).total_seconds() == 0


def test_ids_are_stable_for_a_change_and_differ_between_changes() -> None:
    state = AlertState(ALERT, 2, START, NOW, None)
    same = AlertState(ALERT, 2, START, NOW, None)
    after_a_restored_backup = AlertState(ALERT, 2, START, NOW + timedelta(seconds=1), None)
    assert state.change_id == same.change_id
    assert len({state.change_id, state.start_id, after_a_restored_backup.change_id}) == 3


def alert(key: str = "k", summary: str = "1 dead") -> Alert:
    """An alert of a key."""
    return Alert(key, "DeadLetters", "SEV1", {"provider": "echo", "account": "default"}, summary, "docs/x.md")


@pytest.fixture
def store(hub_engine: AsyncEngine) -> PostgresAlertStore:
    """The store, as the running hub's role."""
    return PostgresAlertStore(hub_engine)


async def one(store: PostgresAlertStore) -> AlertState:
    """The only alert."""
    (state,) = await store.all()
    return state


async def told_changes(store: PostgresAlertStore, sink: str = "s") -> dict[str, int]:
    """What the sink may have to be told an hour from now, and which change it knows."""
    found = await store.candidates(sink, repeats=True, now=SystemClock().now() + timedelta(hours=1))
    return {c.state.alert.key: c.told.change for c in found}


async def test_raising_what_fires_already_changes_nothing(store: PostgresAlertStore) -> None:
    assert await store.raise_alert(alert())
    first = await one(store)
    assert not await store.raise_alert(alert())
    assert await one(store) == first
    assert first.alert == alert()
    assert first.change == 1


async def test_raising_it_with_more_to_say_is_a_change_of_the_same_start(store: PostgresAlertStore) -> None:
    await store.raise_alert(alert())
    first = await one(store)
    assert await store.raise_alert(alert(summary="2 dead"))
    second = await one(store)
    assert (second.change, second.started_at, second.alert.summary) == (2, first.started_at, "2 dead")
    assert second.changed_at > first.changed_at


async def test_it_ends_once_and_can_begin_again(store: PostgresAlertStore) -> None:
    await store.raise_alert(alert())
    first = await one(store)
    assert await store.end_alert("k")
    assert not await store.end_alert("k")
    ended = await one(store)
    assert (ended.change, ended.ended_at) == (2, ended.changed_at)
    assert await store.firing() == []
    assert await store.raise_alert(alert())
    again = await one(store)
    assert (again.change, again.ended_at) == (3, None)
    assert again.started_at > first.started_at


async def test_ending_what_was_never_raised_changes_nothing(store: PostgresAlertStore) -> None:
    assert not await store.end_alert("k")
    assert await store.all() == []


async def test_raised_by_many_at_once_it_begins_once(store: PostgresAlertStore) -> None:
    raised = await asyncio.gather(*(store.raise_alert(alert()) for _ in range(8)))
    assert sorted(raised) == [False] * 7 + [True]
    assert (await one(store)).change == 1


async def test_a_raise_that_is_rolled_back_is_never_told(
    store: PostgresAlertStore, hub_engine: AsyncEngine
) -> None:
    async with hub_engine.connect() as connection:
        await connection.execute(
            text(
                "INSERT INTO alert (alert_key, name, severity, labels, summary) VALUES ('k','n','s','{}','')"
            )
        )
        assert await told_changes(store) == {}
        await connection.rollback()
    assert await told_changes(store) == {}


async def test_the_running_hub_can_delete_no_alert(hub_engine: AsyncEngine) -> None:
    for table in ("alert", "alert_delivery"):
        with pytest.raises(ProgrammingError):
            async with hub_engine.begin() as connection:
                await connection.execute(text(f"DELETE FROM {table}"))


async def test_what_backs_off_is_left_alone_until_its_time(store: PostgresAlertStore) -> None:
    await store.raise_alert(alert())
    now = SystemClock().now()
    later = now + timedelta(seconds=30)
    await store.record_failed("s", {"k": later})
    await store.record_failed("s", {"k": later})
    assert await store.candidates("s", repeats=False, now=later - timedelta(seconds=1)) == []
    (candidate,) = await store.candidates("s", repeats=False, now=later)
    assert candidate.told == Told(0, None, NEVER, 2)
    await store.record_told("s", [candidate.state], later)
    (candidate,) = await store.candidates("s", repeats=True, now=now)
    assert candidate.told == Told(1, candidate.state.started_at, later, 0)


async def test_sinks_are_told_each_for_itself(store: PostgresAlertStore) -> None:
    await store.raise_alert(alert())
    await store.record_told("s", [await one(store)], SystemClock().now())
    await store.record_failed("t", {"k": SystemClock().now()})
    assert await told_changes(store, "s") == {"k": 1}
    assert await told_changes(store, "t") == {"k": 0}
    told = (await store.deliveries(["k", "none"]))["k"]
    assert {sink: (t.change, t.failures) for sink, t in told.items()} == {"s": (1, 0), "t": (0, 1)}


async def test_a_late_record_of_an_older_change_takes_nothing_back(store: PostgresAlertStore) -> None:
    await store.raise_alert(alert())
    older = await one(store)
    await store.raise_alert(alert(summary="2 dead"))
    await store.record_told("s", [await one(store)], SystemClock().now())
    await store.record_told("s", [older], SystemClock().now())
    assert await told_changes(store) == {"k": 2}


async def test_a_new_sink_is_spared_what_ended_long_ago(store: PostgresAlertStore) -> None:
    await store.raise_alert(alert())
    await store.raise_alert(alert("failed"))
    now = SystemClock().now()
    await store.record_failed("s", {"failed": now})
    for key in ("k", "failed"):
        await store.end_alert(key)
    for hours, wanted in ((23, {"k", "failed"}), (25, {"failed"})):
        found = await store.candidates("s", repeats=False, now=now + timedelta(hours=hours))
        assert {c.state.alert.key for c in found} == wanted


async def test_starts_and_ends_come_before_repetitions(store: PostgresAlertStore) -> None:
    for key in ("told", "ended", "begun"):
        await store.raise_alert(alert(key))
        if key != "begun":
            (state,) = [s for s in await store.firing() if s.alert.key == key]
            await store.record_told("s", [state], state.changed_at)
    await store.end_alert("ended")
    assert list(await told_changes(store)) == ["begun", "ended", "told"]
