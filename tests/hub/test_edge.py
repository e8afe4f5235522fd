"""The hub's edge, called as Core calls it: real mTLS, real Postgres."""

import asyncio
from datetime import timedelta

import grpc
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from hub.jobs.model import JobState
from hub.lanes.store import PostgresLaneLeases, PostgresLaneStore
from integration.jobs.v1 import job_pb2
from integration.jobs.v1 import jobs_service_pb2 as jobs
from integration.payments.v1 import payments_service_pb2 as payments
from mesh.errors import details_of
from tests.fakes import FakeNotary
from tests.hub.edge import MOST_STREAMS, TRUST_DOMAIN, Edge, charge, refusal


async def test_a_request_becomes_a_queued_job_and_repeating_it_finds_the_same(edge: Edge) -> None:
    first = (await edge.payments.Charge(charge(), timeout=5)).job
    again = (await edge.payments.Charge(charge(wait={"nanos": 1}), timeout=5)).job
    assert first.state == job_pb2.JOB_STATE_QUEUED
    assert first.operation == "integration.payments.v1.PaymentsService/Charge"
    assert (again.job_id, first.provider, first.account) == (first.job_id, "echo", "default")


async def test_another_content_under_the_same_key_is_refused_and_names_the_first_job(edge: Edge) -> None:
    first = (await edge.payments.Charge(charge(), timeout=5)).job
    code, reason, error = await refusal(edge.payments.Charge(charge(minor_units=101), timeout=5))
    assert (code, reason) == (grpc.StatusCode.ALREADY_EXISTS, "REQUEST_ID_REUSED")
    details = details_of(error)
    assert details is not None
    assert details.metadata["job_id"] == first.job_id


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        (payments.ChargeRequest(), "context"),
        (charge(""), "context.request_id"),
        (charge(tenant=""), "context.tenant"),
        (charge(minor_units=0), "amount.minor_units"),
        (charge(wait={"seconds": 31}), "context.wait"),
        (charge(priority=10), "context.priority"),
    ],
)
async def test_a_request_that_breaks_a_rule_is_refused_and_names_the_field(
    edge: Edge, request_: payments.ChargeRequest, field: str
) -> None:
    code, _, error = await refusal(edge.payments.Charge(request_, timeout=5))
    details = details_of(error)
    assert details is not None
    assert code is grpc.StatusCode.INVALID_ARGUMENT
    assert field in [v.field for v in details.violations]


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (charge(tenant="other"), (grpc.StatusCode.PERMISSION_DENIED, "TENANT_NOT_PERMITTED")),
        (charge(provider="nobody"), (grpc.StatusCode.INVALID_ARGUMENT, "UNKNOWN_PROVIDER")),
        (charge(account="third"), (grpc.StatusCode.INVALID_ARGUMENT, "UNKNOWN_ACCOUNT")),
        (charge(expire_time={"seconds": 1}), (grpc.StatusCode.INVALID_ARGUMENT, "ALREADY_EXPIRED")),
    ],
)
async def test_a_refused_request_leaves_no_job(
    edge: Edge, request_: payments.ChargeRequest, expected: tuple[grpc.StatusCode, str]
) -> None:
    assert (await refusal(edge.payments.Charge(request_, timeout=5)))[:2] == expected
    assert await edge.store.page(request_.context.tenant, before="", limit=9) == []


async def test_a_tenants_job_is_not_there_for_another_tenant(edge: Edge) -> None:
    job = (await edge.payments.Charge(charge(), timeout=5)).job
    request = jobs.GetJobRequest(tenant="beta", job_id=job.job_id)
    assert (await refusal(edge.jobs.GetJob(request, timeout=5)))[1] == "JOB_NOT_FOUND"
    assert not (await edge.jobs.ListJobs(jobs.ListJobsRequest(tenant="beta"), timeout=5)).jobs


