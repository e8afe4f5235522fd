"""The stripe spoke against localstripe, a server that we did not write."""

import asyncio
import itertools
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from aiohttp import web

from integration.common.v1.money_pb2 import Money
from integration.payments.v1 import payment_pb2
from integration.payments.v1 import payments_service_pb2 as payments
from integration.spoke.v1 import outcome_pb2
from integration.spoke.v1 import spoke_service_pb2 as pb
from tests.spokes.harness import Work, account, http_server, operation, serving
from tests.spokes.peers import StripeSide, localstripe

AMOUNT = Money(minor_units=1250, currency_code="EUR")
SECRET = "whsec_localstripe"


@pytest.fixture
async def peer(tmp_path):
    async with localstripe(tmp_path) as url:
        yield StripeSide(url)


@pytest.fixture
async def stripe(peer, tmp_path):
    accounts = account(peer.url, webhook_secrets=["whsec_olderstripe", SECRET])
    accounts["default"]["api_key"] = "sk_test_12345"
    async with serving("stripe", accounts, tmp_path) as running:
        yield running


def charge(method="pm_card_visa", **more):
    return Work(
        operation("stripe", "Charge"), payments.ChargeRequest(amount=AMOUNT, payment_method=method), **more
    )


NUMBERS = itertools.count(2)


def looking_up(work, **more):
    number = next(NUMBERS)
    return Work(work.operation, work.request, job_id=work.job_id, number=number, purpose="look_up", **more)


async def one(stripe, work):
    (result,) = await stripe.hub.execute(work)
    return result.outcome


async def do(stripe, rpc, request):
    return await one(stripe, Work(operation("stripe", rpc), request))


def payment_of(outcome):
    payment = payment_pb2.Payment()
    assert (outcome.succeeded if outcome.HasField("succeeded") else outcome.pending).result.Unpack(payment)
    return payment


async def test_a_charge_takes_the_money_once_and_is_found_again(stripe, peer):
    work = charge()
    outcome = await one(stripe, work)
    payment = payment_of(outcome)
    assert payment.state == payment_pb2.PAYMENT_STATE_CAPTURED
    assert (payment.amount, payment.reference) == (AMOUNT, work.job_id)
    assert [i["id"] for i in await peer.intents_of(work.job_id)] == [payment.payment_id]
    found = await one(stripe, looking_up(work))
    assert payment_of(found) == payment
    by_id = await one(stripe, looking_up(work, reference=payment.payment_id))
    assert payment_of(by_id).payment_id == payment.payment_id


async def test_a_charge_that_is_found_by_an_id_and_is_anothers_settles_nothing(stripe):
    payment_id = (await one(stripe, charge())).provider_reference
    found = await one(stripe, looking_up(charge(), reference=payment_id))
    assert found.unknown.reason == "PROVIDER_ANSWER_MISMATCH"


async def test_a_declined_card_is_an_answer_both_at_once_and_on_look_up(stripe):
    work = charge("pm_card_chargeCustomerFail")
    assert (await one(stripe, work)).declined.reason == "CARD_DECLINED"
    assert (await one(stripe, looking_up(work))).declined.reason == "CARD_DECLINED"


async def test_a_look_up_goes_through_all_pages_and_then_says_absent(stripe, peer):
    works = [charge() for _ in range(120)]
    for start in range(0, len(works), 40):
        await stripe.hub.execute(*works[start : start + 40])
    assert (await one(stripe, looking_up(works[-1]))).HasField("succeeded")
    absent = await one(stripe, looking_up(charge()))
    assert absent.not_sent.cause == outcome_pb2.NOT_SENT_CAUSE_ABSENT


