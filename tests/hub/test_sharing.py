"""Lanes spread over replicas, as a decision and with real leases."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from hub.lanes import ownership
from hub.lanes.duties import ALERTS, PLANS
from hub.lanes.duty_group import DutyGroup
from hub.lanes.ownership import Ownership
from hub.lanes.ports import Grant
from hub.lanes.sharing import homes
from hub.lanes.store import PostgresLaneLeases
from mesh.duty import DutyLoop

LANES = [*(f"echo/{n}" for n in range(8)), ALERTS, PLANS]

NAMES = st.sets(st.text("abcdef", min_size=1, max_size=3), min_size=1, max_size=6)
SOME_LANES = st.sets(st.sampled_from([f"echo/{n}" for n in range(12)]))


@given(NAMES, st.sets(st.sampled_from([f"echo/{n}" for n in range(12)]), min_size=1), st.data())
def test_every_lane_has_one_home_shares_are_even_and_no_more_move_than_must(
    replicas: set[str], lanes: set[str], data: st.DataObject
) -> None:
    owners = data.draw(
        st.dictionaries(st.sampled_from(sorted(lanes)), st.sampled_from([*sorted(replicas), "gone"]))
    )
    home = homes(dict.fromkeys(replicas, lanes), owners)
    assert home.keys() == lanes
    assert set(home.values()) <= replicas
    load = Counter(home.values())
    assert max(load[r] for r in replicas) - min(load[r] for r in replicas) <= 1
    moved = sum(home[lane] != owner for lane, owner in owners.items() if owner in replicas)
    assert moved == _least_moves(
        Counter(o for o in owners.values() if o in replicas), len(lanes), len(replicas)
    )
    assert homes(dict.fromkeys(replicas, lanes), home) == home


def _least_moves(owned: Counter[str], lanes: int, replicas: int) -> int:
    least, odd = divmod(lanes, replicas)
    most_first = sorted(owned.values(), reverse=True)
    return sum(max(0, count - least - (place < odd)) for place, count in enumerate(most_first))


@given(st.dictionaries(st.text("abcdef", min_size=1, max_size=3), SOME_LANES, max_size=5), st.data())
def test_a_lane_that_only_some_can_work_on_is_one_of_theirs(
    offers: dict[str, set[str]], data: st.DataObject
) -> None:
    lanes = set().union(*offers.values())
    owners = (
        data.draw(st.dictionaries(st.sampled_from(sorted(lanes)), st.sampled_from([*offers, "x"])))
        if lanes
        else {}
    )
    home = homes(offers, owners)
    assert home.keys() == lanes
    assert all(lane in offers[replica] for lane, replica in home.items())
    for _ in range(4):
        home = homes(offers, home)
    assert homes(offers, home) == home, "lanes never come to rest"


class Work:
    """A lane at work, which says so to a list that all replicas share."""

    failed = False

    def __init__(self, replica: "Replica", lane: str, term: int) -> None:
        self._replica, self._lane, self.term = replica, lane, term
        others = [r for r in replica.all if r is not replica and r.is_alive and lane in r.working]
        assert not others, f"{lane} works at two replicas"
        replica.working.add(lane)

    def adjust(self, grant: Grant) -> None:
        """Nothing is set."""

    async def stop(self) -> None:
        """Drops everything."""
        self._replica.dropped.append(self._lane)
        self._replica.working.discard(self._lane)

    async def drain(self) -> None:
        """Finishes."""
        self._replica.working.discard(self._lane)


class Replica:
    """A hub, as far as leases go."""

    def __init__(self, engine: AsyncEngine, name: str, everybody: list["Replica"]) -> None:
        self.all, self.working, self.dropped, self.is_alive = everybody, set[str](), list[str](), True
        everybody.append(self)
        self.lanes = LANES
        self.ownership = Ownership(
            name,
            leases=PostgresLaneLeases(engine),
            lanes=lambda: self.lanes,
            start=lambda lane, grant: Work(self, lane, grant.term),
        )
        self._task = asyncio.create_task(DutyLoop(self.ownership).run())

    def terms(self) -> dict[str, int]:
        """The term of each lane at work."""
        running = {lane: self.ownership.running(lane) for lane in LANES}
        return {lane: work.term for lane, work in running.items() if work}

    async def die(self) -> None:
        """Ends as a process does that is killed."""
        self.is_alive = False
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        self.all.remove(self)

    async def drain(self) -> None:
        """Ends in good order."""
        await self.ownership.drain()
        await self.die()


@asynccontextmanager
async def replicas(engine: AsyncEngine) -> AsyncIterator[list[Replica]]:
    """Three replicas that begin together."""
    everybody: list[Replica] = []
    for name in ("a", "b", "c"):
        Replica(engine, name, everybody)
    yield everybody
    for replica in list(everybody):
        await replica.die()


async def until_shared(everybody: list[Replica], shares: list[int]) -> None:
    """Returns when every lane works somewhere and the replicas have so many each."""
    async with asyncio.timeout(15):
        while sorted(len(replica.working) for replica in everybody) != shares:
            await asyncio.sleep(0.02)
    assert set().union(*(replica.working for replica in everybody)) == set(LANES)


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leases that run out in a second."""
    monkeypatch.setattr(ownership, "LEASE", timedelta(seconds=1.5))
    monkeypatch.setattr(ownership, "RENEW_SECONDS", 0.4)
    monkeypatch.setattr(ownership, "STABLE_SECONDS", 0.8)


