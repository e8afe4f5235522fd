"""What a provider's answer is compared with: the amount, its currency, the state, and whose work it was."""

from typing import Any

import pytest
from aiohttp import web

from integration.common.v1.money_pb2 import Money
from integration.payments.v1 import payments_service_pb2 as payments
from integration.spoke.v1 import outcome_pb2
from spokes.echo.sandbox import Sandbox
from tests.spokes.harness import Running, Work, account, http_server, operation, serving

EUROS = Money(minor_units=1250, currency_code="EUR")
SOME = Money(minor_units=500, currency_code="EUR")
MISMATCH = ("unknown", "PROVIDER_ANSWER_MISMATCH")
REQUESTS = {
    "Charge": payments.ChargeRequest(amount=EUROS, payment_method="pm_card_visa"),
    "Authorize": payments.AuthorizeRequest(amount=EUROS, payment_method="pm_card_visa"),
    "Capture": payments.CaptureRequest(payment_id="pi_1"),
    "Capture some": payments.CaptureRequest(payment_id="pi_1", amount=SOME),
    "Void": payments.VoidRequest(payment_id="pi_1"),
    "Refund": payments.RefundRequest(payment_id="pi_1"),
    "Refund some": payments.RefundRequest(payment_id="pi_1", amount=SOME),
}
GOOD = {
    "Charge": {},
    "Authorize": {"status": "requires_capture", "amount_received": 0},
    "Capture": {},
    "Capture some": {"amount_received": 500},
    "Void": {"status": "canceled", "amount_received": 0},
}


class Stripe:
    """Answers what it is told to, and remembers what it was asked to change."""

    def __init__(self) -> None:
        self.changed: list[str] = []
        self.object: dict[str, Any] = {}
        self.key = ""

    def application(self) -> web.Application:
        """The HTTP application."""
        app = web.Application()
        app.router.add_get("/v1/events", self._events)
        app.router.add_get("/v1/{kind}", self._list)
        app.router.add_get("/v1/{kind}/{id}", self._answer)
        app.router.add_post("/v1/{rest:.*}", self._change)
        return app

    async def _change(self, request: web.Request) -> web.Response:
        self.changed.append(request.path)
        return web.json_response(self.object)

    async def _answer(self, _: web.Request) -> web.Response:
        return web.json_response(self.object)

    async def _list(self, _: web.Request) -> web.Response:
        return web.json_response({"data": [self.object], "has_more": False})

    async def _events(self, request: web.Request) -> web.Response:
        kinds = {"succeeded": "payment_intent.succeeded", "canceled": "payment_intent.canceled"}
        if kinds.get(self.object["status"]) != request.query["type"]:
            return web.json_response({"data": [], "has_more": False})
        event = {"data": {"object": self.object}, "request": {"id": "req_1", "idempotency_key": self.key}}
        return web.json_response({"data": [event], "has_more": False})


@pytest.fixture
async def provider():
    """A provider that is told what to answer, at a free port."""
    provider = Stripe()
    async with http_server(provider.application()) as url:
        provider.url = url
        yield provider


@pytest.fixture
async def stripe(provider, tmp_path):
    """The stripe spoke before it."""
    async with serving("stripe", account(provider.url), tmp_path) as running:
        yield running


def asked(what: str, **more: Any) -> Work:
    """One piece of work at Stripe."""
    return Work(operation("stripe", what.split()[0]), REQUESTS[what], **more)


def thing(work: Work, what: str, **changes: object) -> dict[str, Any]:
    """Stripe's object as it answers good work, with changes."""
    if what.startswith("Refund"):
        amount = 500 if what == "Refund some" else 1250
        made = {"id": "re_1", "object": "refund", "payment_intent": "pi_1", "amount": amount}
        made |= {"status": "succeeded", "currency": "eur"}
    else:
        made = {"id": "pi_1", "object": "payment_intent", "status": "succeeded", "amount": 1250}
        made |= {"amount_received": 1250, "currency": "eur", "created": 1, "latest_charge": "ch_1"}
        made |= {"last_payment_error": None, **GOOD[what]}
    return {**made, "metadata": {"job_id": work.job_id}, **changes}


