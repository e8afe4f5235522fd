"""What operators see and change, on real Postgres."""

from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from hub.alerts.store import PostgresAlertStore
from hub.errors import NotResolvable, SecondPersonNeeded
from hub.events.model import ArrivedEvent
from hub.events.store import PostgresEventStore
from hub.housekeeping.store import PostgresHousekeepingStore
from hub.jobs.decision import Decision
from hub.jobs.letters import Cause
from hub.jobs.model import FINAL, JobState
from hub.jobs.outcome import Outcome, Succeeded
from hub.jobs.store import PostgresJobStore
from hub.lanes.breaker import Breaker, BreakerState
from hub.lanes.ports import Orphan, Settlement, Statement
from hub.lanes.store import PostgresLaneLeases, PostgresLaneStore
from hub.operators.orders import Operating, Resolution
from hub.operators.store import PostgresOperationsStore
from hub.plans.model import Filter, Why
from tests.fakes import FakeNotary
from tests.hub.jobs import agreed, new_job

LANE = "echo/default"
WHY = Why("spiffe://integration.local/operator/ana", "asked the provider", "OPS-1")
LUIS = Why("spiffe://integration.local/operator/luis", "the provider's support says so", "OPS-1")
PARKED = Decision(JobState.IN_DOUBT, None, "REPLY_CUT", letter=Cause.UNRESOLVED_DOUBT)
OUTCOMES: dict[bytes, Outcome] = {b"yes": Succeeded("T", b"r", "ref")}


class Signs:
    """A notary that signs nothing, but numbers what it is asked to sign."""

    def __init__(self) -> None:
        self.acts: list[str] = []

    def action(
        self, act: str, subject: str, why: Why, *, job: str = "", digest: str = "", detail: str = ""
    ) -> Statement:
        """A statement with an id of its own."""
        self.acts.append(act)
        return Statement(f"00000000-0000-7000-8000-{len(self.acts):012d}", act.encode())


class Desk:
    """The store with a job that has been settled in some way."""

    def __init__(self, engine: AsyncEngine) -> None:
        self.engine = engine
        self.jobs = PostgresJobStore(engine)
        self.lanes = PostgresLaneStore(engine)
        self.house = PostgresHousekeepingStore(engine)
        self.store = PostgresOperationsStore(engine)
        self.alerts = PostgresAlertStore(engine)
        self.job = new_job(1)
        self.signs = Signs()
        self.is_money = False
        self.operating = Operating(
            self.store,
            notary=self.signs,
            read=self.jobs.get,
            post=lambda job_id, ending=None: None,
            hint=lambda lane: None,
            moves_money=lambda operation: self.is_money,
        )

    async def settled(self, decision: Decision) -> None:
        """Lets the job's first attempt end in a decision."""
        await self.jobs.accept([self.job])
        leases = PostgresLaneLeases(self.engine)
        await leases.acquire("hub", [LANE], timedelta(seconds=30))
        self.term = (await leases.acquire("hub", [LANE], timedelta(seconds=30)))[LANE].term
        orphans = await self.lanes.claim(LANE, self.term, 1, FakeNotary().intents)
        await self.lanes.settle(LANE, self.term, [_settlement(orphans[0], decision)])

    async def state(self) -> JobState:
        """Where the job stands."""
        job = await self.jobs.get(self.job.job_id)
        assert job is not None
        return job.state

    async def firing(self) -> list[str]:
        """The alerts that fire."""
        return [a.alert.key for a in await self.alerts.firing()]


def _settlement(orphan: Orphan, decision: Decision) -> Settlement:
    claimed = orphan.claimed
    return Settlement(claimed.job_id, claimed.seq, decision, "unknown", claimed.job_id, b"evidence")


@pytest.fixture
def desk(hub_engine: AsyncEngine) -> Desk:
    """A desk on a fresh database."""
    return Desk(hub_engine)