async def test_lanes_spread_evenly_and_again_when_a_replica_dies_and_another_comes(
    hub_engine: AsyncEngine,
) -> None:
    async with replicas(hub_engine) as everybody:
        await until_shared(everybody, [3, 3, 4])
        await everybody[0].die()
        await until_shared(everybody, [5, 5])
        before = {lane: replica for replica in everybody for lane in replica.working}
        Replica(hub_engine, "d", everybody)
        await until_shared(everybody, [3, 3, 4])
        moved = [lane for lane, replica in before.items() if lane not in replica.working]
        assert len(moved) in {3, 4}
        assert not [replica.dropped for replica in everybody if replica.dropped]


async def test_the_lanes_of_a_replica_that_goes_in_good_order_are_taken_at_once(
    hub_engine: AsyncEngine,
) -> None:
    async with replicas(hub_engine) as everybody:
        await until_shared(everybody, [3, 3, 4])
        ownership.LEASE = timedelta(minutes=5)
        for replica in everybody:
            await replica.ownership.run_once()
        await everybody[0].drain()
        await until_shared(everybody, [5, 5])


LONG, SHORT = timedelta(minutes=5), timedelta(seconds=1)


def keeper(engine: AsyncEngine, name: str) -> Ownership:
    """A hub's leases, whose rounds the test goes."""
    return Ownership(
        name,
        leases=PostgresLaneLeases(engine),
        lanes=lambda: LANES,
        start=lambda lane, grant: DutyGroup([], term=grant.term),
    )


async def test_a_replica_whose_leases_have_run_out_does_not_live_however_lately_it_was_seen(
    hub_engine: AsyncEngine,
) -> None:
    ownership.LEASE = LONG
    before, after = keeper(hub_engine, "a"), keeper(hub_engine, "b")
    for _ in range(2):
        await before.run_once()
    async with hub_engine.begin() as connection:
        await connection.execute(text("UPDATE lane SET lease_until = '-infinity'"))
    await after.run_once()
    assert all(after.running(lane) for lane in LANES)


async def test_a_replica_that_has_ceased_to_offer_a_lane_still_lives_when_the_lease_of_that_lane_is_over(
    hub_engine: AsyncEngine,
) -> None:
    leases = PostgresLaneLeases(hub_engine)
    await leases.survey("a", LANES, LONG)
    await leases.acquire("a", LANES, LONG)
    async with hub_engine.begin() as connection:
        over = text("UPDATE lane SET lease_until = '-infinity' WHERE lane_id = :lane")
        await connection.execute(over, {"lane": LANES[0]})
    assert "a" not in (await leases.survey("b", LANES, LONG)).offers
    await leases.survey("a", LANES[1:], LONG)
    assert "a" in (await leases.survey("b", LANES, LONG)).offers


async def test_a_replica_that_has_its_share_looks_again_right_when_anothers_lease_runs_out(
    hub_engine: AsyncEngine,
) -> None:
    ownership.LEASE, ownership.RENEW_SECONDS = LONG, 60.0
    leases, other = PostgresLaneLeases(hub_engine), keeper(hub_engine, "b")
    await leases.survey("a", LANES, LONG)
    await leases.acquire("a", LANES[:5], SHORT)
    await leases.acquire("a", LANES[:5], SHORT)
    for _ in range(2):
        seconds = await other.run_once()
    assert sum(other.running(lane) is not None for lane in LANES) == 5
    assert seconds is not None
    assert seconds < 1.1


async def test_a_replica_that_has_gone_does_not_say_again_that_it_lives(hub_engine: AsyncEngine) -> None:
    going = keeper(hub_engine, "a")
    await going.run_once()
    await going.drain()
    assert await going.run_once() is None
    assert not (await PostgresLaneLeases(hub_engine).survey("b", LANES, LONG)).offers


async def test_a_lane_that_is_not_offered_for_a_moment_comes_back_under_a_new_term_to_the_same_replica(
    hub_engine: AsyncEngine,
) -> None:
    # Only a new term takes over what was under way when the lane was dropped.
    everybody: list[Replica] = []
    replica = Replica(hub_engine, "a", everybody)
    await until_shared(everybody, [len(LANES)])
    terms = replica.terms()
    replica.lanes = LANES[1:]
    await replica.ownership.run_once()
    assert replica.dropped == LANES[:1]
    replica.lanes = LANES
    await replica.ownership.run_once()
    now = replica.terms()
    await replica.die()
    assert now == {**terms, LANES[0]: terms[LANES[0]] + 1}
