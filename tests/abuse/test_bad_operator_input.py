"""Requests to the operators' service that no honest client sends: a clear refusal, and nothing done."""

from uuid import uuid4

import grpc
import pytest
from google.protobuf.message import Message

from integration.operations.v1 import operations_service_pb2 as ops
from integration.operations.v1 import operations_service_pb2_grpc, plan_pb2
from tests.abuse.edge import NO_IDS, TIMEOUT, Edge, check_refused, refusal

pytestmark = pytest.mark.asyncio(loop_scope="module")

OPERATIONS = "/integration.operations.v1.OperationsService"
WHY = ops.Justification(reason="a reason", ticket="OPS-1")
TIME = "2026-03-01T12:00:00+00:00"


@pytest.mark.parametrize("wrong", NO_IDS)
@pytest.mark.parametrize(
    ("method", "message", "fields"),
    [
        ("GetDeadLetter", ops.GetDeadLetterRequest, {}),
        ("ResolveJob", ops.ResolveJobRequest, {"resolution": "RESOLUTION_DONE", "why": WHY}),
        ("GetPlan", ops.GetPlanRequest, {}),
        ("ListPlanItems", ops.ListPlanItemsRequest, {}),
        ("ApprovePlan", ops.ApprovePlanRequest, {"why": WHY}),
        ("StopPlan", ops.StopPlanRequest, {"why": WHY}),
        ("ResumePlan", ops.ResumePlanRequest, {"why": WHY}),
        ("AbandonPlan", ops.AbandonPlanRequest, {"why": WHY}),
    ],
)
async def test_b20_what_is_no_id_of_an_operators_job_or_plan(
    edge: Edge, method: str, message: type[Message], fields: dict[str, object], wrong: str
) -> None:
    name = "job_id" if "job_id" in message.DESCRIPTOR.fields_by_name else "plan_id"
    data = message(**fields, **{name: wrong}).SerializeToString()  # type: ignore[call-arg]
    await check_refused(edge, f"{OPERATIONS}/{method}", data, name, caller="operator")


@pytest.mark.parametrize("wrong", NO_IDS)
@pytest.mark.parametrize(
    ("method", "message", "fields"),
    [
        ("ListDeadLetters", ops.ListDeadLettersRequest, {}),
        ("CountDeadLetters", ops.CountDeadLettersRequest, {}),
        ("CreatePlan", ops.CreatePlanRequest, {"kind": "PLAN_KIND_REPLAY", "why": WHY}),
    ],
)
async def test_b20_what_is_no_job_id_in_a_filter(
    edge: Edge, method: str, message: type[Message], fields: dict[str, object], wrong: str
) -> None:
    wanted = plan_pb2.PlanFilter(job_ids=[str(uuid4()), wrong])
    data = message(**fields, filter=wanted).SerializeToString()  # type: ignore[call-arg]
    await check_refused(edge, f"{OPERATIONS}/{method}", data, "filter.job_ids[1]", caller="operator")


@pytest.mark.parametrize(
    ("method", "request_"),
    [
        *(
            ("ListDeadLetters", ops.ListDeadLettersRequest(page_token=token))
            for token in (
                "x",
                TIME,
                f"{TIME}/",
                f"{TIME}/zzz",
                f"{TIME}/{'-' * 36}",
                f"/{'0' * 8}-0000-7000-8000-{'0' * 12}",
                f"0001-01-01T00:00:00+14:00/{'0' * 8}-0000-7000-8000-{'0' * 12}",
            )
        ),
        *(
            ("ListPlans", ops.ListPlansRequest(page_token=token))
            for token in ("x", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", f"{TIME}/zzz")
        ),
        *(
            ("ListPlanItems", ops.ListPlanItemsRequest(plan_id=str(uuid4()), page_token=token))
            for token in ("x", "-1", "1e3", "\u00b2", "10001", str(2**31), str(2**63), "9" * 128)
        ),
    ],
)
async def test_b20_what_is_no_page_token_of_an_operator(edge: Edge, method: str, request_: Message) -> None:
    data = request_.SerializeToString()
    await check_refused(edge, f"{OPERATIONS}/{method}", data, "page_token", caller="operator")


async def test_b20_no_state_is_no_state_of_an_item(edge: Edge) -> None:
    request = ops.ListPlanItemsRequest(plan_id=str(uuid4()), states=["PLAN_ITEM_STATE_UNSPECIFIED"])
    data = request.SerializeToString()
    await check_refused(edge, f"{OPERATIONS}/ListPlanItems", data, "states[0]", caller="operator")


async def test_b20_sound_ids_and_tokens_are_taken(edge: Edge) -> None:
    operator = operations_service_pb2_grpc.OperationsServiceStub(edge.callers["operator"].channel)
    wanted = plan_pb2.PlanFilter(job_ids=[str(uuid4())])
    letters = ops.ListDeadLettersRequest(filter=wanted, page_token=f"{TIME}/{uuid4()}")
    assert not (await operator.ListDeadLetters(letters, timeout=TIMEOUT)).dead_letters
    plans = ops.ListPlansRequest(page_token=TIME)
    assert not (await operator.ListPlans(plans, timeout=TIMEOUT)).plans
    items = ops.ListPlanItemsRequest(plan_id=str(uuid4()), page_token="10000")
    code, details = await refusal(operator.ListPlanItems(items, timeout=TIMEOUT))
    assert (code, details.reason) == (grpc.StatusCode.NOT_FOUND, "PLAN_NOT_FOUND")