async def test_a_parked_doubt_is_a_dead_letter_with_its_alert(desk: Desk) -> None:
    await desk.settled(PARKED)
    (letter,) = await desk.store.letters(Filter(), also_left=False, before=None, limit=10)
    assert (letter.job_id, letter.cause) == (desk.job.job_id, Cause.UNRESOLVED_DOUBT)
    assert await desk.firing() == [letter.alert_key]


@pytest.mark.parametrize(
    ("resolution", "state"),
    [
        (Resolution.DONE, JobState.SUCCEEDED),
        (Resolution.DECLINED, JobState.DECLINED),
        (Resolution.NOT_DONE, JobState.RETRY_WAIT),
    ],
)
async def test_a_person_settles_a_parked_doubt_and_it_is_stated(
    desk: Desk, resolution: Resolution, state: JobState
) -> None:
    await desk.settled(PARKED)
    resolved = await desk.operating.resolve(desk.job.job_id, resolution, "", WHY)
    assert (resolved.job.state, resolved.proposal) == (state, None)
    letter = await desk.store.letter(desk.job.job_id)
    assert letter is not None
    assert letter.left_by == "resolved"
    statements = await desk.lanes.read_outbox(LANE, 10)
    assert f"job.resolve_{resolution.name.lower()}".encode() in [s.envelope for s in statements]


async def test_that_money_was_not_moved_takes_two_people(desk: Desk) -> None:
    desk.is_money = True
    await desk.settled(PARKED)
    job_id = desk.job.job_id
    first = await desk.operating.resolve(job_id, Resolution.NOT_DONE, "", WHY)
    assert first.proposal is not None
    assert (first.job.state, first.proposal.actor) == (JobState.IN_DOUBT, WHY.actor)
    with pytest.raises(SecondPersonNeeded):
        await desk.operating.resolve(job_id, Resolution.NOT_DONE, "", WHY)
    second = await desk.operating.resolve(job_id, Resolution.NOT_DONE, "", LUIS)
    assert (second.job.state, second.proposal) == (JobState.RETRY_WAIT, None)
    assert desk.signs.acts[-2:] == ["job.propose_not_done", "job.resolve_not_done"]
    said = [s.envelope for s in await desk.lanes.read_outbox(LANE, 10)]
    assert said[-2:] == [b"job.propose_not_done", b"job.resolve_not_done"]


@pytest.mark.parametrize("over", ["expire_at = now()", "seq = 0"], ids=["too late", "of an earlier doubt"])
async def test_an_old_proposal_is_no_second_word(desk: Desk, over: str) -> None:
    desk.is_money = True
    await desk.settled(PARKED)
    await desk.operating.resolve(desk.job.job_id, Resolution.NOT_DONE, "", WHY)
    async with desk.engine.begin() as connection:
        await connection.execute(text(f"UPDATE resolution_proposal SET {over}"))
    resolved = await desk.operating.resolve(desk.job.job_id, Resolution.NOT_DONE, "", LUIS)
    assert resolved.proposal is not None
    assert (resolved.job.state, resolved.proposal.actor) == (JobState.IN_DOUBT, LUIS.actor)


@pytest.mark.parametrize("resolution", [Resolution.DONE, Resolution.DECLINED])
async def test_that_money_was_moved_or_refused_takes_one_person(desk: Desk, resolution: Resolution) -> None:
    desk.is_money = True
    await desk.settled(PARKED)
    resolved = await desk.operating.resolve(desk.job.job_id, resolution, "", WHY)
    assert (resolved.job.state in FINAL, resolved.proposal) == (True, None)


async def test_the_store_frees_nothing_that_takes_two_on_one_persons_word(desk: Desk) -> None:
    desk.is_money = True
    await desk.settled(PARKED)
    said = desk.signs.action("job.resolve_not_done", "", WHY)
    assert not await desk.store.free(desk.job.job_id, said, actor=WHY.actor, needs_two=True)
    await desk.operating.resolve(desk.job.job_id, Resolution.NOT_DONE, "", WHY)
    assert not await desk.store.free(desk.job.job_id, said, actor=WHY.actor, needs_two=True)
    assert await desk.state() is JobState.IN_DOUBT


