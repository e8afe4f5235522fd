"""A lane whose account, spoke or hub has gone: everything in it ends or waits for a person, who is told."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from hub.alerts.model import AlertState
from hub.housekeeping.abandoned import ABANDONED_SECONDS, ParkAbandoned, RelayUnowned, after_abandoned
from hub.housekeeping.concerns import Concern, of_lanes
from hub.housekeeping.expiring import Expiring
from hub.housekeeping.store import PostgresHousekeepingStore
from hub.housekeeping.watching import Watching
from hub.jobs.decision import Decision
from hub.jobs.letters import Cause
from hub.jobs.model import Claimed, JobState, Purpose
from hub.lanes.model import LaneMode
from hub.lanes.ports import Orphan, Settlement
from hub.lanes.relay import Relay
from hub.lanes.store import PostgresLaneLeases
from hub.operators.orders import Resolution
from hub.plans.model import Filter
from tests.fakes import FakeLog, FakeNotary, HandClock
from tests.hub.jobs import NOW, claimed, new_job
from tests.hub.test_operations_store import LANE, WHY, Desk

LATER = timedelta(hours=1)
LEASE = timedelta(minutes=5)
STATES = (JobState.WAITING_CONFIRMATION, JobState.IN_DOUBT, JobState.RETRY_WAIT)
QUEUED, RUNNING, LOOKED_AT = new_job(1), new_job(2), new_job(6)


class House:
    """The duties of the replica that keeps house, on a real store, with the test's own log and clock."""

    def __init__(self, engine: AsyncEngine) -> None:
        self.desk = Desk(engine)
        self.engine = engine
        self.store = store = PostgresHousekeepingStore(engine)
        self.leases = PostgresLaneLeases(engine)
        self.log, self.clock = FakeLog(), HandClock()
        self.posted: list[str] = []
        self.silent: list[str] = []
        self.expiring = Expiring(store.expire, store.next_expiry, self._post)
        self.relaying = RelayUnowned(store.lanes, self._relay)
        self.watching = Watching(self._find, store.agree, self.clock)
        self.parking = self.parker("hub-duty/housekeeping.1")

    def parker(self, owner: str) -> ParkAbandoned:
        """The duty that parks, of a replica."""
        return ParkAbandoned(
            owner,
            lanes=self.store.lanes,
            leases=self.leases,
            store=self.desk.lanes,
            park_doubts=self.store.park_doubts,
            is_silent=lambda provider: provider in self.silent,
            notary=FakeNotary(),
            log=self.log,
            clock=self.clock,
            post=self._post,
        )

    async def own(self, owner: str = "hub") -> int:
        """Lets a replica own the lane; its term."""
        await self.leases.acquire(owner, [LANE], LEASE)
        return (await self.leases.acquire(owner, [LANE], LEASE))[LANE].term

    async def deserted(self) -> None:
        """A job in every state, and then the last owner is gone."""
        term = await self.own()
        others = [new_job(n) for n in (3, 4, 5)]
        await self.desk.jobs.accept([*others, RUNNING, LOOKED_AT])
        orphans = await self.desk.lanes.claim(LANE, term, 9, FakeNotary().intents)
        decisions = [Decision(state, LATER, "BEFORE") for state in STATES]
        by_id = {o.claimed.job_id: o for o in orphans}
        ends = [_end(by_id[job.job_id], d) for job, d in zip(others, decisions, strict=True)]
        ends.append(_end(by_id[LOOKED_AT.job_id], Decision(JobState.IN_DOUBT, timedelta(), "BEFORE")))
        await self.desk.lanes.settle(LANE, term, ends)
        assert len(await self.desk.lanes.claim(LANE, term, 9, FakeNotary().intents)) == 1
        await self.desk.jobs.accept([QUEUED])
        await self.leases.release("hub", [LANE])

    async def over(self) -> None:
        """Lets the time of all jobs be over, and what they wait for have come."""
        async with self.engine.begin() as connection:
            await connection.execute(text("UPDATE job SET expire_at = now(), due_at = LEAST(due_at, now())"))

    async def go_round(self, seconds: float) -> None:
        """All duties once, and once more after so many seconds."""
        for wait in (0.0, seconds):
            self.clock.move(wait)
            for duty in (self.watching, self.expiring, self.relaying, self.parking):
                await duty.run_once()

    async def states(self) -> dict[int, tuple[JobState, bool]]:
        """Where each job stands, and whether a person has to look."""
        found = {}
        for n in range(1, 7):
            job = await self.desk.jobs.get(new_job(n).job_id)
            assert job is not None
            letter = await self.desk.store.letter(job.job_id)
            found[n] = (job.state, letter is not None and letter.left_at is None and job.due_at is None)
        return found

    async def firing(self) -> list[AlertState]:
        """The alerts that fire and are not about letters."""
        return [a for a in await self.desk.alerts.firing() if a.alert.name != "DeadLetters"]

    def _post(self, job_id: str, ending: object = None) -> None:
        self.posted.append(job_id)

    async def _relay(self, lane: str) -> float | None:
        return await Relay(lane, store=self.desk.lanes, log=self.log).run_once()

    async def _find(self) -> Sequence[Concern]:
        return of_lanes(await self.store.lanes(), self.silent)


