"""A read is answered at once, proven like every call, and leaves nothing in the hub's database."""

from pathlib import Path
from typing import Any

import grpc
import pytest
from sqlalchemy import text

from integration.jobs.v1 import jobs_service_pb2, jobs_service_pb2_grpc
from tests.hub.reads.desk import ReadingDesk
from tests.operations.office import TENANT, until


async def test_a_read_answers_with_its_result_and_leaves_no_row_in_any_table(desk: ReadingDesk) -> None:
    await until(desk.rows, lambda rows: not rows["outbox"] and not rows["job_event"], 10)
    before = await desk.rows()
    response = await desk.read()
    assert (response.payment.payment_id, response.payment.amount.minor_units) == (desk.payment_id, 101)
    assert not response.HasField("job")
    assert not response.read.HasField("age")
    assert await desk.rows() == before


async def test_intent_and_evidence_of_a_read_stand_in_the_log_and_verify_offline(
    desk: ReadingDesk, tmp_path: Path
) -> None:
    read_id = (await desk.read()).read.read_id
    said = await until(lambda: desk.office.statements(read_id), lambda s: len(s) == 2, 10)
    assert [(s["kind"], s["purpose"]) for s in said] == [("intent", "read"), ("evidence", "read")]
    assert said[1]["res"]["outcome"] == "succeeded"
    assert await desk.office.is_proven(read_id, tmp_path / "read.zip")


async def test_a_replica_that_owns_no_lane_reads_as_well_and_says_that_it_lives(
    desk: ReadingDesk, tmp_path: Path
) -> None:
    async def replicas() -> int:
        async with desk.engine.connect() as connection:
            return int((await connection.execute(text("SELECT count(*) FROM replica"))).scalar_one())

    async with desk.office.whole.replica("edge") as core:
        response = await desk.read(core=core)
        assert response.payment.payment_id == desk.payment_id
        assert await until(replicas, lambda count: count == 2, 10)
    # Whoever goes has proven before it went what it has read.
    assert await desk.office.is_proven(response.read.read_id, tmp_path / "read.zip")


async def test_a_payment_that_is_not_the_tenants_is_refused_and_the_provider_is_not_asked(
    desk: ReadingDesk,
) -> None:
    before = await desk.office.whole_log()
    code, details = await desk.refusal("pay_404")
    assert (code, details.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "REFERENCE_NOT_YOURS")
    assert await desk.office.whole_log() == before


@pytest.mark.parametrize(
    ("asked", "code", "reason"),
    [
        ({"account": "third"}, grpc.StatusCode.INVALID_ARGUMENT, "UNKNOWN_ACCOUNT"),
        ({"provider": "nobody"}, grpc.StatusCode.INVALID_ARGUMENT, "UNKNOWN_PROVIDER"),
        ({"expire_time": {"seconds": 1}}, grpc.StatusCode.INVALID_ARGUMENT, "ALREADY_EXPIRED"),
        ({"tenant": "beta"}, grpc.StatusCode.FAILED_PRECONDITION, "REFERENCE_NOT_YOURS"),
        ({"request_id": ""}, grpc.StatusCode.INVALID_ARGUMENT, "INVALID_REQUEST"),
    ],
)
async def test_a_read_is_refused_like_any_request_that_may_not_be_made(
    desk: ReadingDesk, asked: dict[str, Any], code: grpc.StatusCode, reason: str
) -> None:
    told, details = await desk.refusal(**asked)
    assert (told, details.reason) == (code, reason)


async def test_the_list_of_jobs_shows_no_reads(desk: ReadingDesk) -> None:
    read = (await desk.read()).read
    stub = jobs_service_pb2_grpc.JobsServiceStub(desk.office.whole.core)
    listed = await stub.ListJobs(jobs_service_pb2.ListJobsRequest(tenant=TENANT), timeout=10)
    assert [job.operation.rpartition("/")[2] for job in listed.jobs] == ["Charge"]
    request = jobs_service_pb2.GetJobRequest(tenant=TENANT, job_id=read.read_id)
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await stub.GetJob(request, timeout=10)
    assert refused.value.code() is grpc.StatusCode.NOT_FOUND


async def test_what_the_provider_does_not_know_is_its_no_with_its_code(desk: ReadingDesk) -> None:
    desk.office.provider.sandbox.payments.clear()
    code, details = await desk.refusal()
    assert (code, details.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "PROVIDER_DECLINED")
    assert details.metadata["provider_code"] == "NOT_FOUND"
    assert details.retry_after is None


async def test_a_provider_that_is_down_leaves_a_read_unanswered_and_says_when_to_come_back(
    desk: ReadingDesk,
) -> None:
    await desk.office.provider.down()
    code, details = await desk.refusal()
    assert (code, details.reason) == (grpc.StatusCode.UNAVAILABLE, "READ_UNANSWERED")
    assert details.retry_after
    await desk.office.provider.up()
    assert (await desk.read()).payment.payment_id == desk.payment_id


async def test_a_read_through_an_operators_paused_lane_is_refused_until_it_works_again(
    desk: ReadingDesk,
) -> None:
    async def told() -> str:
        try:
            return str((await desk.read()).payment.payment_id)
        except grpc.aio.AioRpcError as error:
            return str(error.code().name)

    await desk.office.ana.set_mode("PAUSED")
    assert await until(told, lambda word: word == "UNAVAILABLE", 10)
    await desk.office.ana.set_mode("WORKING")
    assert await until(told, lambda word: word == desk.payment_id, 10)
