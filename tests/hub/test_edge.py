"""The hub's edge, called as Core calls it: real mTLS, real Postgres."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages
from typing import Any

import grpc
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

import integration
from hub.errors import JobError, ProviderAmbiguous, ProviderNotReady, UnknownAccount, UnknownProvider
from hub.intake import api as capabilities
from hub.intake.door import Door
from hub.intake.new_jobs import NewJobs
from hub.intake.references import References
from hub.intake.store import PostgresIntakeStore
from hub.intake.submit import Submission
from hub.jobs.api import JobsApi
from hub.jobs.board import Board
from hub.jobs.model import JobState
from hub.jobs.spec import OperationSpec
from hub.jobs.store import PostgresJobStore
from hub.jobs.waiting import Waiting
from hub.lanes.store import PostgresLaneLeases, PostgresLaneStore
from hub.statuses import DOMAIN, STATUSES
from hub.tenants import Rights, Tenants
from integration.common.v1 import context_pb2, money_pb2, rules_pb2
from integration.jobs.v1 import job_pb2, jobs_service_pb2_grpc
from integration.jobs.v1 import jobs_service_pb2 as jobs
from integration.payments.v1 import payments_service_pb2 as payments
from integration.payments.v1 import payments_service_pb2_grpc
from mesh.batcher import Batcher
from mesh.ca import CertificateAuthority
from mesh.channel import open_channel
from mesh.clock import SystemClock
from mesh.errors import details_of
from mesh.identity import Identity, SpiffeId
from mesh.server import MeshServer
from tests.fakes import FakeNotary
from tests.hub.jobs import spec

TRUST_DOMAIN = "integration.local"
RULES: Any = rules_pb2.rules
CONTRACTS = [m.name for m in walk_packages(integration.__path__, "integration.") if m.name.endswith("_pb2")]


class OneSpoke:
    """A directory that knows the account `default` at `echo`, until the test says what is wrong with it."""

    def __init__(self) -> None:
        self.refusal: JobError | None = None

    def choose(self, provider: str, operation: str) -> str:
        """The only provider, or a refusal."""
        if self.refusal is not None:
            raise self.refusal
        if provider not in {"", "echo"}:
            raise UnknownProvider(f"no spoke {provider}", provider=provider)
        return "echo"

    def check_account(self, provider: str, account: str) -> None:
        """Refuses what there is not."""
        if account != "default":
            raise UnknownAccount(f"no account {account}", account=account)

    def spec(self, provider: str, operation: str) -> OperationSpec:
        """The same for every operation."""
        return spec()


class MovedClock(SystemClock):
    """The system's clock, but for what the test has moved it ahead."""

    ahead = timedelta()

    def now(self) -> datetime:
        """Aware UTC."""
        return super().now() + self.ahead


@dataclass
class Edge:
    """The running edge and clients of it."""

    store: PostgresJobStore
    board: Board
    directory: OneSpoke
    clock: MovedClock
    rights: dict[str, Rights]
    payments: payments_service_pb2_grpc.PaymentsServiceStub
    jobs: jobs_service_pb2_grpc.JobsServiceStub
    operator: jobs_service_pb2_grpc.JobsServiceStub


