"""Rollback: each charge is undone once, whatever asks for it and however often."""

import asyncio
from pathlib import Path

import grpc
import pytest

from hub.plans.model import undo_key
from integration.common.v1 import context_pb2
from integration.jobs.v1 import job_pb2
from integration.operations.v1 import operations_service_pb2 as ops
from integration.operations.v1 import plan_pb2
from integration.payments.v1 import payments_service_pb2 as payments
from integration.payments.v1 import payments_service_pb2_grpc
from tests.operations.office import WHY, Office, until


async def charged(office: Office, count: int) -> list[str]:
    """Job ids of charges that succeeded."""
    jobs = await asyncio.gather(*(office.charge(n, wait=10) for n in range(count)))
    assert {j.state for j in jobs} == {job_pb2.JOB_STATE_SUCCEEDED}
    return [j.job_id for j in jobs]


def refunds(office: Office) -> list[int]:
    """What the provider has given back, by payment."""
    return [p["refunded"] - p["captured"] for p in office.provider.sandbox.payments.values()]


async def item_job(office: Office, plan: plan_pb2.Plan) -> str:
    """The job that undoes a plan's only item, once there is one."""
    request = ops.ListPlanItemsRequest(plan_id=plan.plan_id)
    (item,) = (await office.ana.ops.ListPlanItems(request, timeout=10)).items
    return str(item.job_id)


async def test_charges_are_refunded_once_by_two_plans_at_the_same_time(office: Office) -> None:
    await charged(office, 10)
    one = await office.ana.preview("ROLLBACK", provider="echo")
    two = await office.luis.preview("ROLLBACK", provider="echo")
    assert one.needs_second_person
    await asyncio.gather(office.luis.approve(one), office.ana.approve(two))
    done = [await office.ana.over(plan) for plan in (one, two)]
    assert [d.state for d in done] == [plan_pb2.PLAN_STATE_FINISHED] * 2
    assert refunds(office) == [0] * 10
    assert len(office.provider.sandbox.refunds) == 10


async def test_what_has_been_undone_or_cannot_be_undone_is_left_out(office: Office) -> None:
    job_ids = await charged(office, 3)
    first = await office.ana.preview("ROLLBACK", job_ids=job_ids[:1])
    await office.luis.approve(first)
    await office.ana.over(first)
    second = await office.ana.preview("ROLLBACK", provider="echo")
    left_out = {i.cause: i.count for i in second.ineligible}
    assert (second.counts.total, left_out) == (2, {"UNDO_EXISTS": 1, "NO_INVERSE": 1})


async def test_no_request_of_core_stands_in_the_way_of_a_rollback(office: Office) -> None:
    (job_id,) = await charged(office, 1)
    core = payments_service_pb2_grpc.PaymentsServiceStub(office.whole.core)
    payment_id = (await office.job(job_id)).provider_reference
    for key in (f"rollback:{job_id}", f"rollback.{job_id}"):
        context = context_pb2.RequestContext(request_id=key, tenant="acme")
        await core.Capture(payments.CaptureRequest(context=context, payment_id=payment_id), timeout=10)
    context = context_pb2.RequestContext(request_id=undo_key(job_id, 1), tenant="acme")
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await core.Capture(payments.CaptureRequest(context=context, payment_id=payment_id), timeout=10)
    assert "context.request_id" in str(refused.value.details())
    plan = await office.ana.preview("ROLLBACK", job_ids=[job_id])
    await office.luis.approve(plan)
    done = await office.ana.over(plan)
    assert (done.counts.succeeded, refunds(office)) == (1, [0])