def _end(orphan: Orphan, decision: Decision) -> Settlement:
    one = orphan.claimed
    return Settlement(one.job_id, one.seq, decision, "unknown", one.job_id, f"settled {one.job_id}".encode())


@pytest.fixture
def house(hub_engine: AsyncEngine) -> House:
    """A house on a fresh database."""
    return House(hub_engine)


async def test_what_waits_for_a_confirmation_until_after_its_expiry_is_kept_until_then(house: House) -> None:
    term = await house.own()
    await house.desk.jobs.accept([new_job(1)])
    (orphan,) = await house.desk.lanes.claim(LANE, term, 1, FakeNotary().intents)
    waits = Decision(JobState.WAITING_CONFIRMATION, LATER)
    await house.desk.lanes.settle(LANE, term, [_end(orphan, waits)])
    await house.leases.release("hub", [LANE])
    async with house.engine.begin() as connection:
        await connection.execute(text("UPDATE job SET expire_at = now()"))
    await house.go_round(ABANDONED_SECONDS)
    job = await house.desk.jobs.get(new_job(1).job_id)
    assert job is not None
    assert (job.state, house.posted) == (JobState.WAITING_CONFIRMATION, [])
    assert [lane.has_stranded for lane in await house.store.lanes()] == [False]
    assert await house.store.park_doubts(LANE, await house.own(), 9) == []
    await house.leases.release("hub", [LANE])
    await house.over()
    await house.go_round(ABANDONED_SECONDS)
    job = await house.desk.jobs.get(new_job(1).job_id)
    assert job is not None
    assert (job.state, job.reason) == (JobState.IN_DOUBT, "CONFIRMATION_OVERDUE")


@pytest.mark.parametrize(("over", "parked"), [(timedelta(hours=23), False), (timedelta(hours=25), True)])
@pytest.mark.parametrize("state", [JobState.WAITING_CONFIRMATION, JobState.IN_DOUBT])
async def test_what_is_over_for_a_day_is_parked_while_its_spoke_is_silent_and_its_lane_stays_its_owners(
    house: House, state: JobState, over: timedelta, *, parked: bool
) -> None:
    term = await house.own()
    await house.desk.jobs.accept([new_job(1)])
    (orphan,) = await house.desk.lanes.claim(LANE, term, 1, FakeNotary().intents)
    await house.desk.lanes.settle(LANE, term, [_end(orphan, Decision(state, timedelta()))])
    async with house.engine.begin() as connection:
        await connection.execute(
            text("UPDATE job SET expire_at = now() - CAST(:over AS interval)"), {"over": over}
        )
    await house.go_round(ABANDONED_SECONDS)
    assert house.posted == []
    house.silent = ["echo"]
    await house.go_round(ABANDONED_SECONDS)
    job = await house.desk.jobs.get(new_job(1).job_id)
    assert job is not None
    assert (job.due_at is None, house.posted) == (parked, [job.job_id] * parked)
    assert (await house.desk.store.letter(job.job_id) is not None) == parked
    assert await house.own() == term


async def test_all_that_an_account_leaves_behind_ends_or_is_parked_with_one_alert_that_names_the_lane(
    house: House,
) -> None:
    await house.deserted()
    await house.over()
    await house.go_round(ABANDONED_SECONDS)
    parked = (JobState.IN_DOUBT, True)
    assert await house.states() == {
        1: (JobState.EXPIRED, False),
        2: parked,
        3: parked,
        4: parked,
        5: (JobState.DEAD, True),
        6: parked,
    }
    assert sorted(house.posted) == [new_job(n).job_id for n in range(1, 7)]
    (alert,) = await house.firing()
    assert (alert.alert.key, alert.alert.labels["account"]) == (f"LaneUnowned/{LANE}", "default")
    await house.watching.run_once()
    assert await house.firing() == []


async def test_what_was_under_way_is_stated_as_unknown_by_the_hub_and_reaches_the_log(house: House) -> None:
    await house.deserted()
    await house.go_round(ABANDONED_SECONDS)
    await house.relaying.run_once()
    attempt = f"{RUNNING.job_id}.1"
    assert house.log.entries.count(f"intent {attempt}".encode()) == 1
    assert house.log.entries.count(f"evidence {attempt}".encode()) == 1
    assert f"settled {new_job(3).job_id}".encode() in house.log.entries
    job = await house.desk.jobs.get(RUNNING.job_id)
    assert job is not None
    assert (job.reason, job.proven) == ("LANE_ABANDONED", True)


