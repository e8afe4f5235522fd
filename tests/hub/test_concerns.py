"""What a provider says that no job waits for is told to the tenant whose job it concerns."""

from dataclasses import replace

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from hub.events.model import ArrivedEvent, Concern
from hub.events.store import PostgresEventStore
from hub.events.told import EventKind, Told
from hub.jobs.agreeing import Sum
from hub.jobs.contradicting import Proposal
from hub.jobs.model import JobState
from hub.lanes.store import PostgresLaneStore
from hub.peers.hearing import event_from_proto
from integration.common.v1.money_pb2 import Money
from integration.spoke.v1 import outcome_pb2
from integration.spoke.v1 import spoke_service_pb2 as spoke
from tests.hub.jobs import NOW, OPERATION, agreed, new_job
from tests.hub.test_store import LANE, OUTCOMES, begin, event, settle, settlement
from tests.hub.told import told_to

DISPUTE = Concern(EventKind.DISPUTE, "pi_1", Sum(1250, "EUR"))


def concerning(event_id: str, concern: Concern = DISPUTE, *, lane: str = LANE, job: str = "") -> ArrivedEvent:
    """An event that says nothing of a job's work."""
    return ArrivedEvent(lane, event_id, "dispute.created", job, b"", b"", NOW, concern)


def store_of(engine: AsyncEngine) -> PostgresEventStore:
    """Where events are kept."""
    return PostgresEventStore(engine, OUTCOMES.get, agreed)


async def told(engine: AsyncEngine, tenant: str = "acme") -> list[Told]:
    """All that a tenant is told."""
    return await told_to(engine, tenant)


async def done(engine: AsyncEngine, number: int, tenant: str, reference: str) -> str:
    """A job that the provider has done and knows by a reference; its id."""
    job = new_job(number, tenant=tenant)
    term, orphans = await begin(engine, job)
    end = settlement(orphans[0], JobState.SUCCEEDED)
    end = replace(end, decision=replace(end.decision, provider_reference=reference))
    await PostgresLaneStore(engine).settle(LANE, term, [end])
    return job.job_id


async def test_a_dispute_is_told_to_the_tenant_whose_job_made_what_is_disputed(
    hub_engine: AsyncEngine,
) -> None:
    job_id = await done(hub_engine, 1, "acme", "pi_1")
    await done(hub_engine, 2, "beta", "pi_2")
    await store_of(hub_engine).keep(concerning("evt_1"))
    (one,) = await told(hub_engine)
    assert (one.kind, one.job_id, one.operation, one.state) == (
        EventKind.DISPUTE,
        job_id,
        OPERATION,
        JobState.SUCCEEDED,
    )
    assert (one.job.reference, one.provider.reference, one.provider.amount) == (
        "pi_1",
        "pi_1",
        Sum(1250, "EUR"),
    )
    assert (one.happened_at, one.proposal) == (NOW, Proposal.INVESTIGATE)
    assert await told(hub_engine, "beta") == []
    assert await told(hub_engine, "") == []


async def test_a_job_that_is_named_goes_before_one_that_is_found(hub_engine: AsyncEngine) -> None:
    await done(hub_engine, 1, "acme", "pi_1")
    named = await done(hub_engine, 2, "beta", "pi_2")
    await store_of(hub_engine).keep(concerning("evt_1", job=named))
    assert [one.job_id for one in await told(hub_engine, "beta")] == [named]
    assert await told(hub_engine) == []


async def test_a_job_that_still_waits_is_found_too(hub_engine: AsyncEngine) -> None:
    job = new_job(1)
    await settle(hub_engine, job, JobState.WAITING_CONFIRMATION)
    async with hub_engine.begin() as connection:
        await connection.execute(text("UPDATE job SET provider_reference = 'pi_1'"))
    await store_of(hub_engine).keep(concerning("evt_1"))
    assert [one.job_id for one in await told(hub_engine)] == [job.job_id]


@pytest.mark.parametrize(
    "stray",
    [
        concerning("evt_1", replace(DISPUTE, reference="pi_9")),
        concerning("evt_1", replace(DISPUTE, reference="")),
        concerning("evt_1", lane="other/default"),
        concerning("evt_1", replace(DISPUTE, reference=""), lane="other/default", job=new_job(1).job_id),
    ],
    ids=["unknown", "nothing", "another-provider", "job-of-another-provider"],
)
async def test_what_concerns_no_job_of_its_lane_is_told_to_no_tenant(
    hub_engine: AsyncEngine, stray: ArrivedEvent
) -> None:
    await done(hub_engine, 1, "acme", "pi_1")
    await done(hub_engine, 2, "acme", "")
    await store_of(hub_engine).keep(stray)
    assert await told(hub_engine) == []
    (one,) = await told(hub_engine, "")
    assert (one.job_id, one.state, one.tenant) == ("", None, "")


async def test_it_is_told_once_however_often_it_comes(hub_engine: AsyncEngine) -> None:
    await done(hub_engine, 1, "acme", "pi_1")
    await store_of(hub_engine).keep_all([concerning("evt_1"), concerning("evt_1"), concerning("evt_2")])
    await store_of(hub_engine).keep(concerning("evt_1"))
    assert [one.event_id for one in await told(hub_engine)] == ["evt_1", "evt_2"]


async def test_what_nobody_had_a_word_for_is_told_when_it_comes_again_with_one(
    hub_engine: AsyncEngine,
) -> None:
    await done(hub_engine, 1, "acme", "pi_1")
    await store_of(hub_engine).keep(replace(concerning("evt_1"), concern=None))
    assert await told(hub_engine) == []
    await store_of(hub_engine).keep(concerning("evt_1"))
    assert [one.event_id for one in await told(hub_engine)] == ["evt_1"]


async def test_contradictions_and_concerns_come_in_the_order_of_their_commits(
    hub_engine: AsyncEngine,
) -> None:
    job_id = await done(hub_engine, 1, "acme", "ref")
    events = store_of(hub_engine)
    await events.keep(concerning("evt_1", replace(DISPUTE, reference="ref")))
    await events.keep(event(new_job(1), "evt_2", b"no"))
    await events.apply(job_id)
    await events.keep(concerning("evt_3", Concern(EventKind.REVERSAL, "ref")))
    everything = await told(hub_engine)
    assert [one.event_id for one in everything] == ["evt_1", "evt_2", "evt_3"]
    later = await told_to(hub_engine, after=everything[0].cursor)
    assert [one.event_id for one in later] == ["evt_2", "evt_3"]


def test_a_concern_is_read_from_the_contract_unless_the_event_speaks_of_the_work() -> None:
    money = Money(minor_units=1250, currency_code="EUR")
    concern = spoke.Concern(kind=spoke.CONCERN_KIND_DISPUTE, concerned_reference="pi_1", amount=money)
    message = spoke.ProviderEvent(event_id="evt_1", type="dispute.created", concern=concern)
    message.event_time.FromDatetime(NOW)
    assert event_from_proto(LANE, message) == concerning("evt_1")
    message.concern.kind = 99
    message.concern.ClearField("amount")
    assert event_from_proto(LANE, message).concern == Concern(EventKind.OTHER, "pi_1")
    message.outcome.CopyFrom(outcome_pb2.Outcome(declined=outcome_pb2.Declined(reason="NO")))
    assert event_from_proto(LANE, message).concern is None