def said(outcome: outcome_pb2.Outcome) -> tuple[str, str]:
    """Kind and reason."""
    kind = outcome.WhichOneof("kind") or ""
    return kind, getattr(getattr(outcome, kind), "reason", "")


async def one(spoke: Running, work: Work) -> tuple[str, str]:
    """What a piece of work comes to."""
    (result,) = await spoke.hub.execute(work)
    return said(result.outcome)


@pytest.mark.parametrize("what", [w for w in REQUESTS if w != "Refund some"])
async def test_an_answer_that_fits_is_success(stripe, provider, what):
    work = asked(what)
    provider.object = thing(work, what)
    assert await one(stripe, work) == ("succeeded", "")


@pytest.mark.parametrize(
    ("what", "changes"),
    [
        ("Charge", {"amount": 1}),
        ("Charge", {"currency": "usd"}),
        ("Charge", {"amount_received": 1}),
        ("Charge", {"status": "requires_capture", "amount_received": 0}),
        ("Charge", {"metadata": {"job_id": "another"}}),
        ("Charge", {"status": "processing", "amount": 1}),
        ("Authorize", {"status": "succeeded"}),
        ("Authorize", {"amount": 1251}),
        ("Capture", {"id": "pi_2"}),
        ("Capture", {"status": "requires_capture", "amount_received": 0}),
        ("Capture", {"status": "canceled"}),
        ("Capture", {"amount_received": 500}),
        ("Capture some", {"amount_received": 1250}),
        ("Void", {"id": "pi_2"}),
        ("Void", {"status": "succeeded"}),
        ("Refund", {"payment_intent": "pi_2"}),
        ("Refund", {"metadata": {}}),
    ],
)
async def test_an_answer_that_does_not_fit_is_neither_yes_nor_no(stripe, provider, what, changes):
    work = asked(what)
    provider.object = thing(work, what, **changes)
    assert await one(stripe, work) == MISMATCH


async def test_a_capture_that_is_processed_still_is_waited_for(stripe, provider):
    work = asked("Capture")
    provider.object = thing(work, "Capture", status="processing", amount_received=0)
    assert await one(stripe, work) == ("pending", "")
    looking = asked("Capture", job_id=work.job_id, number=2, purpose="look_up")
    assert await one(stripe, looking) == ("pending", "")


@pytest.mark.parametrize("what", ["Capture", "Void"])
@pytest.mark.parametrize("is_ours", [True, False])
async def test_a_look_up_tells_our_step_from_anothers(stripe, provider, what, is_ours):
    work = asked(what, purpose="look_up")
    provider.object = thing(work, what)
    provider.key = f"key-{work.job_id}" if is_ours else "another"
    assert await one(stripe, work) == (("succeeded", "") if is_ours else MISMATCH)
    assert provider.changed == []


@pytest.mark.parametrize("what", ["Capture", "Void"])
async def test_a_step_that_nobody_owns_up_to_is_looked_up_again(stripe, provider, what):
    work = asked(what, purpose="look_up")
    provider.object = thing(work, what)
    assert await one(stripe, work) == ("unknown", "DOER_NOT_KNOWN")


@pytest.mark.parametrize(
    ("what", "status", "wanted"),
    [
        ("Capture", "requires_capture", ("not_sent", "ABSENT")),
        ("Capture", "canceled", ("declined", "WRONG_STATE")),
        ("Capture", "teleported", ("unknown", "STATE_NOT_UNDERSTOOD")),
        ("Void", "processing", ("not_sent", "ABSENT")),
        ("Void", "requires_payment_method", ("not_sent", "ABSENT")),
        ("Void", "succeeded", ("declined", "WRONG_STATE")),
    ],
)
async def test_what_the_state_alone_says_to_a_look_up(stripe, provider, what, status, wanted):
    work = asked(what, purpose="look_up")
    provider.object = thing(work, what, status=status)
    assert await one(stripe, work) == wanted


