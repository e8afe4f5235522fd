"""A read at the spoke: warranted by an intent of its own purpose, owned by nobody, made once."""

from datetime import UTC, datetime, timedelta

import pytest

from integration.common.v1.money_pb2 import Money
from integration.payments.v1 import payments_service_pb2 as payments
from integration.spoke.v1 import outcome_pb2
from integration.spoke.v1 import spoke_service_pb2 as pb
from mesh.clock import SystemClock
from spokes.echo.sandbox import Sandbox
from spokes.kit.attempts import KEEP_IDS, Attempts, Finished, Fresh, Knowledge
from tests.spokes.harness import Work, account, http_server, operation, serving


@pytest.fixture
def sandbox():
    return Sandbox()


@pytest.fixture
async def echo(sandbox, tmp_path):
    async with http_server(sandbox.application()) as url, serving("echo", account(url), tmp_path) as running:
        yield running


def get(payment_id="pay_1", **more):
    """A read of a payment."""
    return Work(operation("echo", "GetPayment"), payments.GetPaymentRequest(payment_id=payment_id), **more)


def charge(**more):
    """Work, which is not a read."""
    amount = Money(minor_units=100, currency_code="EUR")
    request = payments.ChargeRequest(amount=amount, payment_method="pm_ok")
    return Work(operation("echo", "Charge"), request, **more)


async def paid(echo):
    """The id of a payment that there is."""
    (result,) = await echo.hub.execute(charge(), term=7)
    return result.outcome.provider_reference


async def test_a_read_needs_no_owner_and_closes_the_lane_to_none(echo):
    payment_id = await paid(echo)
    (read,) = await echo.hub.execute(get(payment_id), term=1)
    assert read.outcome.HasField("succeeded")
    assert echo.evidence(read).purpose == "read"
    (later,) = await echo.hub.execute(get(payment_id), term=9)
    assert later.outcome.HasField("succeeded")
    (work,) = await echo.hub.execute(charge(), term=7)
    assert work.outcome.HasField("succeeded")


async def test_no_other_intent_warrants_a_read(echo):
    batch = echo.hub.batch([get(purpose="look_up")])
    (result,) = await echo.hub.send(batch)
    assert result.outcome.not_sent.cause == outcome_pb2.NOT_SENT_CAUSE_NO_RECEIPT


async def test_an_intent_to_read_warrants_no_work(echo, sandbox):
    (result,) = await echo.hub.send(echo.hub.batch([charge(purpose="read")]))
    assert result.outcome.not_sent.reason == "NO_RECEIPT"
    assert sandbox.begun == 0


@pytest.mark.parametrize("minutes", [-11, 11])
async def test_an_intent_to_read_is_good_for_some_minutes_only(echo, minutes):
    (result,) = await echo.hub.execute(get(stated_at=datetime.now(UTC) + timedelta(minutes=minutes)))
    assert result.outcome.not_sent.reason == "NO_RECEIPT"


async def test_a_read_is_made_once_under_one_intent(echo):
    payment_id = await paid(echo)
    batch = echo.hub.batch([get(payment_id)])
    await echo.hub.send(batch)
    (again,) = await echo.hub.send(batch)
    assert (again.outcome.unknown.reason, again.evidence) == ("RESULT_FORGOTTEN", b"")


def test_reads_push_no_job_out_of_the_memory():
    attempts = Attempts(SystemClock())
    attempts.begin("job.1", "handle")
    attempts.finish(pb.AttemptResult(attempt_id="job.1"))
    for number in range(KEEP_IDS + 1):
        attempts.begin_read(f"read-{number}.1", "handle")
        attempts.finish_read(f"read-{number}.1")
    (report,) = attempts.fence("echo/default", 1, [("job.1", datetime.now(UTC))])
    assert report.knowledge is Knowledge.FINISHED
    assert attempts.standing_read("read-0.1") == Fresh()
    assert attempts.standing_read("read-5.1") == Finished(None)


async def test_the_part_of_reads_is_the_accounts_own_and_no_answer_is_kept_unless_the_manifest_says_so(
    tmp_path,
):
    limits = {"read_share": 0.5}
    async with serving("echo", account("http://127.0.0.1:9", limits=limits), tmp_path) as running:
        said = await running.hub.stub.Describe(pb.DescribeRequest())
    assert said.accounts[0].read_share == 0.5
    assert not any(o.HasField("cache_time") for o in said.operations)
