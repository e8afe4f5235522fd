"""A spoke's server over real gRPC: warrants, fences, at most one beginning, evidence."""

import asyncio
from datetime import UTC, datetime, timedelta

import grpc
import pytest

from integration.common.v1.money_pb2 import Money
from integration.payments.v1 import payment_pb2
from integration.payments.v1 import payments_service_pb2 as payments
from integration.spoke.v1 import outcome_pb2
from integration.spoke.v1 import spoke_service_pb2 as pb
from mesh.errors import reason_of
from mesh.evidence import dsse
from mesh.evidence.keys import SigningKey
from spokes.echo.sandbox import Sandbox
from tests.spokes.harness import Log, Work, account, http_server, operation, serving

CHARGE = operation("echo", "Charge")


def charge(method="pm_ok", **more):
    amount = Money(minor_units=1250, currency_code="EUR")
    return Work(CHARGE, payments.ChargeRequest(amount=amount, payment_method=method), **more)


@pytest.fixture
async def sandbox():
    sandbox = Sandbox()
    async with http_server(sandbox.application()) as url:
        sandbox.url = url
        yield sandbox


@pytest.fixture
async def echo(sandbox, tmp_path):
    async with serving("echo", account(sandbox.url), tmp_path) as running:
        yield running


async def test_a_charge_is_made_and_its_evidence_says_so(echo, sandbox):
    work = charge()
    (result,) = await echo.hub.execute(work)
    payment = payment_pb2.Payment()
    assert result.outcome.succeeded.result.Unpack(payment)
    assert payment.state == payment_pb2.PAYMENT_STATE_CAPTURED
    assert payment.reference == work.job_id
    evidence = echo.evidence(result)
    assert (evidence.attempt, evidence.res.outcome) == (work.attempt_id, "succeeded")
    assert evidence.res.progress == "reply_read"
    assert evidence.res.t_sent <= evidence.res.t_done
    assert evidence.res.provider_ref == payment.payment_id
    assert len(sandbox.payments) == 1


async def test_a_batch_comes_back_whole(echo, sandbox):
    works = [charge() for _ in range(100)]
    results = await echo.hub.execute(*works)
    assert [r.attempt_id for r in results] == [w.attempt_id for w in works]
    assert all(r.outcome.HasField("succeeded") for r in results)
    assert len(sandbox.payments) == 100


async def test_the_same_attempt_twice_is_begun_once(echo, sandbox):
    batch = echo.hub.batch([charge()])
    first, second = await asyncio.gather(echo.hub.send(batch), echo.hub.send(batch))
    third = await echo.hub.send(batch)
    assert first == second == third
    assert len(sandbox.payments) == 1


def _other_request(batch):
    batch["attempts"][0].request = payments.ChargeRequest(payment_method="pm_thief").SerializeToString()


def _other_salt(batch):
    batch["attempts"][0].salt = bytes(32)


def _other_attempt(batch):
    attempt = batch["attempts"][0]
    attempt.attempt_id = attempt.attempt_id[:-1] + "2"


def _other_operation(batch):
    batch["attempts"][0].operation = operation("echo", "Authorize")


def _other_term(batch):
    batch["term"] = 2


def _other_lane(batch):
    batch["lane"] = "echo/other"


def _no_receipt(batch):
    batch["attempts"][0].warrant.ClearField("receipt")


def _cut_path(batch):
    batch["attempts"][0].warrant.receipt.path.pop()


def _unsigned_checkpoint(batch):
    batch["checkpoint"] = batch["checkpoint"].split(b"\n\n")[0] + b"\n\n"


def _mangled_intent(batch):
    intent = batch["attempts"][0].warrant.intent
    batch["attempts"][0].warrant.intent = intent[:-20] + b"A" + intent[-19:]


@pytest.mark.parametrize(
    "spoil",
    [
        _other_request,
        _other_salt,
        _other_attempt,
        _other_operation,
        _other_term,
        _other_lane,
        _no_receipt,
        _cut_path,
        _unsigned_checkpoint,
        _mangled_intent,
    ],
)
async def test_without_a_fitting_warrant_nothing_leaves(echo, sandbox, spoil):
    batch = echo.hub.batch([charge(), charge()])
    del batch["attempts"][1]
    spoil(batch)
    (result,) = await echo.hub.send(batch)
    assert result.outcome.not_sent.cause == outcome_pb2.NOT_SENT_CAUSE_NO_RECEIPT
    assert not sandbox.payments


async def test_an_intent_that_no_hub_signed_is_refused(echo, sandbox):
    echo.hub.key = SigningKey.generate()
    (result,) = await echo.hub.execute(charge())
    assert result.outcome.not_sent.cause == outcome_pb2.NOT_SENT_CAUSE_NO_RECEIPT
    assert not sandbox.payments


