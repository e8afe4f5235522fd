"""The store's model and the store on Postgres, given the same operations, give the same answers."""

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from hub.events.model import ArrivedEvent
from hub.events.store import PostgresEventStore
from hub.housekeeping.store import PostgresHousekeepingStore
from hub.jobs.agreeing import Compared, Task
from hub.jobs.decision import Decision
from hub.jobs.letters import Cause
from hub.jobs.model import TRANSITIONS, JobState, NewJob, Origin, RetryPolicy, Work
from hub.jobs.outcome import Declined, Outcome, Succeeded
from hub.jobs.store import PostgresJobStore
from hub.lanes import turns
from hub.lanes.breaker import Breaker, BreakerState
from hub.lanes.ports import Settlement, Survey
from hub.lanes.store import PostgresLaneLeases, PostgresLaneStore
from tests.hub.jobs import withdrawal
from tests.simulation.comparable import (
    caught,
    intents,
    job_id_of,
    later,
    of_grant,
    of_orphans,
    of_row,
    sign,
    sign_at,
)
from tests.simulation.events import MemoryEvents
from tests.simulation.house import MemoryHouse
from tests.simulation.store import MemoryStore
from tests.simulation.written import written

SEQUENCES = 40
OPERATIONS = 55
NOT_UNDERSTOOD = 0.3
PAST = datetime(2001, 1, 1, tzinfo=UTC)
FUTURE = datetime(2999, 1, 1, tzinfo=UTC)
LEASES = (timedelta(hours=1), timedelta(seconds=-1))
OWNERS = ("hub-a", "hub-b", "hub-duty/housekeeping.1")
DOUBTS = (JobState.WAITING_CONFIRMATION, JobState.IN_DOUBT)
SERVED = ((), ("acme",), ("globex",), ("acme", "globex"), ("globex", "acme"), ("acme", turns.DOUBTS))

_RUN_OUT = text("UPDATE job SET expire_at = :past WHERE job_id = :job_id")


def decode(outcome: bytes) -> Outcome | None:
    """An event's outcome; b"" is none that settles anything."""
    words: dict[bytes, Outcome] = {
        b"yes": Succeeded("T", b"event", "event-ref"),
        b"no": Declined("NO", "event"),
        b"other": Succeeded("T", b"another's", "event-ref"),
    }
    return words.get(outcome)


def compare(task: Task, outcome: bytes) -> Compared:
    """What an event names otherwise than its job asked for, if it is the one that does."""
    assert task.operation
    assert task.request
    return Compared("amount" if outcome == b"other" else None)