@pytest.mark.parametrize(
    "decision",
    [
        Decision(JobState.DEAD, letter=Cause.PROVIDER_DOWN),
        Decision(JobState.SUCCEEDED),
        Decision(JobState.WAITING_CONFIRMATION),
    ],
    ids=lambda d: d.state.name,
)
async def test_nobody_can_resolve_what_is_not_parked_in_doubt(desk: Desk, decision: Decision) -> None:
    await desk.settled(decision)
    with pytest.raises(NotResolvable):
        await desk.operating.resolve(desk.job.job_id, Resolution.DONE, "", WHY)
    assert await desk.state() is decision.state


@pytest.mark.parametrize("decision", [PARKED, Decision(JobState.DEAD, letter=Cause.PROVIDER_DOWN)])
async def test_a_late_webhook_settles_a_dead_letter(desk: Desk, decision: Decision) -> None:
    await desk.settled(decision)
    events = PostgresEventStore(desk.engine, OUTCOMES.get, agreed)
    await events.keep(ArrivedEvent(LANE, "evt-1", "paid", desk.job.job_id, b"yes", b"signed"))
    assert await events.apply(desk.job.job_id)
    assert await desk.state() is JobState.SUCCEEDED
    letter = await desk.store.letter(desk.job.job_id)
    assert letter is not None
    assert letter.left_by == "confirmed"


async def test_the_alert_of_dead_letters_ends_when_the_last_has_left(desk: Desk) -> None:
    await desk.settled(PARKED)
    await desk.operating.resolve(desk.job.job_id, Resolution.DONE, "", WHY)
    await age_alerts(desk.engine)
    await desk.store.reconcile_alerts(timedelta(minutes=5))
    assert await desk.firing() == []


async def test_the_alert_of_dead_letters_stays_while_one_is_left(desk: Desk) -> None:
    await desk.settled(PARKED)
    await age_alerts(desk.engine)
    await desk.store.reconcile_alerts(timedelta(minutes=5))
    assert len(await desk.firing()) == 1


async def test_an_event_that_nobody_claims_in_time_is_an_alert_until_it_is_handled(desk: Desk) -> None:
    events = PostgresEventStore(desk.engine, OUTCOMES.get, agreed)
    await events.keep(ArrivedEvent(LANE, "evt-1", "paid", desk.job.job_id, b"yes", b"signed"))
    await desk.store.reconcile_alerts(timedelta(minutes=5))
    assert await desk.firing() == []
    await desk.store.reconcile_alerts(timedelta())
    assert await desk.firing() == ["EventsUnmatched/echo/default"]
    await desk.settled(Decision(JobState.WAITING_CONFIRMATION))
    await events.apply(desk.job.job_id)
    await age_alerts(desk.engine)
    await desk.store.reconcile_alerts(timedelta())
    assert await desk.firing() == []


async def test_an_event_about_anothers_job_is_an_alert_for_a_day(desk: Desk) -> None:
    events = PostgresEventStore(desk.engine, OUTCOMES.get, agreed)
    await events.keep(ArrivedEvent(LANE, "evt-1", "paid", desk.job.job_id, b"yes", b"signed"))
    await desk.store.reconcile_alerts(timedelta())
    async with desk.engine.begin() as connection:
        await connection.execute(text("UPDATE webhook_event SET received_at = now() - interval '25 hours'"))
    await age_alerts(desk.engine)
    for _ in range(2):
        await desk.store.reconcile_alerts(timedelta())
        assert await desk.firing() == []


async def test_a_doubt_resolved_as_not_done_after_its_time_is_sent_again_and_not_given_up(desk: Desk) -> None:
    await desk.settled(PARKED)
    async with desk.engine.begin() as connection:
        ago = "created_at = now() - interval '2 hours', expire_at = now() - interval '1 hour'"
        await connection.execute(text(f"UPDATE job SET {ago}"))
    await desk.operating.resolve(desk.job.job_id, Resolution.NOT_DONE, "", WHY)
    assert await desk.house.expire(10) == []
    claimed = await desk.lanes.claim(LANE, desk.term, 10, FakeNotary().intents)
    assert [o.claimed.job_id for o in claimed] == [desk.job.job_id]