async def test_an_intent_that_only_names_the_hubs_key_is_refused(echo, sandbox):
    forger, hub = SigningKey.generate(), echo.hub.key

    class Forger:
        keyid = hub.keyid
        sign = forger.sign

    echo.hub.key = Forger()
    (result,) = await echo.hub.execute(charge())
    assert result.outcome.not_sent.cause == outcome_pb2.NOT_SENT_CAUSE_NO_RECEIPT
    assert not sandbox.payments


PURPOSES = ("execute", "look_up", "cancel")


@pytest.mark.parametrize(("meant", "used"), [(m, u) for m in PURPOSES for u in PURPOSES if m != u])
async def test_an_intent_for_one_purpose_is_none_for_another(echo, sandbox, meant, used):
    batch = echo.hub.batch([charge(purpose=meant)])
    (result,) = await echo.hub.send(batch, used)
    assert result.outcome.not_sent.cause == outcome_pb2.NOT_SENT_CAUSE_NO_RECEIPT
    assert not sandbox.payments


async def test_a_checkpoint_of_another_log_is_refused(echo, sandbox):
    echo.hub.log = Log()
    (result,) = await echo.hub.execute(charge())
    assert result.outcome.not_sent.cause == outcome_pb2.NOT_SENT_CAUSE_NO_RECEIPT
    assert not sandbox.payments


async def test_an_older_owner_of_the_lane_is_refused_with_evidence(echo, sandbox):
    await echo.hub.execute(charge(), term=7)
    work = charge()
    (result,) = await echo.hub.execute(work, term=6)
    assert result.outcome.not_sent.cause == outcome_pb2.NOT_SENT_CAUSE_FENCED
    assert echo.evidence(result).res.outcome == "not_sent"
    assert len(sandbox.payments) == 1


async def fence(echo, *attempt_ids, term=9, claimed_at=None):
    request = pb.FenceRequest(lane=echo.hub.lane, term=term)
    for attempt_id in attempt_ids:
        asked = request.attempts.add(attempt_id=attempt_id)
        asked.claim_time.FromDatetime(claimed_at or datetime.now(UTC) + timedelta(seconds=5))
    return (await echo.hub.stub.Fence(request)).reports


async def test_a_fence_proves_that_an_attempt_never_began_and_keeps_it_from_beginning(echo, sandbox):
    batch = echo.hub.batch([charge()])
    attempt_id = batch["attempts"][0].attempt_id
    (report,) = await fence(echo, attempt_id, term=1)
    assert report.knowledge == pb.KNOWLEDGE_NOT_STARTED
    (result,) = await echo.hub.send(batch)
    assert result.outcome.not_sent.cause == outcome_pb2.NOT_SENT_CAUSE_FENCED
    assert not sandbox.payments


async def test_a_fence_answers_with_the_result_of_what_has_finished(echo):
    work = charge()
    (result,) = await echo.hub.execute(work)
    (report,) = await fence(echo, work.attempt_id)
    assert report.knowledge == pb.KNOWLEDGE_FINISHED
    assert report.result == result


async def test_an_instance_does_not_speak_for_the_time_before_it_began(echo):
    (report,) = await fence(echo, charge().attempt_id, claimed_at=datetime.now(UTC) - timedelta(hours=1))
    assert report.knowledge == pb.KNOWLEDGE_NONE


async def test_work_goes_on_when_whoever_asked_has_gone(tmp_path):
    slow = Sandbox(latency=0.3)
    async with http_server(slow.application()) as url, serving("echo", account(url), tmp_path) as echo:
        batch = echo.hub.batch([charge()])
        call = echo.hub.stub.Execute(pb.ExecuteRequest(**batch))
        while not slow.begun:  # asking by a fence could rule the attempt out before it begins
            await asyncio.sleep(0.01)
        call.cancel()
        (result,) = await echo.hub.send(batch)
        assert result.outcome.HasField("succeeded")
        assert len(slow.payments) == 1


async def test_a_provider_slower_than_the_attempts_time_is_unknown(tmp_path):
    slow = Sandbox(latency=5)
    async with http_server(slow.application()) as url, serving("echo", account(url), tmp_path) as echo:
        (result,) = await echo.hub.execute(charge(timeout=0.2))
        assert result.outcome.unknown.reason == "REPLY_TIMEOUT"
        assert result.outcome.progress == outcome_pb2.SEND_PROGRESS_WRITTEN
        assert result.outcome.HasField("sent_time")


