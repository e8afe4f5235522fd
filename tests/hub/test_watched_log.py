"""The log's outage as an alert: on real Postgres, by a clock that is moved by hand."""

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from hub.alerts.store import PostgresAlertStore
from hub.lanes.ports import LogContradicts, LogUnavailable
from hub.lanes.watched_log import AUDIT_CONTRADICTS, AUDIT_UNAVAILABLE, PATIENCE_SECONDS, WatchedLog
from tests.fakes import FakeLog, HandClock


class Watch:
    """A hub's view of a log, and the alerts that it keeps."""

    def __init__(self, engine: AsyncEngine) -> None:
        self.engine = engine
        self.alerts = PostgresAlertStore(engine)
        self.clock = HandClock()
        self.log = FakeLog()
        self.start_hub()

    def start_hub(self) -> None:
        """A process begins that knows nothing of the one before."""
        self.watched = WatchedLog(self.log, alerts=self.alerts, clock=self.clock)

    async def append(self) -> None:
        """Hands one statement to the log, which is there."""
        await self.watched.append([b"{}"], {})

    async def append_in_vain(self, *, seconds: float = PATIENCE_SECONDS) -> None:
        """Tries at both ends of a span of time; the log is away."""
        self.log.down = True
        for wait in (seconds, 0.0):
            with pytest.raises(LogUnavailable):
                await self.watched.append([b"{}"], {})
            self.clock.move(wait)
        self.log.down = False

    async def contradict(self) -> None:
        """The log takes a statement and proves it wrongly."""
        self.log.error = LogContradicts("another root")
        with pytest.raises(LogContradicts):
            await self.append()
        self.log.error = None

    async def pass_time(self, seconds: float) -> None:
        """For the hubs and for the database alike."""
        self.clock.move(seconds)
        async with self.engine.begin() as connection:
            ago = text("UPDATE alert SET seen_at = seen_at - make_interval(secs => :seconds)")
            await connection.execute(ago, {"seconds": seconds})

    async def firing(self) -> list[str]:
        """The keys of what fires."""
        return [state.alert.key for state in await self.alerts.firing()]


@pytest.fixture
def watch(hub_engine: AsyncEngine) -> Watch:
    """A hub that has just begun."""
    return Watch(hub_engine)


async def test_it_fires_when_the_log_has_been_away_for_a_while_and_ends_with_it(watch: Watch) -> None:
    await watch.append()
    await watch.append_in_vain()
    assert await watch.firing() == [AUDIT_UNAVAILABLE.key]
    await watch.append()
    assert await watch.firing() == []


async def test_a_hub_that_has_never_reached_the_log_says_so(watch: Watch) -> None:
    await watch.append_in_vain()
    assert await watch.firing() == [AUDIT_UNAVAILABLE.key]


async def test_a_moment_without_the_log_is_no_alert(watch: Watch) -> None:
    await watch.append()
    await watch.append_in_vain(seconds=PATIENCE_SECONDS - 0.1)
    await watch.append()
    await watch.append_in_vain(seconds=PATIENCE_SECONDS - 0.1)
    assert await watch.firing() == []


async def test_what_a_hub_before_has_raised_ends_when_the_log_is_back(watch: Watch) -> None:
    await watch.append_in_vain()
    watch.start_hub()
    assert await watch.firing() == [AUDIT_UNAVAILABLE.key]
    await watch.append()
    assert await watch.firing() == []


async def test_what_a_hub_that_died_has_raised_is_ended_by_another_that_reaches_the_log(watch: Watch) -> None:
    await watch.append()
    other = watch.watched
    watch.start_hub()
    await watch.append_in_vain()
    await watch.pass_time(31)
    await other.append([b"{}"], {})
    assert await watch.firing() == []


async def test_a_hub_that_cannot_reach_the_log_keeps_its_alert_although_another_can(watch: Watch) -> None:
    await watch.append()
    other = watch.watched
    watch.start_hub()
    for _ in range(4):
        await watch.append_in_vain()
        await watch.pass_time(11)
        await other.append([b"{}"], {})
        assert await watch.firing() == [AUDIT_UNAVAILABLE.key]


async def test_a_hub_that_is_still_away_raises_again_what_another_has_ended(watch: Watch) -> None:
    await watch.append_in_vain()
    assert await watch.alerts.end_alert(AUDIT_UNAVAILABLE.key)
    await watch.pass_time(11)
    await watch.append_in_vain()
    assert await watch.firing() == [AUDIT_UNAVAILABLE.key]


async def test_it_fires_again_in_the_next_outage(watch: Watch) -> None:
    for _ in range(2):
        await watch.append_in_vain()
        assert await watch.firing() == [AUDIT_UNAVAILABLE.key]
        await watch.append()
        assert await watch.firing() == []


async def test_a_log_that_contradicts_itself_is_an_alert_that_no_later_answer_ends(watch: Watch) -> None:
    await watch.append()
    await watch.contradict()
    assert await watch.firing() == [AUDIT_CONTRADICTS.key]
    await watch.append()
    assert await watch.firing() == [AUDIT_CONTRADICTS.key]


async def test_a_hub_that_is_started_after_a_person_has_looked_ends_it(watch: Watch) -> None:
    await watch.contradict()
    watch.start_hub()
    await watch.append()
    assert await watch.firing() == []