@pytest.fixture
async def edge(hub_engine: AsyncEngine, tmp_path: Path) -> AsyncIterator[Edge]:
    """The edge on a free port; the client may act for `acme` and `beta`."""
    authority = CertificateAuthority.create(TRUST_DOMAIN)
    identities = {}
    for role, name in (("hub", "hub"), ("core", "demo"), ("operator", "cli")):
        authority.issue(SpiffeId(TRUST_DOMAIN, role, name), tmp_path / role)
        identities[role] = Identity.load(tmp_path / role)
    store, board, clock = PostgresJobStore(hub_engine), Board(), SystemClock()
    directory, moved = OneSpoke(), MovedClock()
    callers = {str(identities["core"].spiffe_id): frozenset({"acme", "beta"})}
    rights = {"*": Rights({"echo": frozenset({"*"})})}
    tenants = Tenants(callers, rights)
    waiting = Waiting(store, board, clock)
    accepting = Batcher(store.accept, max_items=64, max_queue=100)
    intake = PostgresIntakeStore(hub_engine)
    known = Batcher(intake.known, max_items=64, max_queue=100)
    made = Batcher(intake.made, max_items=64, max_queue=100)
    new_jobs = NewJobs(directory, clock=moved, chance=secrets.token_bytes, trace=dict)
    desk = capabilities.Desk(
        door=Door(
            new_jobs=new_jobs,
            references=References(made.submit),
            submission=Submission(accept=accepting.submit, clock=moved, hint=lambda lane: None),
            known=known.submit,
        ),
        waiting=waiting,
        tenants=tenants,
        new_jobs=new_jobs,
    )
    server = MeshServer(identities["hub"], domain=DOMAIN, statuses=STATUSES)
    server.raw.add_generic_rpc_handlers(capabilities.handlers(desk))
    api = JobsApi(store, waiting=waiting, board=board, tenants=tenants, draining=server.draining)
    jobs_service_pb2_grpc.add_JobsServiceServicer_to_server(api, server.raw)
    target = f"127.0.0.1:{await server.serve('127.0.0.1:0')}"
    async with AsyncExitStack() as stack:
        core = await stack.enter_async_context(open_channel(target, identities["core"]))
        operator = await stack.enter_async_context(open_channel(target, identities["operator"]))
        yield Edge(
            store,
            board,
            directory,
            moved,
            rights,
            payments_service_pb2_grpc.PaymentsServiceStub(core),
            jobs_service_pb2_grpc.JobsServiceStub(core),
            jobs_service_pb2_grpc.JobsServiceStub(operator),
        )
    await server.drain(1)


def charge(
    request_id: str = "order-1", *, minor_units: int = 100, **context: object
) -> payments.ChargeRequest:
    """A sound request of tenant `acme`, changed by keyword."""
    fields = {"request_id": request_id, "tenant": "acme", **context}
    return payments.ChargeRequest(
        context=context_pb2.RequestContext(**fields),
        amount=money_pb2.Money(minor_units=minor_units, currency_code="EUR"),
        payment_method="pm_card_visa",
    )


async def refusal(call: grpc.aio.UnaryUnaryCall) -> tuple[grpc.StatusCode, str, grpc.aio.AioRpcError]:
    """Status and reason of a call that must be refused."""
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await call
    details = details_of(refused.value)
    assert details is not None
    return refused.value.code(), details.reason, refused.value


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


CHANGED: dict[str, dict[str, object]] = {
    "expiry": {"expire_time": {"seconds": 4_000_000_000}},
    "an expiry that is over": {"expire_time": {"seconds": 1}},
    "retries": {"retry": {"max_attempts": 3}},
    "priority": {"priority": 5},
    "labels": {"labels": {"try": "2"}},
    "principal": {"principal": "user-7"},
}


@pytest.mark.parametrize("changed", CHANGED.values(), ids=CHANGED)
async def test_a_repetition_may_say_otherwise_when_and_how_it_is_done(
    edge: Edge, changed: dict[str, object]
) -> None:
    first = (await edge.payments.Charge(charge(), timeout=5)).job
    again = (await edge.payments.Charge(charge(**changed), timeout=5)).job
    assert (again.job_id, again.expire_time) == (first.job_id, first.expire_time)


@pytest.mark.parametrize("named", [{"provider": "echo"}, {"account": "default"}, {"provider": "nobody"}])
async def test_who_is_named_to_do_it_is_part_of_what_is_asked_for(edge: Edge, named: dict[str, str]) -> None:
    first = (await edge.payments.Charge(charge(), timeout=5)).job
    code, reason, error = await refusal(edge.payments.Charge(charge(**named), timeout=5))
    assert (code, reason) == (grpc.StatusCode.ALREADY_EXISTS, "REQUEST_ID_REUSED")
    details = details_of(error)
    assert details is not None
    assert details.metadata["job_id"] == first.job_id


REFUSALS = (
    UnknownProvider("gone"),
    UnknownAccount("gone"),
    ProviderNotReady("silent"),
    ProviderAmbiguous("another has come"),
)


@pytest.mark.parametrize("refused", REFUSALS, ids=[type(r).__name__ for r in REFUSALS])
async def test_a_known_key_is_answered_whatever_the_spokes_say_today(edge: Edge, refused: JobError) -> None:
    first = (await edge.payments.Charge(charge(), timeout=5)).job
    edge.directory.refusal = refused
    assert (await edge.payments.Charge(charge(), timeout=5)).job.job_id == first.job_id
    assert (await refusal(edge.payments.Charge(charge("order-2"), timeout=5)))[1] == refused.reason
    code, reason, _ = await refusal(edge.payments.Charge(charge(minor_units=101), timeout=5))
    assert (code, reason) == (grpc.StatusCode.ALREADY_EXISTS, "REQUEST_ID_REUSED")