async def test_a_withdrawal_says_who_and_why_in_the_job_and_in_a_statement_of_the_same_commit(
    edge: Edge, hub_engine: AsyncEngine
) -> None:
    job_id = (await edge.payments.Charge(charge(), timeout=5)).job.job_id
    request = jobs.CancelJobRequest(tenant="acme", job_id=job_id, reason="ordered twice", ticket="OPS-1")
    cancelled = (await edge.operator.CancelJob(request, timeout=5)).job
    again = (await edge.jobs.CancelJob(jobs.CancelJobRequest(tenant="acme", job_id=job_id), timeout=5)).job
    shown = (await edge.jobs.GetJob(jobs.GetJobRequest(tenant="acme", job_id=job_id), timeout=5)).job
    listed = (await edge.jobs.ListJobs(jobs.ListJobsRequest(tenant="acme"), timeout=5)).jobs[0]
    for job in (cancelled, again, shown, listed):
        assert job.cancel_actor == f"spiffe://{TRUST_DOMAIN}/operator/cli"
        assert (job.cancel_reason, job.cancel_ticket) == ("ordered twice", "OPS-1")
    stated = await PostgresLaneStore(hub_engine).read_outbox("echo/default", 10)
    assert [s.envelope for s in stated] == [f"{job_id} withdrawn".encode()]


async def test_an_operator_must_say_why_a_job_is_withdrawn_and_core_may(edge: Edge) -> None:
    job_id = (await edge.payments.Charge(charge(), timeout=5)).job.job_id
    request = jobs.CancelJobRequest(tenant="acme", job_id=job_id)
    code, _, error = await refusal(edge.operator.CancelJob(request, timeout=5))
    details = details_of(error)
    assert details is not None
    assert (code, [v.field for v in details.violations]) == (
        grpc.StatusCode.INVALID_ARGUMENT,
        ["reason", "ticket"],
    )
    assert (await edge.jobs.CancelJob(request, timeout=5)).job.cancel_actor.endswith("/core/demo")


async def test_a_waiting_call_ends_when_the_job_does(edge: Edge) -> None:
    async def cancel_when_there() -> None:
        async with asyncio.timeout(5):
            while not (page := await edge.store.page("acme", before="", limit=1)):
                await asyncio.sleep(0)
        await edge.jobs.CancelJob(jobs.CancelJobRequest(tenant="acme", job_id=page[0].job_id), timeout=5)

    request = charge(wait={"seconds": 20})
    response, _ = await asyncio.gather(edge.payments.Charge(request, timeout=30), cancel_when_there())
    assert response.job.state == job_pb2.JOB_STATE_CANCELLED


async def test_a_waiting_call_ends_with_its_time_and_the_job_as_it_is(edge: Edge) -> None:
    job = (await edge.payments.Charge(charge(), timeout=5)).job
    wait = jobs.WaitJobRequest(tenant="acme", job_id=job.job_id, timeout=timedelta(milliseconds=50))
    assert (await edge.jobs.WaitJob(wait, timeout=5)).job.state == job_pb2.JOB_STATE_QUEUED


async def test_a_watcher_that_comes_back_with_its_cursor_misses_nothing(edge: Edge) -> None:
    async def next_event(after: int) -> tuple[int, str]:
        call = edge.jobs.WatchJobs(jobs.WatchJobsRequest(tenant="acme", after_cursor=after), timeout=10)
        async for response in call:
            if response.events:
                call.cancel()
                return response.events[0].cursor, response.events[0].job.job_id
        raise AssertionError("the stream ended")

    first = (await edge.payments.Charge(charge("order-1"), timeout=5)).job.job_id
    second = (await edge.payments.Charge(charge("order-2"), timeout=5)).job.job_id
    for job_id in (first, second):
        await edge.jobs.CancelJob(jobs.CancelJobRequest(tenant="acme", job_id=job_id), timeout=5)
    cursor, seen = await next_event(0)
    assert (seen, (await next_event(cursor))[1]) == (first, second)


async def test_a_watcher_is_told_of_a_change_as_it_happens_with_the_jobs_labels(edge: Edge) -> None:
    call = edge.jobs.WatchJobs(jobs.WatchJobsRequest(tenant="acme", after_cursor=-1), timeout=10)
    started = await call.read()
    assert not started.events
    job = (await edge.payments.Charge(charge(labels={"order": "7"}), timeout=5)).job
    await edge.jobs.CancelJob(jobs.CancelJobRequest(tenant="acme", job_id=job.job_id), timeout=5)
    (event,) = (await call.read()).events
    assert (event.job.state, dict(event.job.labels)) == (job_pb2.JOB_STATE_CANCELLED, {"order": "7"})