async def test_reserve_capture_refund(stripe):
    reserved = await do(
        stripe, "Authorize", payments.AuthorizeRequest(amount=AMOUNT, payment_method="pm_card_visa")
    )
    payment_id = reserved.provider_reference
    assert payment_of(reserved).state == payment_pb2.PAYMENT_STATE_AUTHORIZED
    capture = Work(
        operation("stripe", "Capture"), payments.CaptureRequest(payment_id=payment_id, amount=AMOUNT)
    )
    before = await one(stripe, looking_up(capture))
    assert before.not_sent.cause == outcome_pb2.NOT_SENT_CAUSE_ABSENT
    assert payment_of(await one(stripe, capture)).state == payment_pb2.PAYMENT_STATE_CAPTURED
    # Localstripe's events do not name the request that caused them.
    assert (await one(stripe, looking_up(capture))).unknown.reason == "DOER_NOT_KNOWN"
    part = Money(minor_units=250, currency_code="EUR")
    give_back = Work(
        operation("stripe", "Refund"), payments.RefundRequest(payment_id=payment_id, amount=part)
    )
    assert (await one(stripe, looking_up(give_back))).not_sent.cause == outcome_pb2.NOT_SENT_CAUSE_ABSENT
    refund = payment_pb2.Refund()
    assert (await one(stripe, give_back)).succeeded.result.Unpack(refund)
    assert (refund.amount, refund.reference) == (part, give_back.job_id)
    assert (await one(stripe, looking_up(give_back))).provider_reference == refund.refund_id
    read = await do(stripe, "GetPayment", payments.GetPaymentRequest(payment_id=payment_id))
    assert payment_of(read).refunded_minor_units == 250


async def test_void_releases_the_money(stripe):
    reserved = await do(
        stripe, "Authorize", payments.AuthorizeRequest(amount=AMOUNT, payment_method="pm_card_visa")
    )
    void = Work(operation("stripe", "Void"), payments.VoidRequest(payment_id=reserved.provider_reference))
    assert payment_of(await one(stripe, void)).state == payment_pb2.PAYMENT_STATE_VOIDED
    assert (await one(stripe, looking_up(void))).unknown.reason == "DOER_NOT_KNOWN"


@pytest.mark.parametrize("rpc", ["Capture", "Refund"])
async def test_money_of_another_currency_than_the_payments_does_not_move(stripe, rpc):
    made = await do(
        stripe,
        "Authorize" if rpc == "Capture" else "Charge",
        payments.AuthorizeRequest(amount=AMOUNT, payment_method="pm_card_visa")
        if rpc == "Capture"
        else payments.ChargeRequest(amount=AMOUNT, payment_method="pm_card_visa"),
    )
    request = payments.CaptureRequest if rpc == "Capture" else payments.RefundRequest
    dollars = Money(minor_units=500, currency_code="USD")
    outcome = await do(stripe, rpc, request(payment_id=made.provider_reference, amount=dollars))
    assert (outcome.declined.reason, outcome.declined.message) == (
        "CURRENCY_MISMATCH",
        "amount.currency_code: the payment is in EUR",
    )
    read = await do(stripe, "GetPayment", payments.GetPaymentRequest(payment_id=made.provider_reference))
    payment = payment_of(read)
    assert payment.refunded_minor_units == 0
    assert payment.state == payment_of(made).state


async def test_kronur_are_asked_for_in_stripes_unit_and_answered_in_ours(stripe, peer):
    amount = Money(minor_units=5000, currency_code="ISK")
    work = Work(
        operation("stripe", "Charge"), payments.ChargeRequest(amount=amount, payment_method="pm_card_visa")
    )
    payment = payment_of(await one(stripe, work))
    assert (payment.amount, payment.captured_minor_units) == (amount, 5000)
    assert [i["amount"] for i in await peer.intents_of(work.job_id)] == [500_000]


async def test_what_is_no_currency_never_leaves(stripe, peer):
    amount = Money(minor_units=5000, currency_code="XXX")
    work = Work(
        operation("stripe", "Charge"), payments.ChargeRequest(amount=amount, payment_method="pm_card_visa")
    )
    outcome = await one(stripe, work)
    assert outcome.declined.message == "amount.currency_code: Stripe takes no XXX"
    assert outcome.progress == outcome_pb2.SEND_PROGRESS_NOT_STARTED
    assert not await peer.intents_of(work.job_id)


async def test_what_stripe_does_not_know_is_declined(stripe):
    outcome = await do(stripe, "Capture", payments.CaptureRequest(payment_id="pi_unknown"))
    assert outcome.HasField("declined")