async def test_a_rollback_that_came_to_nothing_can_be_tried_again(office: Office) -> None:
    (job_id,) = await charged(office, 1)
    await office.ana.set_mode("PAUSED")
    first = await office.ana.preview("ROLLBACK", job_ids=[job_id])
    await office.luis.approve(first)
    undo = await until(lambda: item_job(office, first), bool, 10)
    assert (await office.cancel(undo)).cancel_actor.endswith("/core/demo")
    (said,) = await until(lambda: office.statements(undo), bool, 10)
    assert (said["act"], said["actor"]["ref"].rpartition("/")[2]) == ("job.cancel", "demo")
    assert (await office.ana.over(first)).counts.failed == 1
    await office.ana.set_mode("WORKING")
    second = await office.ana.preview("ROLLBACK", job_ids=[job_id])
    assert second.counts.total == 1
    await office.luis.approve(second)
    assert (await office.ana.over(second)).counts.succeeded == 1
    assert (refunds(office), len(office.provider.sandbox.refunds)) == ([0], 1)
    assert (await office.job(await item_job(office, second))).request_id == undo_key(job_id, 2)


async def test_an_item_names_the_job_that_undoes_it(office: Office) -> None:
    (job_id,) = await charged(office, 1)
    plan = await office.ana.preview("ROLLBACK", job_ids=[job_id])
    await office.luis.approve(plan)
    await office.ana.over(plan)
    request = ops.ListPlanItemsRequest(plan_id=plan.plan_id)
    (item,) = (await office.ana.ops.ListPlanItems(request, timeout=10)).items
    undo = await office.job(item.job_id)
    assert (item.subject, undo.request_id) == (job_id, undo_key(job_id, 1))
    assert undo.operation.endswith("/Refund")


async def test_a_stopped_plan_begins_nothing_more_until_it_is_resumed(office: Office) -> None:
    await charged(office, 6)
    pace = {"canary_size": 1, "chunk_size": 1, "rate_per_second": 1}
    plan = await office.ana.preview("ROLLBACK", pace, provider="echo")
    await office.luis.approve(plan)
    await office.ana.ops.StopPlan(ops.StopPlanRequest(plan_id=plan.plan_id, why=WHY), timeout=10)
    stopped = await office.ana.over(plan)
    assert stopped.counts.pending >= 4
    await office.ana.ops.ResumePlan(ops.ResumePlanRequest(plan_id=plan.plan_id, why=WHY), timeout=10)
    done = await office.ana.over(plan)
    assert (done.state, done.counts.succeeded, refunds(office)) == (plan_pb2.PLAN_STATE_FINISHED, 6, [0] * 6)


async def test_a_plans_own_bundle_proves_offline_who_did_what(office: Office, tmp_path: Path) -> None:
    (job_id,) = await charged(office, 1)
    plan = await office.ana.preview("ROLLBACK", job_ids=[job_id])
    await office.luis.approve(plan)
    await office.ana.over(plan)
    acts = ["plan.approve", "plan.begin", "plan.finish", "plan.preview"]
    entries = await until(lambda: office.statements(plan.plan_id), lambda found: len(found) >= 4, 10)
    assert sorted(e["act"] for e in entries) == acts
    assert {e["actor"]["ref"].rpartition("/")[2] for e in entries} == {"ana", "luis", "hub"}
    assert {(e["ticket"], e["digest"]) for e in entries} == {("OPS-241", plan.digest)}
    assert await office.is_proven(plan.plan_id, tmp_path / "bundle.zip")


async def test_the_bundle_of_a_job_says_that_it_was_undone_and_by_which_job(
    office: Office, tmp_path: Path
) -> None:
    (job_id,) = await charged(office, 1)
    plan = await office.ana.preview("ROLLBACK", job_ids=[job_id])
    await office.luis.approve(plan)
    await office.ana.over(plan)
    entries = await until(lambda: office.statements(job_id), lambda found: found[-1]["kind"] == "action", 10)
    undo = await office.job(entries[-1]["detail"])
    assert (entries[-1]["act"], undo.request_id) == ("job.rollback", undo_key(job_id, 1))
    assert entries[-1]["actor"]["ref"].endswith("/operator/luis")
    assert await office.is_proven(job_id, tmp_path / "bundle.zip")