async def test_an_event_carries_the_jobs_labels_and_no_result(edge: Edge) -> None:
    job = (await edge.payments.Charge(charge(labels={"order": "7"}), timeout=5)).job
    await edge.jobs.CancelJob(jobs.CancelJobRequest(tenant="acme", job_id=job.job_id), timeout=5)
    call = edge.jobs.WatchJobs(jobs.WatchJobsRequest(tenant="acme"), timeout=10)
    assert not (await call.read()).events
    assert [dict(e.job.labels) for e in (await call.read()).events] == [{"order": "7"}]
    call.cancel()


@pytest.mark.parametrize(("cursor", "history"), [(1 << 62, ""), (1, ""), (0, "another")])
async def test_a_cursor_that_this_history_does_not_have_is_refused_and_the_newest_is_named(
    edge: Edge, cursor: int, history: str
) -> None:
    request = jobs.WatchJobsRequest(tenant="acme", after_cursor=cursor, history=history)
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await edge.jobs.WatchJobs(request, timeout=5).read()
    details = details_of(refused.value)
    assert details is not None
    assert (refused.value.code(), details.reason) == (grpc.StatusCode.OUT_OF_RANGE, "CURSOR_OUT_OF_RANGE")
    assert details.metadata["newest_cursor"] == "0"
    assert details.metadata["history"]


async def test_a_tenant_that_follows_as_many_streams_as_it_may_is_told_when_to_come_back(edge: Edge) -> None:
    def watch(tenant: str) -> grpc.aio.UnaryStreamCall:
        return edge.jobs.WatchJobs(jobs.WatchJobsRequest(tenant=tenant, after_cursor=-1), timeout=20)

    calls = [watch("acme") for _ in range(MOST_STREAMS)]
    for call in calls:
        await call.read()
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await watch("acme").read()
    details = details_of(refused.value)
    assert details is not None
    assert (refused.value.code(), details.reason) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "TOO_MANY_STREAMS")
    assert details.retry_after is not None
    await watch("beta").read()
    for call in calls:
        call.cancel()
    async with asyncio.timeout(5):
        while True:
            try:
                await watch("acme").read()
                break
            except grpc.aio.AioRpcError:
                await asyncio.sleep(0.01)


async def test_withdrawing_a_job_twice_is_harmless(edge: Edge) -> None:
    job = (await edge.payments.Charge(charge(), timeout=5)).job
    request = jobs.CancelJobRequest(tenant="acme", job_id=job.job_id)
    states = [(await edge.jobs.CancelJob(request, timeout=5)).job.state for _ in range(2)]
    assert states == [job_pb2.JOB_STATE_CANCELLED] * 2


async def test_a_running_job_cannot_be_withdrawn(edge: Edge, hub_engine: AsyncEngine) -> None:
    job = (await edge.payments.Charge(charge(), timeout=5)).job
    leases, lanes = PostgresLaneLeases(hub_engine), PostgresLaneStore(hub_engine)
    for _ in range(2):
        owned = await leases.acquire("hub", ["echo/default"], timedelta(seconds=30))
    await lanes.claim("echo/default", owned["echo/default"].term, 1, FakeNotary().intents)
    call = edge.jobs.CancelJob(jobs.CancelJobRequest(tenant="acme", job_id=job.job_id), timeout=5)
    assert (await refusal(call))[:2] == (grpc.StatusCode.FAILED_PRECONDITION, "NOT_CANCELLABLE")


async def test_pages_of_jobs_follow_one_another(edge: Edge) -> None:
    for n in range(5):
        await edge.payments.Charge(charge(f"order-{n}"), timeout=5)
    first = await edge.operator.ListJobs(jobs.ListJobsRequest(tenant="acme", page_size=3), timeout=5)
    rest = jobs.ListJobsRequest(tenant="acme", page_size=3, page_token=first.next_page_token)
    second = await edge.operator.ListJobs(rest, timeout=5)
    assert [j.request_id for j in [*first.jobs, *second.jobs]] == [f"order-{n}" for n in (4, 3, 2, 1, 0)]
    assert second.next_page_token == ""


async def test_states_of_the_contract_filter_the_list(edge: Edge) -> None:
    job = (await edge.payments.Charge(charge(), timeout=5)).job
    await edge.payments.Charge(charge("order-2"), timeout=5)
    await edge.jobs.CancelJob(jobs.CancelJobRequest(tenant="acme", job_id=job.job_id), timeout=5)
    wanted = jobs.ListJobsRequest(tenant="acme", states=[int(JobState.CANCELLED)])
    assert [j.job_id for j in (await edge.jobs.ListJobs(wanted, timeout=5)).jobs] == [job.job_id]