async def test_wrong_credentials_are_misconfigured(peer, tmp_path):
    async with serving("stripe", account(peer.url, api_key="rk_wrong"), tmp_path) as stripe:
        outcome = await one(stripe, charge())
    assert outcome.not_sent.cause == outcome_pb2.NOT_SENT_CAUSE_MISCONFIGURED


async def until_delivered(deliveries, kind):
    async with asyncio.timeout(10):
        while True:
            headers, body = await deliveries.get()
            if f'"{kind}"'.encode() in body:
                return headers, body


async def test_three_d_secure_waits_and_the_webhook_settles_it(stripe, peer):
    deliveries = asyncio.Queue()

    async def receive(request):
        await deliveries.put((dict(request.headers), await request.read()))
        return web.Response()

    listener = web.Application()
    listener.router.add_post("/hook", receive)
    async with http_server(listener) as url:
        await peer.call("POST", "/_config/webhooks/one", url=f"{url}/hook", secret=SECRET)
        work = charge(await peer.card("4000002500003155"))
        waiting = await one(stripe, work)
        assert payment_of(waiting).state == payment_pb2.PAYMENT_STATE_PENDING
        assert (await one(stripe, looking_up(work))).HasField("pending")
        intent = (await peer.intents_of(work.job_id))[0]
        await peer.call(
            "POST",
            f"/v1/payment_intents/{intent['id']}/_authenticate",
            client_secret=intent["client_secret"],
            success="true",
        )
        headers, body = await until_delivered(deliveries, "payment_intent.succeeded")
    request = pb.ParseWebhookRequest(
        account="default",
        body=body,
        headers=[pb.HttpHeader(name=k.lower(), value=v) for k, v in headers.items()],
    )
    request.receive_time.GetCurrentTime()
    (parsed,) = (await stripe.hub.stub.ParseWebhooks(pb.ParseWebhooksRequest(webhooks=[request]))).results
    assert parsed.verdict == pb.WEBHOOK_VERDICT_VERIFIED
    (event,) = parsed.events
    assert (event.job_id, event.provider_reference) == (work.job_id, intent["id"])
    assert event.outcome.HasField("succeeded")
    assert event.confirmation


async def test_failed_authentication_is_found_by_look_up(stripe, peer):
    work = charge(await peer.card("4000002500003155"))
    await one(stripe, work)
    intent = (await peer.intents_of(work.job_id))[0]
    path = f"/v1/payment_intents/{intent['id']}/_authenticate"
    await peer.call("POST", path, client_secret=intent["client_secret"], success="false")
    declined = await one(stripe, looking_up(work))
    assert declined.declined.reason == "PAYMENT_INTENT_AUTHENTICATION_FAILURE"


async def test_an_abandoned_authentication_is_called_off_and_found_so_again(stripe, peer):
    work = charge(await peer.card("4000002500003155"))
    reference = (await one(stripe, work)).provider_reference
    off = replace(work, number=next(NUMBERS), purpose="cancel", key="another", reference=reference)
    assert (await one(stripe, off)).declined.reason == "CALLED_OFF"
    (intent,) = await peer.intents_of(work.job_id)
    assert intent["status"] == "canceled"
    assert (await one(stripe, looking_up(work))).declined.reason == "CANCELED"


async def test_what_is_paid_cannot_be_called_off_and_has_succeeded(stripe):
    work = charge()
    reference = (await one(stripe, work)).provider_reference
    off = replace(work, number=next(NUMBERS), purpose="cancel", key="another", reference=reference)
    assert payment_of(await one(stripe, off)).captured_minor_units == AMOUNT.minor_units


async def test_the_list_of_events_makes_up_for_lost_webhooks(stripe):
    work = charge()
    await one(stripe, work)
    asking = Work("integration.spoke.v1.SpokeService/ListEvents", payments.ChargeRequest())
    batch = stripe.hub.batch([asking])
    request = pb.ListEventsRequest(
        account="default", checkpoint=batch["checkpoint"], warrant=batch["attempts"][0].warrant
    )
    request.start_time.FromDatetime(datetime.now(UTC) - timedelta(minutes=1))
    request.end_time.FromDatetime(datetime.now(UTC) + timedelta(minutes=1))
    page = await stripe.hub.stub.ListEvents(request)
    assert [e.job_id for e in page.events if e.outcome.HasField("succeeded")] == [work.job_id]
