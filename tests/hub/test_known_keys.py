"""A known request id finds its job; another content under it is refused."""

from datetime import timedelta
from importlib import import_module
from pkgutil import walk_packages
from typing import Any

import grpc
import pytest

import integration
from hub.errors import JobError, ProviderAmbiguous, ProviderNotReady, UnknownAccount, UnknownProvider
from hub.tenants import Rights
from integration.common.v1 import rules_pb2
from integration.jobs.v1 import job_pb2
from integration.jobs.v1 import jobs_service_pb2 as jobs
from mesh.errors import details_of
from tests.hub.edge import Edge, charge, refusal, taken

RULES: Any = rules_pb2.rules
CONTRACTS = [m.name for m in walk_packages(integration.__path__, "integration.") if m.name.endswith("_pb2")]

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
    first = await taken(edge.payments.Charge(charge(), timeout=5))
    again = await taken(edge.payments.Charge(charge(**changed), timeout=5))
    assert (again.job_id, again.expire_time) == (first.job_id, first.expire_time)


@pytest.mark.parametrize("named", [{"provider": "echo"}, {"account": "default"}, {"provider": "nobody"}])
async def test_who_is_named_to_do_it_is_part_of_what_is_asked_for(edge: Edge, named: dict[str, str]) -> None:
    first = await taken(edge.payments.Charge(charge(), timeout=5))
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
    first = await taken(edge.payments.Charge(charge(), timeout=5))
    edge.directory.refusal = refused
    assert (await taken(edge.payments.Charge(charge(), timeout=5))).job_id == first.job_id
    assert (await refusal(edge.payments.Charge(charge("order-2"), timeout=5)))[1] == refused.reason
    code, reason, _ = await refusal(edge.payments.Charge(charge(minor_units=101), timeout=5))
    assert (code, reason) == (grpc.StatusCode.ALREADY_EXISTS, "REQUEST_ID_REUSED")


async def test_a_known_key_is_answered_also_when_its_account_is_no_longer_the_tenants(edge: Edge) -> None:
    first = await taken(edge.payments.Charge(charge(), timeout=5))
    edge.rights["acme"] = Rights()
    assert (await taken(edge.payments.Charge(charge(), timeout=5))).job_id == first.job_id
    code, reason, _ = await refusal(edge.payments.Charge(charge("order-2"), timeout=5))
    assert (code, reason) == (grpc.StatusCode.PERMISSION_DENIED, "ACCOUNT_NOT_ALLOWED")


async def test_a_known_key_is_answered_with_its_end_after_its_expiry(edge: Edge) -> None:
    until = edge.clock.now() + timedelta(minutes=1)
    request = charge(expire_time=until)
    first = await taken(edge.payments.Charge(request, timeout=5))
    await edge.jobs.CancelJob(jobs.CancelJobRequest(tenant="acme", job_id=first.job_id), timeout=5)
    edge.clock.ahead = timedelta(minutes=2)
    again = await taken(edge.payments.Charge(request, timeout=5))
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
    job = await taken(edge.payments.Charge(first, timeout=5))
    assert (await taken(edge.payments.Charge(charge(expire_time=expiry), timeout=5))).job_id == job.job_id


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
