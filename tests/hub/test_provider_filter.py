"""A filter by provider means that provider, and none whose name looks like it."""

from datetime import timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from hub.jobs.decision import Decision
from hub.jobs.letters import Cause
from hub.jobs.model import JobState
from hub.jobs.store import PostgresJobStore
from hub.lanes.ports import Settlement
from hub.lanes.store import PostgresLaneLeases, PostgresLaneStore
from hub.operators.store import PostgresOperationsStore
from hub.plans.model import Filter
from hub.plans.store import PostgresPlanStore
from tests.fakes import FakeNotary
from tests.hub.jobs import new_job

NAMES = ("pay_eu", "payxeu")
LEASE = timedelta(seconds=30)
DONE = Decision(JobState.SUCCEEDED, provider_reference="ref", result_type="T", result=b"r")
DEAD = Decision(JobState.DEAD, None, "PROVIDER_DOWN", letter=Cause.PROVIDER_DOWN)
WANTED = Filter(provider="pay_eu")


async def settled(engine: AsyncEngine, decision: Decision) -> str:
    """One job at each of two providers, both ended so; returns the one of `pay_eu`."""
    jobs = [new_job(number, provider=name) for number, name in enumerate(NAMES, start=1)]
    await PostgresJobStore(engine).accept(jobs)
    lanes = [f"{name}/default" for name in NAMES]
    leases = PostgresLaneLeases(engine)
    await leases.acquire("hub", lanes, LEASE)
    terms = await leases.acquire("hub", lanes, LEASE)
    store = PostgresLaneStore(engine)
    for lane in lanes:
        (orphan,) = await store.claim(lane, terms[lane].term, 1, FakeNotary().intents)
        claimed = orphan.claimed
        settlement = Settlement(claimed.job_id, claimed.seq, decision, "word", claimed.job_id, b"evidence")
        await store.settle(lane, terms[lane].term, [settlement])
    return jobs[0].job_id


@pytest.mark.parametrize("ended", [True, False])
async def test_a_list_of_jobs_holds_those_of_the_provider_alone(hub_engine: AsyncEngine, ended: bool) -> None:
    store = PostgresJobStore(hub_engine)
    if ended:
        ours = await settled(hub_engine, DONE)
    else:
        await store.accept([new_job(n, provider=name) for n, name in enumerate(NAMES, start=1)])
        ours = new_job(1).job_id
    page = await store.page("acme", before="", limit=10, provider="pay_eu")
    assert [job.job_id for job in page] == [ours]


async def test_a_rollback_matches_the_jobs_of_the_provider_alone(hub_engine: AsyncEngine) -> None:
    ours = await settled(hub_engine, DONE)
    matched = await PostgresPlanStore(hub_engine).succeeded_jobs(WANTED, 10)
    assert [match.job_id for match in matched] == [ours]


async def test_letters_are_those_of_the_provider_alone(hub_engine: AsyncEngine) -> None:
    ours = await settled(hub_engine, DEAD)
    listed = await PostgresOperationsStore(hub_engine).letters(WANTED, also_left=False, before=None, limit=10)
    replayed = await PostgresPlanStore(hub_engine).open_letters(WANTED, 10)
    assert [letter.job_id for letter in listed] == [ours]
    assert [match.job_id for match in replayed] == [ours]
