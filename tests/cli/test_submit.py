"""What `hubctl submit` shows of an answer."""

import json

import pytest

from hubctl.output import Output
from hubctl.submit import show
from integration.common.v1 import read_pb2
from integration.jobs.v1 import job_pb2
from integration.payments.v1 import payment_pb2
from integration.payments.v1 import payments_service_pb2 as payments

PAYMENT = payment_pb2.Payment(payment_id="pay_1")
READ_ID = "01890000-0000-7000-8000-000000000001"


def test_a_read_is_shown_by_the_id_of_its_statements_and_as_no_job(
    capsys: pytest.CaptureFixture[str],
) -> None:
    response = payments.GetPaymentResponse(payment=PAYMENT, read=read_pb2.Read(read_id=READ_ID))
    show(Output(as_json=False), response)
    said = capsys.readouterr()
    assert f"read {READ_ID}" in said.out + said.err
    assert "pay_1" in said.out
    assert "job" not in said.out + said.err


def test_a_kept_answer_says_how_old_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    response = payments.GetPaymentResponse(payment=PAYMENT, read=read_pb2.Read(read_id=READ_ID))
    response.read.age.FromSeconds(7)
    show(Output(as_json=False), response)
    said = capsys.readouterr()
    assert "7s ago" in said.out + said.err


def test_work_is_shown_by_its_job(capsys: pytest.CaptureFixture[str]) -> None:
    job = job_pb2.Job(job_id=READ_ID, state="JOB_STATE_DECLINED", reason="NO")
    show(Output(as_json=True), payments.ChargeResponse(job=job))
    assert json.loads(capsys.readouterr().out)["job"]["reason"] == "NO"