class Pair:
    """One lane, on both stores at once; every operation is done on both and its answers compared."""

    def __init__(self, engine: AsyncEngine, seed: int) -> None:
        self.chance = random.Random(f"model-{seed}")
        self.lane = f"echo/{seed}"
        self._seed = seed
        self._jobs = PostgresJobStore(engine)
        self._lanes = PostgresLaneStore(engine)
        self._leases = PostgresLaneLeases(engine)
        self._house = PostgresHousekeepingStore(engine)
        self._events = PostgresEventStore(engine, decode, compare)
        self._engine = engine
        self.model = MemoryStore(lambda: datetime.now(UTC))
        self.model_house = MemoryHouse(self.model)
        self.model_events = MemoryEvents(self.model, decode, compare)
        self.made: list[str] = []
        self.term = 1
        self.held: list[tuple[str, int]] = []

    def _same(self, name: str, ours: object, real: object) -> None:
        assert ours == real, f"{name} in sequence {self._seed}"

    async def accept(self) -> None:
        """A new job."""
        number = len(self.made)
        job_id = f"01890000-0000-7000-8000-{self._seed:06d}{number:06d}"
        job = NewJob(
            job_id=job_id,
            tenant=self.chance.choice(("acme", "globex")),
            request_id=job_id,
            fingerprint=b"f",
            provider="echo",
            account=str(self._seed),
            priority=self.chance.choice((0, 0, 1)),
            expire_at=self.chance.choice((FUTURE, FUTURE, PAST)),
            policy=RetryPolicy(3, timedelta(seconds=1), timedelta(seconds=10)),
            labels={},
            origin=Origin("core"),
            work=Work(self.chance.choice(("Charge", "Refund")), "T", b"request", b"s", "key"),
        )
        self.made.append(job_id)
        await self._jobs.accept([job])
        self.model.accept(job)

    async def acquire(self) -> None:
        """A replica asks for the lane."""
        owner, lease = self.chance.choice(OWNERS), self.chance.choice(LEASES)
        real = await self._leases.acquire(owner, [self.lane], lease)
        ours = self.model.acquire(owner, [self.lane], lease)
        if real:
            self.term = self.chance.choice((self.term, real[self.lane].term, real[self.lane].term))
        self._same(
            "acquire", {k: of_grant(g) for k, g in ours.items()}, {k: of_grant(g) for k, g in real.items()}
        )

    async def release(self) -> None:
        """A replica gives the lane up."""
        owner = self.chance.choice(OWNERS)
        await self._leases.release(owner, [self.lane])
        self.model.release(owner, [self.lane])

    async def claim(self) -> None:
        """An owner, of this term or an older one, claims."""
        limit, trial = self.chance.randint(1, 3), self.chance.random() < 0.3
        served = self.chance.choice(SERVED)
        real = await self._lanes.claim(self.lane, self.term, limit, intents, served=served, trial=trial)
        ours = self.model.claim(self.lane, self.term, limit, intents, served, trial=trial)
        self._same("claim", of_orphans(ours), of_orphans(real))
        self.held += [(o.claimed.job_id, o.claimed.seq) for o in sorted(ours, key=job_id_of)]

    async def survey(self) -> None:
        """A replica says that it lives, and asks who else does and whose the lane is."""
        owner, offered = self.chance.choice(OWNERS), self.chance.choice(([self.lane], []))
        lease = self.chance.choice(LEASES)
        real = await self._leases.survey(owner, offered, lease)
        ours = self.model.survey(owner, offered, lease)
        self._same("offers", self._offering(ours), self._offering(real))
        self._same("owner", ours.owners.get(self.lane), real.owners.get(self.lane))

    def _offering(self, survey: Survey) -> set[str]:
        return {owner for owner, lanes in survey.offers.items() if self.lane in lanes}

    async def retire(self) -> None:
        """A replica goes."""
        owner = self.chance.choice(OWNERS)
        await self._leases.retire(owner)
        self.model.retire(owner)

    async def look_round(self) -> None:
        """Who keeps house looks for lanes that nobody works on."""
        real = [lane for lane in await self._house.lanes() if lane.lane == self.lane]
        ours = [lane for lane in self.model_house.lanes() if lane.lane == self.lane]
        self._same("lanes", ours, real)

    async def run_out(self) -> None:
        """The time of a job is over."""
        live = sorted(self.model.live)
        doubts = [job_id for job_id in live if self.model.live[job_id].state in DOUBTS]
        if live := doubts or live:
            row = self.model.live[self.chance.choice(live)]
            row.new = replace(row.new, expire_at=PAST)
            async with self._engine.begin() as connection:
                await connection.execute(_RUN_OUT, {"job_id": row.new.job_id, "past": PAST})

    async def park_doubts(self) -> None:
        """Who keeps house parks what is over and nobody can look up."""
        real = await self._house.park_doubts(self.lane, self.term, 1000)
        ours = self.model_house.park_doubts(self.lane, self.term, 1000)
        self._same("park", sorted(ours), sorted(real))

    async def adopt(self) -> None:
        """An owner takes over."""
        real = await self._lanes.adopt(self.lane, self.term)
        self._same("adopt", of_orphans(self.model.adopt(self.lane, self.term)), of_orphans(real))

    async def settle(self) -> None:
        """An owner settles what it, or another, has claimed; sometimes what it never had."""
        batch = self.chance.sample(self.held, min(len(self.held), self.chance.randint(1, 3)))
        if not batch:
            return
        if self.chance.random() < 0.8:
            self.held = [h for h in self.held if h not in batch]
        ends = [self._settlement(job_id, seq) for job_id, seq in batch]
        # No owner has two ends of one job on their way.
        settlements = list({end.job_id: end for end in ends}.values())
        real = await caught(lambda: self._lanes.settle(self.lane, self.term, settlements))
        ours = await caught(lambda: later(lambda: self.model.settle(self.lane, self.term, settlements)))
        self._same("settle", ours, real)

    def _settlement(self, job_id: str, seq: int) -> Settlement:
        seq += self.chance.random() < 0.1
        state = self.chance.choice(self._ends_of(job_id))
        parked = state is JobState.IN_DOUBT and self.chance.random() < 0.5
        waits = parked or state >= JobState.SUCCEEDED
        wait = None if waits else self.chance.choice((timedelta(), timedelta(days=1)))
        letter = Cause.UNRESOLVED_DOUBT if parked else Cause.POISON if state is JobState.DEAD else None
        decision = Decision(
            state,
            wait,
            self.chance.choice(("", "REASON", "ABSENT_ONCE", "TIME_OVER", "NEVER_STARTED")),
            "message",
            self.chance.choice(("", "reference")),
            self.chance.choice(("", "T")),
            b"result",
            counts=self.chance.random() < 0.7,
            letter=letter,
            lost=self.chance.random() < 0.3,
            doubts=self.chance.choice((None, None, None, True, False)),
        )
        statement = f"00000000-0000-4000-8000-{self._seed:06d}{len(self.model.outbox) + seq:06d}"
        evidence = self.chance.choice((b"", b"evidence"))
        return Settlement(job_id, seq, decision, state.name.lower(), statement, evidence)

    def _ends_of(self, job_id: str) -> list[JobState]:
        live = self.model.live.get(job_id)
        if live is None:
            return [JobState.SUCCEEDED]
        again = {live.state} - {JobState.RUNNING}
        return sorted(
            (TRANSITIONS[live.state] | again) - {JobState.RUNNING, JobState.CANCELLED, JobState.EXPIRED}
        )

    async def expire(self) -> None:
        """What has run out is ended, whoever owns the lane."""
        real = [job_id for job_id in await self._house.expire(1000) if job_id in self.made]
        self._same("expire", sorted(self.model.expire()), sorted(real))

    async def cancel(self) -> None:
        """Core withdraws a job."""
        job_id = self.chance.choice(self.made or ["01890000-0000-7000-8000-999999999999"])
        given = withdrawal()
        self._same("cancel", self.model.cancel(job_id, given), await self._jobs.cancel(job_id, given))

    async def save_breaker(self) -> None:
        """An owner writes its breaker down."""
        state, trips = self.chance.choice(list(BreakerState)), self.chance.randint(0, 3)
        breaker = Breaker(state, 0.0, "DOWN", trips, by_writes=self.chance.random() < 0.5)
        orders, seconds = self.chance.choice((0, 0, 1)), 3600.0
        if self.lane in self.model.lanes:
            await self._lanes.save_breaker(self.lane, self.term, breaker, orders=orders, seconds=seconds)
            self.model.save_breaker(self.lane, self.term, breaker, orders=orders, seconds=seconds)

    async def save_throttle(self) -> None:
        """An owner writes down that the provider wants nothing for a while, often for less than is known."""
        seconds = self.chance.choice((-5.0, 80.0, 3600.0))
        orders = self.chance.choice((0, 0, 1))
        if self.lane in self.model.lanes:
            await self._lanes.save_throttle(self.lane, self.term, seconds, orders=orders)
            self.model.save_throttle(self.lane, self.term, seconds, orders=orders)

    async def next_due(self) -> None:
        """An owner asks when to come back: now, much later, or when hinted."""
        real, ours = await self._lanes.next_due(self.lane), self.model.next_due(self.lane)
        self._same("next_due", sign(ours), sign(real))

    async def relay(self) -> None:
        """A relay reads the outbox and clears some of it."""
        limit = self.chance.randint(1, 5)
        real = await self._lanes.read_outbox(self.lane, limit)
        ours = self.model.read_outbox(self.lane, limit)
        # The model's confirmations have ids of their own.
        self._same("outbox", [s.envelope for s in ours], [s.envelope for s in real])
        n = self.chance.randint(0, len(real))
        refused = 1 if n and self.chance.random() < 0.2 else 0
        for store, mine in ((self._lanes, real), (None, ours)):
            done = [s.statement_id for s in mine[refused:n]]
            no = {s.statement_id: "MALFORMED" for s in mine[:refused]}
            if store is not None:
                await store.clear_outbox(done, no)
            else:
                self.model.clear_outbox(done, no)

    async def event(self) -> None:
        """A webhook comes, perhaps again, perhaps from elsewhere."""
        if not self.made:
            return
        lane = self.chance.choice((self.lane, self.lane, self.lane, "other/default"))
        number = self.chance.randint(0, 3)
        chance = random.Random(f"{self._seed}-{number}")
        event = ArrivedEvent(
            lane,
            f"{self._seed}-{number}",
            "done",
            chance.choice(self.made),
            chance.choice((b"yes", b"no", b"other", b"")),
            chance.choice((b"", b"confirmation")),
        )
        if self.chance.random() < NOT_UNDERSTOOD:
            event = ArrivedEvent(lane, event.event_id, "done", "", b"", b"")
        self._same("keep", self.model_events.keep(event), await self._events.keep(event))
        if not event.job_id:
            return
        ours, real = self.model_events.apply(event.job_id), await self._events.apply(event.job_id)
        self._same("apply", ours, real)

    async def compare(self) -> None:
        """Every job, letter, attempt and event stands alike in both."""
        for job_id in self.made:
            row, job = self.model.get(job_id), await self._jobs.get(job_id)
            assert row is not None
            assert job is not None
            self._same("job", of_row(row), of_row(job))
            self._same("due", sign_at(row.due_at), sign_at(job.due_at))
        real = await written(self._engine, self.made, f"{self._seed}-")
        self._same("letters", self.model.letters, real.letters)
        attempts = {k: (int(a.purpose), a.term, a.outcome, a.reason) for k, a in self.model.attempts.items()}
        self._same("attempts", attempts, real.attempts)
        events = {key: row.handled for key, row in self.model_events.rows.items()}
        self._same("events", events, real.events)
        told = {k: (c.what, c.proposal, state) for k, (c, state) in self.model_events.told.items()}
        self._same("told", told, real.told)