async def test_a_known_key_is_answered_also_when_its_account_is_no_longer_the_tenants(edge: Edge) -> None:
    first = (await edge.payments.Charge(charge(), timeout=5)).job
    edge.rights["acme"] = Rights()
    assert (await edge.payments.Charge(charge(), timeout=5)).job.job_id == first.job_id
    code, reason, _ = await refusal(edge.payments.Charge(charge("order-2"), timeout=5))
    assert (code, reason) == (grpc.StatusCode.PERMISSION_DENIED, "ACCOUNT_NOT_ALLOWED")


async def test_a_known_key_is_answered_with_its_end_after_its_expiry(edge: Edge) -> None:
    until = edge.clock.now() + timedelta(minutes=1)
    request = charge(expire_time=until)
    first = (await edge.payments.Charge(request, timeout=5)).job
    await edge.jobs.CancelJob(jobs.CancelJobRequest(tenant="acme", job_id=first.job_id), timeout=5)
    edge.clock.ahead = timedelta(minutes=2)
    again = (await edge.payments.Charge(request, timeout=5)).job
    assert (again.job_id, again.state) == (first.job_id, job_pb2.JOB_STATE_CANCELLED)
    late = charge("order-2", expire_time=until)
    assert (await refusal(edge.payments.Charge(late, timeout=5)))[1] == "ALREADY_EXPIRED"
    other = charge(minor_units=101, expire_time=until)
    assert (await refusal(edge.payments.Charge(other, timeout=5)))[1] == "REQUEST_ID_REUSED"


@pytest.mark.parametrize("expiry", [{"seconds": 253_402_300_799}, timedelta(days=400, hours=1)], ids=repr)
async def test_an_expiry_that_cannot_be_reckoned_with_is_refused_unless_the_key_is_known(
    edge: Edge, expiry: object
) -> None:
    if isinstance(expiry, timedelta):
        expiry = edge.clock.now() + expiry
    code, _, error = await refusal(edge.payments.Charge(charge(expire_time=expiry), timeout=5))
    details = details_of(error)
    assert details is not None
    assert (code, [v.field for v in details.violations]) == (
        grpc.StatusCode.INVALID_ARGUMENT,
        ["context.expire_time"],
    )
    assert await edge.store.page("acme", before="", limit=1) == []
    first = charge(expire_time=edge.clock.now() + timedelta(days=399))
    job = (await edge.payments.Charge(first, timeout=5)).job
    assert (await edge.payments.Charge(charge(expire_time=expiry), timeout=5)).job.job_id == job.job_id


def test_the_expiry_of_a_request_is_the_only_field_whose_bound_goes_by_the_clock() -> None:
    messages = [
        m for name in CONTRACTS for m in import_module(name).DESCRIPTOR.message_types_by_name.values()
    ]
    bound = [
        f.full_name for m in messages for f in m.fields if f.GetOptions().Extensions[RULES].ahead_lte_days
    ]
    assert bound == ["integration.common.v1.RequestContext.expire_time"]


async def test_a_known_key_of_another_tenant_says_nothing(edge: Edge) -> None:
    await edge.payments.Charge(charge(), timeout=5)
    edge.directory.refusal = UnknownProvider("gone")
    code, reason, _ = await refusal(edge.payments.Charge(charge(tenant="beta"), timeout=5))
    assert (code, reason) == (grpc.StatusCode.INVALID_ARGUMENT, "UNKNOWN_PROVIDER")


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


async def test_a_watcher_is_told_of_a_change_as_it_happens(edge: Edge) -> None:
    call = edge.jobs.WatchJobs(jobs.WatchJobsRequest(tenant="acme", after_cursor=-1), timeout=10)
    started = await call.read()
    assert not started.events
    job = (await edge.payments.Charge(charge(), timeout=5)).job
    await edge.jobs.CancelJob(jobs.CancelJobRequest(tenant="acme", job_id=job.job_id), timeout=5)
    assert [e.job.state for e in (await call.read()).events] == [job_pb2.JOB_STATE_CANCELLED]


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