@pytest.mark.parametrize(
    ("changes", "fits"), [({}, True), ({"amount": 1}, False), ({"currency": "usd"}, False)]
)
async def test_a_refund_that_is_found_is_compared_too(stripe, provider, changes, fits):
    work = asked("Refund some", purpose="look_up")
    provider.object = thing(work, "Refund some", **changes)
    assert await one(stripe, work) == (("succeeded", "") if fits else MISMATCH)


@pytest.mark.parametrize("what", ["Capture some", "Refund some"])
async def test_a_currency_that_cannot_be_asked_for_leaves_no_doubt(tmp_path, what):
    async with serving("stripe", account("http://127.0.0.1:9"), tmp_path) as stripe:
        (result,) = await stripe.hub.execute(asked(what))
    assert said(result.outcome)[0] == "not_sent"
    assert not result.outcome.HasField("sent_time")


@pytest.fixture
async def sandbox():
    """Echo's stand-in."""
    sandbox = Sandbox()
    async with http_server(sandbox.application()) as url:
        sandbox.url = url
        yield sandbox


@pytest.fixture
async def echo(sandbox, tmp_path):
    """The echo spoke before it."""
    async with serving("echo", account(sandbox.url), tmp_path) as running:
        yield running


async def reserved(echo: Running) -> str:
    """A reservation of 12.50 EUR."""
    (result,) = await echo.hub.execute(Work(operation("echo", "Authorize"), REQUESTS["Authorize"]))
    return str(result.outcome.provider_reference)


def step(rpc: str, payment_id: str, **more: Any) -> Work:
    """A capture, void or refund at Echo."""
    kinds = {
        "Capture": payments.CaptureRequest,
        "Void": payments.VoidRequest,
        "Refund": payments.RefundRequest,
    }
    amount = {"amount": more.pop("amount")} if "amount" in more else {}
    return Work(operation("echo", rpc), kinds[rpc](payment_id=payment_id, **amount), **more)


@pytest.mark.parametrize("rpc", ["Capture", "Void"])
async def test_echo_tells_our_step_from_anothers(echo, rpc):
    payment_id = await reserved(echo)
    ours = step(rpc, payment_id, number=2)
    assert await one(echo, step(rpc, payment_id, job_id=ours.job_id, purpose="look_up")) == (
        "not_sent",
        "ABSENT",
    )
    assert await one(echo, ours) == ("succeeded", "")
    looking = step(rpc, payment_id, job_id=ours.job_id, number=3, purpose="look_up")
    assert await one(echo, looking) == ("succeeded", "")
    assert await one(echo, step(rpc, payment_id, purpose="look_up")) == MISMATCH


@pytest.mark.parametrize("rpc", ["Capture", "Refund"])
async def test_echo_moves_no_money_of_another_currency(echo, sandbox, rpc):
    payment_id = await reserved(echo)
    if rpc == "Refund":
        await one(echo, step("Capture", payment_id))
    before = dict(sandbox.payments[payment_id])
    dollars = Money(minor_units=500, currency_code="USD")
    assert await one(echo, step(rpc, payment_id, amount=dollars)) == ("declined", "CURRENCY_MISMATCH")
    nothing = Money(minor_units=500, currency_code="XXX")
    assert await one(echo, step(rpc, payment_id, amount=nothing)) == ("declined", "CURRENCY_NOT_SUPPORTED")
    assert sandbox.payments[payment_id] == before


@pytest.mark.parametrize(
    ("changes", "rpc"),
    [
        ({"amount": 1}, "Charge"),
        ({"currency": "USD"}, "Charge"),
        ({"captured": 1}, "Charge"),
        ({"state": "authorized", "captured": 0}, "Charge"),
        ({"reference": "another"}, "Charge"),
        ({"state": "captured"}, "Authorize"),
    ],
)
async def test_what_echo_holds_is_compared_with_what_was_asked(echo, sandbox, changes, rpc):
    work = Work(operation("echo", rpc), REQUESTS[rpc])
    assert await one(echo, work) == ("succeeded", "")
    (payment,) = sandbox.payments.values()
    payment.update(changes)
    looking = Work(work.operation, work.request, job_id=work.job_id, number=2, purpose="look_up")
    found = await one(echo, looking)
    assert found == (("not_sent", "ABSENT") if "reference" in changes else MISMATCH)