async def test_a_job_tried_in_vain_until_its_time_ran_out_is_a_dead_letter(desk: Desk) -> None:
    await desk.settled(Decision(JobState.RETRY_WAIT, timedelta(), "CONNECTION_REFUSED"))
    async with desk.engine.begin() as connection:
        await connection.execute(text("UPDATE job SET expire_at = now()"))
    assert await desk.house.expire(10) == [desk.job.job_id]
    letter = await desk.store.letter(desk.job.job_id)
    assert letter is not None
    assert (await desk.state(), letter.cause) == (JobState.DEAD, Cause.EXPIRED)
    assert await desk.firing() == ["DeadLetters/echo/default/expired"]


async def test_a_breaker_is_written_down_with_its_alert_and_found_by_the_next_owner(desk: Desk) -> None:
    await desk.settled(Decision(JobState.SUCCEEDED))
    opened = Breaker(BreakerState.OPEN, 0.0, "CONNECTION_REFUSED", 2)
    await desk.lanes.save_breaker(LANE, desk.term, opened, orders=0, seconds=20.0)
    assert await desk.firing() == ["BreakerOpen/echo/default"]
    leases = PostgresLaneLeases(desk.engine)
    await leases.release("hub", [LANE])
    grant = (await leases.acquire("other", [LANE], timedelta(seconds=30)))[LANE]
    assert (grant.breaker_state, grant.breaker_trips) == (BreakerState.OPEN, 2)
    assert 15 < grant.open_seconds <= 20
    await desk.lanes.save_breaker(LANE, grant.term, Breaker(), orders=0, seconds=0.0)
    assert await desk.firing() == []


@pytest.mark.parametrize("by", ["look-ups", "a person"])
async def test_a_look_up_may_close_what_look_ups_have_opened_also_after_an_order_and_never_what_a_person_has(
    desk: Desk, by: str
) -> None:
    await desk.settled(Decision(JobState.SUCCEEDED))
    if by == "look-ups":
        opened = Breaker(BreakerState.OPEN, 0.0, "X", 1)
        await desk.lanes.save_breaker(LANE, desk.term, opened, orders=0, seconds=20.0)
    for number, order in enumerate((BreakerState.OPEN, BreakerState.HALF_OPEN)):
        said = Statement(f"00000000-0000-4000-8000-00000000000{number}", b"said")
        assert await desk.store.order_breaker(LANE, order, said)
    leases = PostgresLaneLeases(desk.engine)
    grant = (await leases.acquire("hub", [LANE], timedelta(seconds=30)))[LANE]
    assert (grant.breaker_state, grant.breaker_by_writes) == (BreakerState.HALF_OPEN, by == "a person")


@pytest.mark.parametrize("stale", ["term", "orders"])
async def test_a_breaker_is_not_written_over_by_an_old_owner_nor_over_an_operators_order(
    desk: Desk, stale: str
) -> None:
    await desk.settled(Decision(JobState.SUCCEEDED))
    term, orders = (desk.term - 1, 0) if stale == "term" else (desk.term, -1)
    opened = Breaker(BreakerState.OPEN, 0.0, "X", 1)
    await desk.lanes.save_breaker(LANE, term, opened, orders=orders, seconds=20.0)
    lane = await desk.store.lane(LANE)
    assert lane.breaker_state is BreakerState.CLOSED


async def age_alerts(engine: AsyncEngine) -> None:
    """Makes every alert so old that what has become of its cause is believed."""
    async with engine.begin() as connection:
        for column in ("changed_at", "seen_at"):
            await connection.execute(text(f"UPDATE alert SET {column} = {column} - interval '1 hour'"))