async def test_what_can_still_be_looked_up_when_somebody_is_back_waits_for_them_while_its_time_lasts(
    house: House,
) -> None:
    await house.deserted()
    await house.go_round(ABANDONED_SECONDS)
    states = await house.states()
    assert [states[n] for n in (3, 4, 6)] == [
        (JobState.WAITING_CONFIRMATION, False),
        (JobState.IN_DOUBT, False),
        (JobState.IN_DOUBT, False),
    ]
    term = await house.own("heir")
    assert await house.desk.lanes.adopt(LANE, term) == []
    assert len(await house.desk.lanes.claim(LANE, term, 9, FakeNotary().intents)) == 2


async def test_nothing_is_parked_while_a_lane_has_an_owner_or_has_had_one_lately(house: House) -> None:
    await house.deserted()
    await house.over()
    await house.go_round(ABANDONED_SECONDS - 1)
    assert (await house.states())[2] == (JobState.RUNNING, False)
    await house.own("heir")
    await house.go_round(ABANDONED_SECONDS)
    await house.leases.release("heir", [LANE])
    await house.go_round(ABANDONED_SECONDS - 1)
    assert (await house.states())[2] == (JobState.RUNNING, False)


async def test_a_lane_with_nothing_to_park_is_left_to_its_next_owner(house: House) -> None:
    await house.own()
    await house.leases.release("hub", [LANE])
    await house.desk.jobs.accept([QUEUED])
    term = (await house.desk.store.lane(LANE)).term
    await house.go_round(ABANDONED_SECONDS)
    assert (await house.desk.store.lane(LANE)).term == term


async def test_who_parked_is_fenced_off_once_the_lane_has_an_owner_again(house: House) -> None:
    await house.deserted()
    await house.go_round(0)
    house.clock.move(ABANDONED_SECONDS)
    house.log.down = True
    with pytest.raises(Exception, match="down"):
        await house.parking.run_once()
    house.log.down = False
    term = await house.own("heir")
    assert {o.claimed.job_id for o in await house.desk.lanes.adopt(LANE, term)} == {
        RUNNING.job_id,
        LOOKED_AT.job_id,
    }
    assert (await house.states())[2] == (JobState.RUNNING, False)


async def test_a_lane_that_nobody_ever_owned_is_seen_too(house: House) -> None:
    await house.desk.jobs.accept([QUEUED])
    await house.go_round(60)
    (alert,) = await house.firing()
    assert alert.alert.key == f"LaneUnowned/{LANE}"


async def test_the_people_on_call_can_list_drain_discard_and_resolve_in_a_lane_that_nobody_offers(
    house: House,
) -> None:
    await house.deserted()
    await house.over()
    await house.go_round(ABANDONED_SECONDS)
    await house.desk.operating.set_mode(LANE, LaneMode.DRAINING, WHY)
    (view,) = await house.desk.store.lanes()
    assert (view.mode, view.letters, view.running) == (LaneMode.DRAINING, 5, 0)
    await house.desk.store.reconcile_lanes([], [])
    assert sorted(a.alert.name for a in await house.firing()) == ["LaneNotWorking", "LaneUnowned"]
    letters = await house.desk.store.letters(Filter(), also_left=False, before=None, limit=10)
    assert {letter.cause for letter in letters} == {Cause.UNRESOLVED_DOUBT, Cause.EXPIRED}
    await house.desk.operating.resolve(RUNNING.job_id, Resolution.DONE, "ref", WHY)
    assert (await house.states())[2] == (JobState.SUCCEEDED, False)
    await house.relaying.run_once()
    assert {b"lane.draining", b"job.resolve_done"} <= set(house.log.entries)


@pytest.mark.parametrize(
    ("attempt", "is_stated", "expected"),
    [
        (claimed(), True, (JobState.IN_DOUBT, Cause.UNRESOLVED_DOUBT)),
        (claimed(), False, (JobState.DEAD, Cause.BUG)),
        (claimed(doubted=True), False, (JobState.IN_DOUBT, Cause.UNRESOLVED_DOUBT)),
        (claimed(purpose=Purpose.LOOK_UP, state=JobState.IN_DOUBT), True, (JobState.IN_DOUBT, None)),
        (
            claimed(purpose=Purpose.LOOK_UP, state=JobState.WAITING_CONFIRMATION),
            False,
            (JobState.WAITING_CONFIRMATION, None),
        ),
        (
            replace(claimed(purpose=Purpose.LOOK_UP, state=JobState.WAITING_CONFIRMATION), expire_at=NOW),
            True,
            (JobState.IN_DOUBT, Cause.UNRESOLVED_DOUBT),
        ),
    ],
    ids=repr,
)
def test_what_follows_for_an_attempt_that_nobody_can_speak_for(
    attempt: Claimed, is_stated: bool, expected: tuple[JobState, Cause | None]
) -> None:
    decision = after_abandoned(attempt, NOW, is_stated=is_stated)
    assert (decision.state, decision.letter) == expected
