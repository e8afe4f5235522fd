"""A follow-up names only what the tenant's own jobs have made: to read, to take, to release, to give back."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import grpc
import pytest
import pytest_asyncio

from hub.intake.references import Reference
from hub.intake.store import PostgresIntakeStore
from hub.jobs.decision import Decision
from hub.jobs.model import JobState
from hub.lanes.ports import Settlement
from hub.lanes.store import PostgresLaneLeases, PostgresLaneStore
from integration.payments.v1 import payments_service_pb2 as payments
from tests.abuse.edge import RIGHTS, TIMEOUT, Caller, Edge, charge, refusal, serving
from tests.fakes import FakeNotary

pytestmark = pytest.mark.asyncio(loop_scope="module")

FOLLOW_UPS = {
    "GetPayment": payments.GetPaymentRequest,
    "Capture": payments.CaptureRequest,
    "Void": payments.VoidRequest,
    "Refund": payments.RefundRequest,
}
STATES = (JobState.SUCCEEDED, JobState.WAITING_CONFIRMATION)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def edge(hub_urls: Mapping[str, str], tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Edge]:
    """One edge for all."""
    async with serving(hub_urls, tmp_path_factory.mktemp("edge")) as edge:
        yield edge


async def paid(edge: Edge, state: JobState, reference: str, **context: object) -> None:
    """A charge of `acme`'s, carried into a state in which it has the provider's reference."""
    job = (await edge.core.payments.Charge(charge(**context), timeout=TIMEOUT)).job
    lane = f"{job.provider}/{job.account}"
    leases, lanes = PostgresLaneLeases(edge.engine), PostgresLaneStore(edge.engine)
    for _ in range(2):
        owned = await leases.acquire("hub", [lane], timedelta(seconds=30))
    term, made = owned[lane].term, Decision(state, provider_reference=reference)
    claims = await lanes.claim(lane, term, 100, FakeNotary().intents)
    await lanes.settle(
        lane,
        term,
        [
            Settlement(o.claimed.job_id, o.claimed.seq, made, "x", o.claimed.job_id, b"evidence")
            for o in claims
            if o.claimed.job_id == job.job_id
        ],
    )


async def follow_up(caller: Caller, name: str, reference: str, **context: object) -> Any:
    """A follow-up on a piece of work."""
    request = FOLLOW_UPS[name](context=charge(**context).context, payment_id=reference)
    return await getattr(caller.payments, name)(request, timeout=TIMEOUT)


@pytest.mark.parametrize("state", STATES, ids=lambda s: s.name)
@pytest.mark.parametrize("name", FOLLOW_UPS)
async def test_a_tenant_follows_up_what_its_own_job_has_made(edge: Edge, name: str, state: JobState) -> None:
    reference = f"pi_own_{name}_{state.name}"
    await paid(edge, state, reference)
    taken = await follow_up(edge.core, name, reference)
    assert taken.read.read_id if name == "GetPayment" else taken.job.job_id


@pytest.mark.parametrize("state", STATES, ids=lambda s: s.name)
@pytest.mark.parametrize("name", FOLLOW_UPS)
async def test_anothers_work_is_refused_in_the_words_for_what_there_is_not(
    edge: Edge, name: str, state: JobState
) -> None:
    reference = f"pi_theirs_{name}_{state.name}"
    await paid(edge, state, reference)
    before, answers = await edge.stored(), []
    for named in (reference, "pi_nobodys"):
        code, details = await refusal(follow_up(edge.callers["beta"], name, named, tenant="beta"))
        assert (code, details.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "REFERENCE_NOT_YOURS")
        assert [v.field for v in details.violations] == ["payment_id"]
        answers.append((details.metadata, details.violations))
    assert answers[0] == answers[1]
    assert await edge.stored() == before


async def test_work_at_another_account_is_not_the_work_at_this_one(edge: Edge) -> None:
    await paid(edge, JobState.SUCCEEDED, "pi_elsewhere", provider="other")
    _, details = await refusal(follow_up(edge.core, "Refund", "pi_elsewhere", provider="echo"))
    assert details.reason == "REFERENCE_NOT_YOURS"
    assert (await follow_up(edge.core, "Refund", "pi_elsewhere", provider="other")).job.job_id


async def test_a_known_follow_up_is_answered_and_a_tenant_that_may_follows_up_others_work(
    edge: Edge,
) -> None:
    beta = edge.callers["beta"]
    request = {"tenant": "beta", "request_id": "follow-1"}
    edge.rights["beta"] = replace(RIGHTS["beta"], foreign_references=True)
    first = (await follow_up(beta, "Refund", "pi_made_by_hand", **request)).job
    edge.rights["beta"] = RIGHTS["beta"]
    assert (await follow_up(beta, "Refund", "pi_made_by_hand", **request)).job.job_id == first.job_id
    _, details = await refusal(follow_up(beta, "Refund", "pi_made_by_hand", tenant="beta"))
    assert details.reason == "REFERENCE_NOT_YOURS"


async def test_many_references_are_asked_for_together(edge: Edge) -> None:
    await paid(edge, JobState.SUCCEEDED, "pi_many")
    asked = [
        ("beta", "echo/default", "pi_many"),
        ("acme", "echo/default", "pi_many"),
        ("acme", "other/default", "pi_many"),
    ]
    made = PostgresIntakeStore(edge.engine).made
    assert await made([Reference(*a) for a in (*asked, asked[1])]) == [False, True, False, True]
    assert await made([Reference("acme", "echo/default", "")]) == [False]