async def test_a_look_up_finds_what_was_done_and_says_absent_otherwise(echo, sandbox):
    work = charge()
    await echo.hub.execute(work)
    found, absent = (
        Work(CHARGE, work.request, job_id=job, number=2, purpose="look_up")
        for job in (work.job_id, charge().job_id)
    )
    first, second = await echo.hub.execute(found, absent)
    assert first.outcome.HasField("succeeded")
    assert echo.evidence(first).purpose == "look_up"
    assert second.outcome.not_sent.cause == outcome_pb2.NOT_SENT_CAUSE_ABSENT


async def test_a_declined_charge_is_an_answer(echo):
    (result,) = await echo.hub.execute(charge("pm_declined"))
    assert result.outcome.declined.reason == "CARD_DECLINED"


async def test_reserve_then_capture_then_refund_and_void(echo):
    amount = Money(minor_units=500, currency_code="EUR")

    async def one(rpc, request):
        (result,) = await echo.hub.execute(Work(operation("echo", rpc), request))
        return result.outcome

    reserved = await one("Authorize", payments.AuthorizeRequest(amount=amount, payment_method="pm_ok"))
    payment_id = reserved.provider_reference
    assert (await one("Capture", payments.CaptureRequest(payment_id=payment_id))).HasField("succeeded")
    assert (await one("Void", payments.VoidRequest(payment_id=payment_id))).declined.reason == "WRONG_STATE"
    assert (await one("Refund", payments.RefundRequest(payment_id=payment_id))).HasField("succeeded")
    read = await one("GetPayment", payments.GetPaymentRequest(payment_id=payment_id))
    payment = payment_pb2.Payment()
    read.succeeded.result.Unpack(payment)
    assert payment.refunded_minor_units == 500


async def test_describe_says_what_the_manifest_says(echo):
    said = await echo.hub.stub.Describe(pb.DescribeRequest())
    assert said.provider == "echo"
    assert {o.operation: o.replay for o in said.operations}[CHARGE] == pb.REPLAY_KIND_NATIVE_KEY
    assert said.accounts[0].max_concurrency == 128
    assert (said.webhooks.max_bytes, said.webhooks.room) == (256 << 10, 64)
    assert list(said.webhooks.methods) == ["POST", "GET"]
    assert "application/x-www-form-urlencoded" in said.webhooks.content_types


async def test_the_limits_of_an_account_go_before_those_of_the_manifest(sandbox, tmp_path):
    limits = {"rate_per_second": 2.5, "burst": 3}
    async with serving("echo", account(sandbox.url, limits=limits), tmp_path) as running:
        said = (await running.hub.stub.Describe(pb.DescribeRequest())).accounts[0]
    assert (said.max_concurrency, said.rate_per_second, said.burst) == (128, 2.5, 3)


async def test_listing_events_needs_a_warrant_too(echo):
    request = pb.ListEventsRequest(account="default", checkpoint=b"none")
    request.start_time.GetCurrentTime()
    request.end_time.GetCurrentTime()
    request.warrant.intent = b"none"
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await echo.hub.stub.ListEvents(request)
    assert reason_of(refused.value) == "NO_RECEIPT"


async def test_events_are_listed_with_a_warrant(echo, sandbox):
    await echo.hub.execute(charge("pm_pending"))
    while not sandbox.events:
        await asyncio.sleep(0.05)
    work = Work("integration.spoke.v1.SpokeService/ListEvents", payments.ChargeRequest())
    batch = echo.hub.batch([work])
    request = pb.ListEventsRequest(
        account="default", checkpoint=batch["checkpoint"], warrant=batch["attempts"][0].warrant
    )
    request.start_time.FromDatetime(datetime.now(UTC) - timedelta(minutes=1))
    request.end_time.FromDatetime(datetime.now(UTC) + timedelta(minutes=1))
    page = await echo.hub.stub.ListEvents(request)
    assert [e.type for e in page.events] == ["payment.captured"]
    assert page.events[0].outcome.HasField("succeeded")


async def test_evidence_is_signed_by_nobody_else(echo):
    (result,) = await echo.hub.execute(charge())
    opened = dsse.open_envelope(result.evidence)
    assert not SigningKey.generate().public.verifies(opened.signature, opened.payload)


@pytest.mark.parametrize(("ahead", "made"), [(-1, 0), (60, 1)])
async def test_an_attempt_whose_time_is_over_is_not_begun(echo, sandbox, ahead, made):
    work = charge(expire_at=datetime.now(UTC) + timedelta(seconds=ahead))
    (result,) = await echo.hub.execute(work)
    assert len(sandbox.payments) == made
    if not made:
        assert result.outcome.not_sent.cause == outcome_pb2.NOT_SENT_CAUSE_FENCED
        assert echo.evidence(result).res.reason == "TIME_OVER"
