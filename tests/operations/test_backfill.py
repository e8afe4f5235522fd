"""Backfill: events whose webhooks never came are taken in, once."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import grpc
import pytest

from hub.database.engine import open_engine
from hub.events.model import ArrivedEvent
from hub.events.store import PostgresEventStore
from integration.jobs.v1 import job_pb2
from integration.operations.v1 import plan_pb2
from tests.hub.jobs import agreed
from tests.operations.office import Office, Person, until


async def preview(person: Person) -> plan_pb2.Plan:
    """A backfill of the last hour and the next."""
    now = datetime.now(UTC)
    return await person.preview(
        "BACKFILL", provider="echo", start_time=now - timedelta(hours=1), end_time=now + timedelta(hours=1)
    )


async def lost(office: Office, count: int) -> list[str]:
    """Job ids of charges that the provider has settled, with nobody told."""
    jobs = await asyncio.gather(*(office.charge(n, method="pm_pending") for n in range(count)))

    async def settled() -> int:
        return len(office.provider.sandbox.events)

    await until(settled, lambda n: n == count, 15)
    return [j.job_id for j in jobs]


async def test_lost_webhooks_are_found_in_the_providers_list_and_applied_once(office: Office) -> None:
    job_ids = await lost(office, 20)
    plan = await preview(office.ana)
    assert (plan.counts.total, plan.needs_second_person) == (20, False)
    await office.ana.approve(plan)
    done = await office.ana.over(plan)
    assert (done.state, done.counts.succeeded) == (plan_pb2.PLAN_STATE_FINISHED, 20)
    await office.jobs_in(job_ids, job_pb2.JOB_STATE_SUCCEEDED, 10)


async def test_what_was_kept_as_not_understood_is_taken_in_once_it_is(
    office: Office, hub_database: Mapping[str, str]
) -> None:
    job_ids = await lost(office, 3)
    engine = open_engine(hub_database["hub_rw"])
    mute = [
        ArrivedEvent("echo/default", e["id"], e["type"], "", b"", b"") for e in office.provider.sandbox.events
    ]
    await PostgresEventStore(engine, lambda _: None, agreed).keep_all(mute)
    await engine.dispose()
    plan = await preview(office.ana)
    assert plan.counts.total == 3
    await office.ana.approve(plan)
    assert (await office.ana.over(plan)).counts.succeeded == 3
    await office.jobs_in(job_ids, job_pb2.JOB_STATE_SUCCEEDED, 10)
    again = await preview(office.ana)
    assert (again.counts.total, {i.cause: i.count for i in again.ineligible}) == (0, {"ALREADY_HERE": 3})


@pytest.mark.parametrize(
    ("wanted", "field"),
    [
        ({"provider": "nobody"}, "filter.provider"),
        ({"provider": "echo", "account": "other"}, "filter.account"),
    ],
)
async def test_a_backfill_of_a_lane_that_there_is_not_names_the_field(
    office: Office, wanted: Mapping[str, str], field: str
) -> None:
    now = datetime.now(UTC)
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await office.ana.preview("BACKFILL", start_time=now - timedelta(hours=1), end_time=now, **wanted)
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert field in str(refused.value.details())


async def test_a_second_backfill_beside_traffic_finds_nothing_new(office: Office) -> None:
    await lost(office, 5)
    one, two = await preview(office.ana), await preview(office.luis)
    more = [asyncio.create_task(office.charge(100 + n, wait=10)) for n in range(20)]
    await office.ana.approve(one)
    await office.luis.approve(two)
    done = [await office.ana.over(plan) for plan in (one, two)]
    assert sum(d.counts.succeeded for d in done) == 5
    assert sum(d.counts.skipped for d in done) == 5
    assert {(await m).state for m in more} == {job_pb2.JOB_STATE_SUCCEEDED}
    third = await preview(office.ana)
    assert (third.counts.total, {i.cause: i.count for i in third.ineligible}) == (0, {"ALREADY_HERE": 5})
