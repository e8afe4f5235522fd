"""Dead letters: how they come, what they say, and how they leave."""

import grpc
import pytest

from integration.jobs.v1 import job_pb2
from integration.operations.v1 import dead_letter_pb2, plan_pb2
from integration.operations.v1 import operations_service_pb2 as ops
from mesh.errors import details_of
from tests.operations.office import WHY, Office, until


async def dead(office: Office, count: int) -> list[str]:
    """Job ids of charges that died while the provider was down."""
    await office.provider.down()
    # One after the other, so that each is tried while the breaker is still closed.
    made = [await office.charge(n, attempts=1) for n in range(count)]
    await office.jobs_in([j.job_id for j in made], job_pb2.JOB_STATE_DEAD, 20)
    return [j.job_id for j in made]


async def alert(office: Office, key: str, *, fires: bool) -> None:
    """Returns once an alert fires, or does not."""

    async def read() -> list[str]:
        return [
            a.alert_key for a in (await office.ana.ops.ListAlerts(ops.ListAlertsRequest(), timeout=10)).alerts
        ]

    await until(read, lambda keys: (key in keys) == fires, 15)


async def refused(call: grpc.aio.UnaryUnaryCall[object, object]) -> str:
    """The reason of a refusal."""
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await call
    details = details_of(error.value)
    assert details is not None
    return details.reason


async def test_a_job_that_could_not_be_sent_dies_with_its_history_and_an_alert(office: Office) -> None:
    (job_id,) = await dead(office, 1)
    request = ops.GetDeadLetterRequest(job_id=job_id)
    letter = (await office.ana.ops.GetDeadLetter(request, timeout=10)).dead_letter
    assert letter.cause == dead_letter_pb2.DEAD_LETTER_CAUSE_PROVIDER_DOWN
    assert letter.missing_proof == dead_letter_pb2.MISSING_PROOF_NONE
    assert letter.proposal == dead_letter_pb2.PROPOSAL_REPLAY
    assert [(a.outcome, a.reason) for a in letter.attempts] == [("not_sent", "CONNECTION_REFUSED")]
    await alert(office, letter.alert_key, fires=True)


async def test_a_replay_needs_a_second_person_for_money_and_ends_the_alert(office: Office) -> None:
    job_ids = await dead(office, 3)
    await office.provider.up()
    plan = await office.ana.preview("REPLAY", provider="echo", cause="provider_down")
    assert (plan.counts.total, plan.needs_second_person) == (3, True)
    approval = ops.ApprovePlanRequest(plan_id=plan.plan_id, why=WHY)
    assert await refused(office.ana.ops.ApprovePlan(approval, timeout=10)) == "SECOND_PERSON_NEEDED"
    await office.luis.approve(plan)
    done = await office.ana.over(plan)
    assert (done.state, done.counts.succeeded) == (plan_pb2.PLAN_STATE_FINISHED, 3)
    assert [(await office.job(j)).state for j in job_ids] == [job_pb2.JOB_STATE_SUCCEEDED] * 3
    assert len(office.provider.sandbox.payments) == 3
    await alert(office, "DeadLetters/echo/default/provider_down", fires=False)
    assert await office.ana.letters() == []


async def test_a_plan_stops_by_itself_when_too_much_fails_and_goes_on_when_told(office: Office) -> None:
    await dead(office, 4)
    plan = await office.ana.preview(
        "REPLAY", {"canary_size": 1, "chunk_size": 2, "rate_per_second": 1000}, provider="echo"
    )
    await office.provider.up()
    office.provider.sandbox.refuses = True
    await office.luis.approve(plan)
    stopped = await office.ana.over(plan)
    assert stopped.state == plan_pb2.PLAN_STATE_STOPPED
    assert (stopped.counts.failed, stopped.counts.pending) == (1, 3)
    office.provider.sandbox.refuses = False
    await office.ana.ops.ResumePlan(ops.ResumePlanRequest(plan_id=plan.plan_id, why=WHY), timeout=10)
    done = await office.ana.over(plan)
    assert (done.state, done.counts.succeeded) == (plan_pb2.PLAN_STATE_FINISHED, 3)


async def test_an_item_that_is_no_dead_letter_any_more_is_skipped(office: Office) -> None:
    await dead(office, 2)
    await office.provider.up()
    first = await office.ana.preview("REPLAY", provider="echo")
    second = await office.ana.preview("REPLAY", provider="echo")
    await office.luis.approve(first)
    await office.ana.over(first)
    await office.luis.approve(second)
    done = await office.ana.over(second)
    assert (done.counts.skipped, len(office.provider.sandbox.payments)) == (2, 2)


async def test_what_people_write_in_decomposed_letters_stands_in_the_log_in_composed_ones(
    office: Office,
) -> None:
    (job_id,) = await dead(office, 1)
    why = ops.Justification(reason="jose\u0301 asked the provider", ticket="OPS-241")
    request = ops.CreatePlanRequest(
        kind="PLAN_KIND_REPLAY", filter=plan_pb2.PlanFilter(job_ids=[job_id]), why=why
    )
    plan = (await office.ana.ops.CreatePlan(request, timeout=10)).plan
    assert plan.reason == "jos\u00e9 asked the provider"

    async def stated() -> list[str]:
        return [s["reason"] for s in await office.statements(plan.plan_id)]

    assert await until(stated, bool, 10) == [plan.reason]
    resolve = ops.ResolveJobRequest(
        job_id=job_id, resolution="RESOLUTION_DONE", provider_reference="re\u0301f", why=why
    )
    assert await refused(office.ana.ops.ResolveJob(resolve, timeout=10)) == "NOT_RESOLVABLE"


async def test_a_discarded_dead_letter_is_given_up_for_good(office: Office) -> None:
    (job_id,) = await dead(office, 1)
    plan = await office.ana.preview("DISCARD", job_ids=[job_id])
    assert plan.needs_second_person
    await office.luis.approve(plan)
    assert (await office.ana.over(plan)).counts.succeeded == 1
    job = await office.job(job_id)
    assert (job.state, job.reason) == (job_pb2.JOB_STATE_CANCELLED, "DISCARDED")


async def test_an_empty_filter_makes_no_plan(office: Office) -> None:
    request = ops.CreatePlanRequest(kind="PLAN_KIND_REPLAY", filter=plan_pb2.PlanFilter(), why=WHY)
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await office.ana.ops.CreatePlan(request, timeout=10)
    assert error.value.code() is grpc.StatusCode.INVALID_ARGUMENT


async def test_groups_count_what_waits_by_lane_cause_and_reason(office: Office) -> None:
    await dead(office, 3)
    answer = await office.ana.ops.CountDeadLetters(ops.CountDeadLettersRequest(), timeout=10)
    assert [(g.lane, g.reason, g.count) for g in answer.groups] == [("echo/default", "CONNECTION_REFUSED", 3)]


async def test_pages_of_dead_letters_hold_each_once(office: Office) -> None:
    job_ids = await dead(office, 4)
    seen, token = [], ""
    while True:
        request = ops.ListDeadLettersRequest(page_size=3, page_token=token)
        page = await office.ana.ops.ListDeadLetters(request, timeout=10)
        seen += [letter.job.job_id for letter in page.dead_letters]
        if not (token := page.next_page_token):
            break
    assert sorted(seen) == sorted(job_ids)
