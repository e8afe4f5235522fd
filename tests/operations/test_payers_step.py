"""A payment that waits for its payer shows its tenant, and nobody else, where the payer has to go."""

from datetime import timedelta
from pathlib import Path

from integration.jobs.v1 import job_pb2, jobs_service_pb2, jobs_service_pb2_grpc
from integration.payments.v1 import payment_pb2
from tests.operations.office import TENANT, Office, until


def payment_of(job: job_pb2.Job) -> payment_pb2.Payment:
    """The job's payment as it stands."""
    payment = payment_pb2.Payment()
    assert job.result.Unpack(payment)
    return payment


async def test_core_sees_the_payers_step_while_the_job_waits_and_an_operator_does_not(office: Office) -> None:
    job_id = (await office.charge(1, method="pm_action")).job_id
    await office.jobs_in([job_id], job_pb2.JOB_STATE_WAITING_CONFIRMATION, 10)
    (held,) = office.provider.sandbox.payments.values()
    payment = payment_of(await office.job(job_id))
    assert payment.state == payment_pb2.PAYMENT_STATE_PENDING
    assert payment.next_action.kind == payment_pb2.NEXT_ACTION_KIND_REDIRECT
    assert payment.next_action.url == held["action"]["url"]
    assert payment.next_action.expire_time.seconds == int(held["action"]["expires"])
    url = payment.next_action.url.encode()
    stub = jobs_service_pb2_grpc.JobsServiceStub(office.whole.operators["ana"])
    request = jobs_service_pb2.GetJobRequest(tenant=TENANT, job_id=job_id)
    seen = (await stub.GetJob(request, timeout=10)).job
    assert payment_of(seen).payment_id == payment.payment_id
    waiting = jobs_service_pb2.WaitJobRequest(tenant=TENANT, job_id=job_id)
    waiting.timeout.FromMilliseconds(1)
    for told in (seen, (await stub.WaitJob(waiting, timeout=10)).job):
        assert url not in told.SerializeToString()
    assert url.decode() not in str(await office.statements(job_id))


async def test_an_abandoned_payment_is_called_off_at_its_expiry_and_its_bundle_proves_that_nothing_was_taken(
    office: Office, tmp_path: Path
) -> None:
    job_id = (await office.charge(1, method="pm_action", life=timedelta(seconds=5))).job_id
    await office.jobs_in([job_id], job_pb2.JOB_STATE_EXPIRED, 60)
    job = await office.job(job_id)
    assert (job.reason, job.HasField("result")) == ("CALLED_OFF", False)
    (payment,) = office.provider.sandbox.payments.values()
    assert (payment["state"], payment["captured"]) == ("voided", 0)

    async def said() -> list[tuple[str, str]]:
        found = await office.statements(job_id)
        return [(s["purpose"], s["res"]["outcome"]) for s in found if s["kind"] == "evidence"]

    ends = await until(said, lambda found: len(found) == 3, 10)
    assert ends == [("execute", "pending"), ("look_up", "pending"), ("cancel", "declined")]
    assert await office.is_proven(job_id, tmp_path / "bundle.zip")
