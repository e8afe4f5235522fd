"""A tenant's jobs are not there for another tenant: not to read, not to stop, not to know of."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from uuid import uuid4

import grpc
import pytest
import pytest_asyncio

from hub.jobs.model import JobState
from integration.jobs.v1 import jobs_service_pb2 as jobs
from tests.abuse.edge import TIMEOUT, Caller, Edge, charge, refusal, serving

pytestmark = pytest.mark.asyncio(loop_scope="module")

NOTHING = {"nanos": 1_000_000}


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def edge(hub_urls: Mapping[str, str], tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Edge]:
    """One edge for all."""
    async with serving(hub_urls, tmp_path_factory.mktemp("edge")) as edge:
        yield edge


@pytest.fixture
def beta(edge: Edge) -> Caller:
    """The caller that acts for `beta`."""
    return edge.callers["beta"]


Ask = Callable[[Caller, str, str], Awaitable[object]]


def _get(caller: Caller, tenant: str, job_id: str) -> Awaitable[object]:
    return caller.jobs.GetJob(jobs.GetJobRequest(tenant=tenant, job_id=job_id), timeout=TIMEOUT)


def _wait(caller: Caller, tenant: str, job_id: str) -> Awaitable[object]:
    request = jobs.WaitJobRequest(tenant=tenant, job_id=job_id, timeout=NOTHING)  # type: ignore[arg-type]
    return caller.jobs.WaitJob(request, timeout=TIMEOUT)


def _cancel(caller: Caller, tenant: str, job_id: str) -> Awaitable[object]:
    return caller.jobs.CancelJob(jobs.CancelJobRequest(tenant=tenant, job_id=job_id), timeout=TIMEOUT)


ASKS = {"get": _get, "wait": _wait, "cancel": _cancel}


async def a_job(edge: Edge) -> str:
    """The id of a job of `acme`."""
    return (await edge.core.payments.Charge(charge(), timeout=TIMEOUT)).job.job_id


@pytest.mark.parametrize("ask", ASKS.values(), ids=ASKS)
async def test_anothers_job_answers_as_one_that_never_was(edge: Edge, beta: Caller, ask: Ask) -> None:
    theirs, nobodys = await a_job(edge), str(uuid4())
    answers = []
    for job_id in (theirs, nobodys):
        code, details = await refusal(ask(beta, "beta", job_id))
        answers.append((code, details.reason, details.domain, set(details.metadata), details.violations))
        assert details.metadata == {"job_id": job_id}
    assert answers[0] == answers[1]
    assert answers[0][:2] == (grpc.StatusCode.NOT_FOUND, "JOB_NOT_FOUND")
    job = await edge.store.get(theirs)
    assert job is not None
    assert job.state is JobState.QUEUED


@pytest.mark.parametrize("ask", ASKS.values(), ids=ASKS)
async def test_who_may_not_act_for_a_tenant_learns_nothing_of_its_jobs(
    edge: Edge, beta: Caller, ask: Ask
) -> None:
    answers = [await refusal(ask(beta, "acme", job_id)) for job_id in (await a_job(edge), str(uuid4()))]
    assert answers[0] == answers[1]
    assert answers[0][0] is grpc.StatusCode.PERMISSION_DENIED


async def test_a_list_holds_only_ones_own_however_it_is_asked(edge: Edge, beta: Caller) -> None:
    theirs = await a_job(edge)
    found = await edge.store.get(theirs)
    assert found is not None
    after = f"{theirs[:-1]}{(int(theirs[-1], 16) + 1) % 16:x}"
    for request in (
        jobs.ListJobsRequest(tenant="beta"),
        jobs.ListJobsRequest(tenant="beta", request_id=found.request_id),
        jobs.ListJobsRequest(tenant="beta", page_token=after),
        jobs.ListJobsRequest(tenant="beta", provider=found.provider),
    ):
        assert not (await beta.jobs.ListJobs(request, timeout=TIMEOUT)).jobs
    code, _ = await refusal(beta.jobs.ListJobs(jobs.ListJobsRequest(tenant="acme"), timeout=TIMEOUT))
    assert code is grpc.StatusCode.PERMISSION_DENIED


async def test_a_watch_tells_nothing_of_anothers_job(edge: Edge, beta: Caller) -> None:
    theirs = await a_job(edge)
    own = charge(tenant="beta")
    mine = (await beta.payments.Charge(own, timeout=TIMEOUT)).job.job_id
    by_id = beta.jobs.WatchJobs(jobs.WatchJobsRequest(tenant="beta", job_id=theirs), timeout=TIMEOUT)
    every = beta.jobs.WatchJobs(jobs.WatchJobsRequest(tenant="beta"), timeout=TIMEOUT)
    assert not (await by_id.read()).events
    assert not (await every.read()).events
    await _cancel(edge.core, "acme", theirs)
    await _cancel(beta, "beta", mine)
    # The other tenant's event came first: a watch that let it through would show it before this one.
    assert [event.job.job_id for event in (await every.read()).events] == [mine]
    by_id.cancel()
    every.cancel()
    code, _ = await refusal(beta.jobs.WatchJobs(jobs.WatchJobsRequest(tenant="acme"), timeout=TIMEOUT).read())
    assert code is grpc.StatusCode.PERMISSION_DENIED


async def test_two_tenants_keys_do_not_meet(edge: Edge, beta: Caller) -> None:
    key = charge().context.request_id
    first = (await edge.core.payments.Charge(charge(key), timeout=TIMEOUT)).job
    second = (await beta.payments.Charge(charge(key, minor_units=7, tenant="beta"), timeout=TIMEOUT)).job
    assert first.job_id != second.job_id
    assert (first.tenant, second.tenant) == ("acme", "beta")


async def test_who_is_in_no_table_may_act_for_nobody(edge: Edge) -> None:
    operator = edge.callers["operator"]
    code, details = await refusal(operator.payments.Charge(charge(), timeout=TIMEOUT))
    assert (code, details.reason) == (grpc.StatusCode.PERMISSION_DENIED, "NOT_PERMITTED")


@pytest.mark.parametrize(
    ("chosen", "field"),
    [
        ({"provider": "other"}, "context.provider"),
        ({"provider": "other", "account": "default"}, "context.provider"),
        ({"account": "acme-live"}, "context.account"),
    ],
)
async def test_anothers_account_is_refused_by_name_and_nothing_is_stored(
    edge: Edge, beta: Caller, chosen: dict[str, str], field: str
) -> None:
    before = await edge.stored()
    code, details = await refusal(beta.payments.Charge(charge(tenant="beta", **chosen), timeout=TIMEOUT))
    assert (code, details.reason) == (grpc.StatusCode.PERMISSION_DENIED, "ACCOUNT_NOT_ALLOWED")
    assert [v.field for v in details.violations] == [field]
    assert await edge.stored() == before


@pytest.mark.parametrize(("named", "used"), [("beta-test", "beta-test"), ("", "default")])
async def test_a_tenant_uses_its_own_accounts(edge: Edge, beta: Caller, named: str, used: str) -> None:
    request = charge(tenant="beta", provider="echo", account=named)
    assert (await beta.payments.Charge(request, timeout=TIMEOUT)).job.account == used