_OPERATIONS = {
    Pair.accept: 5,
    Pair.acquire: 3,
    Pair.release: 1,
    Pair.survey: 3,
    Pair.retire: 1,
    Pair.look_round: 1,
    Pair.run_out: 2,
    Pair.park_doubts: 2,
    Pair.claim: 5,
    Pair.adopt: 2,
    Pair.settle: 6,
    Pair.expire: 1,
    Pair.cancel: 1,
    Pair.save_breaker: 1,
    Pair.save_throttle: 1,
    Pair.next_due: 1,
    Pair.relay: 2,
    Pair.event: 6,
}


async def _sequence(engine: AsyncEngine, seed: int) -> Pair:
    pair = Pair(engine, seed)
    await pair.acquire()
    for _ in range(OPERATIONS):
        (operation,) = pair.chance.choices(list(_OPERATIONS), list(_OPERATIONS.values()))
        await operation(pair)
    await pair.compare()
    return pair


async def test_the_model_answers_as_the_store_does(hub_engine: AsyncEngine) -> None:
    seen: set[str] = set()
    for seed in range(SEQUENCES):
        pair = await _sequence(hub_engine, seed)
        seen |= {row.state.name for row in [*pair.model.live.values(), *pair.model.done.values()]}
    assert seen == {state.name for state in JobState}


@pytest.mark.parametrize(
    ("model", "broken"),
    [
        (MemoryStore, "owns"),
        (MemoryStore, "is_held"),
        (MemoryStore, "leave"),
        (MemoryStore, "retire"),
        (MemoryHouse, "park_doubts"),
        (MemoryHouse, "lanes"),
    ],
)
async def test_a_model_that_drifts_is_noticed(
    hub_engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch, model: type, broken: str
) -> None:
    nothing = [] if model is MemoryHouse else broken in ("owns", "is_held")
    monkeypatch.setattr(model, broken, lambda *_: nothing)
    with pytest.raises((AssertionError, KeyError)):
        for seed in range(SEQUENCES):
            await _sequence(hub_engine, seed)
