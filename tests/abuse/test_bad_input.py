"""Requests that no honest client sends: a clear refusal, nothing stored, and the next call is served."""

import asyncio
import secrets

import grpc
import pytest
from google.protobuf.message import Message
from sqlalchemy import text

from integration.common.v1 import context_pb2
from integration.jobs.v1 import jobs_service_pb2 as jobs
from integration.messaging.v1 import messaging_service_pb2 as messaging
from integration.payments.v1 import payments_service_pb2 as payments
from mesh.errors import details_of
from tests.abuse.edge import (
    CHARGE,
    INVALID,
    NO_IDS,
    PAYMENTS,
    SEND,
    TIMEOUT,
    Caller,
    Edge,
    charge,
    check_refused,
    failure,
    refusal,
)
from tests.letters import NO_MAILBOXES

pytestmark = pytest.mark.asyncio(loop_scope="module")

JOBS = "/integration.jobs.v1.JobsService"
BIDI, NUL, CRLF = "\u202e", "\0", "\r\n"


@pytest.fixture
def core(edge: Edge) -> Caller:
    """The caller that acts for `acme`."""
    return edge.core


def email(**fields: object) -> messaging.SendEmailRequest:
    """A sound e-mail, changed by keyword."""
    whole = {"to_addresses": ["a@example.org"], "subject": "Hello", "text_body": "Hello", **fields}
    context = context_pb2.RequestContext(request_id=f"r-{secrets.token_hex(8)}", tenant="acme")
    return messaging.SendEmailRequest(context=context, **whole)  # type: ignore[arg-type]


def nested(depth: int) -> bytes:
    """Groups within groups, in a field that the schema does not know."""
    return b"\x9b\x06" * depth + b"\x9c\x06" * depth


@pytest.mark.parametrize(
    "data",
    [
        b"\xff",
        b"\x0a\x7f",
        b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f",
        b"\x1a\x02\xff\xfe",
        b"\x1a\x03\xed\xa0\x80",
        nested(5_000),
        b"\x12\x0c\x08" + b"\xff" * 11,
    ],
    ids=["cut", "short", "endless", "not utf-8", "surrogate", "deep", "eleven-byte number"],
)
async def test_b01_bytes_that_are_not_the_message(edge: Edge, data: bytes) -> None:
    await check_refused(edge, CHARGE, data, "request")


@pytest.mark.parametrize("method", [CHARGE, f"{PAYMENTS}/Refund", SEND])
async def test_b02_an_empty_message_names_what_is_missing(edge: Edge, method: str) -> None:
    await check_refused(edge, method, b"", "context")


@pytest.mark.parametrize("number", [99, -1, 0])
async def test_b03_a_number_that_its_enum_does_not_have(edge: Edge, number: int) -> None:
    request = jobs.ListJobsRequest(tenant="acme", states=[number])  # type: ignore[list-item]
    await check_refused(edge, f"{JOBS}/ListJobs", request.SerializeToString(), "states[0]")


async def test_b04_a_field_outside_the_schema_is_refused_where_money_moves(edge: Edge) -> None:
    stranger = b"\x98\x06\x01"
    await check_refused(edge, CHARGE, charge().SerializeToString() + stranger, "99")
    inner = charge()
    amount = inner.amount.SerializeToString() + stranger
    inner.ClearField("amount")
    data = inner.SerializeToString() + b"\x12" + bytes([len(amount)]) + amount
    await check_refused(edge, CHARGE, data, "amount.99")


async def test_b05_each_method_has_its_own_limit(edge: Edge) -> None:
    padding = b"\x22" + b"\xff\xff\x03" + b"x" * 0xFFFF
    await check_refused(edge, CHARGE, charge().SerializeToString() + padding, "request")
    long = email(text_body="x" * 99_000, html_body="y" * 99_000)
    assert await edge.core.raw(SEND, long.SerializeToString())
    before = await edge.stored()
    error = await failure(edge.core.raw(SEND, b"x" * (5 << 20)))
    assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert await edge.stored() == before
    await edge.serves()


@pytest.mark.parametrize("timeout", [None, 7200.0])
async def test_b06_no_deadline_and_a_far_one_are_the_same(core: Caller, timeout: float | None) -> None:
    assert (await core.payments.Charge(charge(), timeout=timeout)).job.job_id


@pytest.mark.parametrize("timeout", [0.0, -1.0, 1e-9, 0.005])
async def test_b07_a_call_without_time_stores_nothing(edge: Edge, timeout: float) -> None:
    before = await edge.stored()
    error = await failure(edge.core.payments.Charge(charge(), timeout=timeout))
    assert error.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    await edge.serves()
    assert await edge.stored() == before + 1, "the one that had time, and no other"


async def test_b07_a_wait_beyond_the_deadline_still_answers_with_the_job(core: Caller) -> None:
    response = await core.payments.Charge(charge(wait={"seconds": 30}), timeout=1.0)
    assert response.job.job_id
    job = jobs.WaitJobRequest(tenant="acme", job_id=response.job.job_id, timeout={"seconds": 30})  # type: ignore[arg-type]
    assert (await core.jobs.WaitJob(job, timeout=1.0)).job.job_id == response.job.job_id


async def test_b08_a_job_goes_on_without_the_client_that_gave_up(edge: Edge) -> None:
    request = charge(wait={"seconds": 30})
    before = await edge.stored()
    call = edge.core.payments.Charge(request, timeout=40)
    async with asyncio.timeout(5):
        while await edge.stored() == before:
            await asyncio.sleep(0.01)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    request.context.ClearField("wait")
    assert (await edge.core.payments.Charge(request, timeout=TIMEOUT)).job.job_id
    assert await edge.stored() == before + 1


async def test_b09_what_breaks_inside_stays_inside(edge: Edge) -> None:
    edge.admission.take_turn = _break  # type: ignore[method-assign]
    try:
        error = await failure(edge.core.payments.Charge(charge(), timeout=TIMEOUT))
    finally:
        del edge.admission.take_turn
    details = details_of(error)
    assert error.code() is grpc.StatusCode.INTERNAL
    assert error.details() == "internal error"
    assert details is not None
    assert details.reason == "INTERNAL"
    assert set(details.metadata) == {"incident"}
    await edge.serves()


def _break(*_: object) -> None:
    raise RuntimeError("password=hunter2 at /srv/hub.py SELECT")


@pytest.mark.parametrize("size", [20 << 10, 200 << 10])
async def test_b10_large_metadata_is_refused_before_the_request_is_read(edge: Edge, size: int) -> None:
    before = await edge.stored()
    metadata = [("x-canary-name", "canary-value" + "x" * size)]
    error = await failure(edge.core.payments.Charge(charge(), timeout=TIMEOUT, metadata=metadata))
    assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert "canary-value" not in str(error.details())
    assert await edge.stored() == before
    await edge.serves()


async def test_b11_nothing_in_the_metadata_makes_a_caller_somebody_else(edge: Edge) -> None:
    operator = "URI=spiffe://integration.local/operator/cli"
    forged = [
        ("x-forwarded-client-cert", operator),
        ("x-tenant", "beta"),
        ("baggage", "tenant=beta"),
        ("authorization", "Bearer operator"),
    ]
    call = edge.core.payments.Charge(charge(tenant="beta"), timeout=TIMEOUT, metadata=forged)
    code, details = await refusal(call)
    assert (code, details.reason) == (grpc.StatusCode.PERMISSION_DENIED, "TENANT_NOT_PERMITTED")
    job = (await edge.core.payments.Charge(charge(), timeout=TIMEOUT, metadata=forged)).job
    async with edge.engine.connect() as connection:
        statement = text("SELECT actor FROM job_body WHERE job_id = CAST(:id AS uuid)")
        actor = (await connection.execute(statement, {"id": job.job_id})).scalar_one()
    assert actor == "spiffe://integration.local/core/demo"


@pytest.mark.parametrize(
    ("method", "code"),
    [
        (f"{PAYMENTS}/Steal", grpc.StatusCode.UNIMPLEMENTED),
        ("/integration.payments.v1.Nobody/Charge", grpc.StatusCode.UNIMPLEMENTED),
        ("/integration.spoke.v1.SpokeService/Execute", grpc.StatusCode.UNIMPLEMENTED),
        ("/../../etc/passwd", grpc.StatusCode.UNIMPLEMENTED),
        ("/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo", grpc.StatusCode.PERMISSION_DENIED),
    ],
)
async def test_b12_what_is_not_there_for_core(edge: Edge, method: str, code: grpc.StatusCode) -> None:
    assert (await failure(edge.core.raw(method, b""))).code() is code
    await edge.serves()


async def test_b17_the_same_id_with_another_body_is_never_a_second_job(edge: Edge) -> None:
    request = charge()
    first = (await edge.core.payments.Charge(request, timeout=TIMEOUT)).job
    before = await edge.stored()
    request.amount.minor_units += 1
    code, details = await refusal(edge.core.payments.Charge(request, timeout=TIMEOUT))
    assert (code, details.reason) == (grpc.StatusCode.ALREADY_EXISTS, "REQUEST_ID_REUSED")
    assert details.metadata["job_id"] == first.job_id
    assert await edge.stored() == before


async def test_b17_fifty_bodies_at_once_under_one_id_are_one_job(edge: Edge) -> None:
    before = await edge.stored()
    key = charge().context.request_id
    calls = (edge.core.payments.Charge(charge(key, minor_units=n), timeout=TIMEOUT) for n in range(1, 51))
    answers = await asyncio.gather(*calls, return_exceptions=True)
    refused = [a for a in answers if isinstance(a, grpc.aio.AioRpcError)]
    assert len(refused) == 49
    assert {e.code() for e in refused} == {grpc.StatusCode.ALREADY_EXISTS}
    assert await edge.stored() == before + 1


@pytest.mark.parametrize("minor_units", [0, -1, -(2**63), 10**12 + 1, 2**63 - 1])
async def test_b18_amounts_that_nobody_means(edge: Edge, minor_units: int) -> None:
    request = charge(minor_units=minor_units)
    await check_refused(edge, CHARGE, request.SerializeToString(), "amount.minor_units")


@pytest.mark.parametrize("code", ["", "EUR ", " EUR", "eur", "EURO", "EU", "E\u0421R", "EUR\n", "978", "E R"])
async def test_b18_currencies_that_are_none(edge: Edge, code: str) -> None:
    request = charge()
    request.amount.currency_code = code
    await check_refused(edge, CHARGE, request.SerializeToString(), "amount.currency_code")


async def test_b18_an_optional_amount_is_held_to_the_same_rules(edge: Edge) -> None:
    request = payments.CaptureRequest(context=charge().context, payment_id="pi_1")
    request.amount.currency_code = "EUR"
    await check_refused(edge, f"{PAYMENTS}/Capture", request.SerializeToString(), "amount.minor_units")


TEXTS = [
    (email(subject=f"Hello{CRLF}Bcc: b@example.org"), "subject"),
    (email(subject="Hello\nBcc: b@example.org"), "subject"),
    (email(subject=f"Hello{NUL}"), "subject"),
    (email(subject=f"Hello{BIDI}olleH"), "subject"),
    (email(subject="Hello\u2028Bcc: b@example.org"), "subject"),
    (email(to_addresses=[f"a@example.org{CRLF}Bcc: b@example.org"]), "to_addresses[0]"),
    (email(to_addresses=["a@example.org", "b@example.org, c@example.org"]), "to_addresses[1]"),
    (email(to_addresses=["a@b@example.org"]), "to_addresses[0]"),
    (email(to_addresses=["x" * 500_000 + "@example.org"]), "to_addresses[0]"),
    (email(to_addresses=["a@example.org"] * 51), "to_addresses"),
    (email(to_addresses=[]), "to_addresses"),
    (email(from_address="a@example.org\r\nSender: b@example.org"), "from_address"),
    (email(text_body=f"Hello{NUL}"), "text_body"),
    (email(text_body=f"Hello{BIDI}"), "text_body"),
    (email(html_body="\x1b[2J"), "html_body"),
]


@pytest.mark.parametrize(("request_", "field"), TEXTS)
async def test_b19_texts_that_would_be_more_than_text(edge: Edge, request_: Message, field: str) -> None:
    await check_refused(edge, SEND, request_.SerializeToString(), field)


@pytest.mark.parametrize("address", NO_MAILBOXES)
async def test_b19_an_address_that_is_no_mailbox_is_named(edge: Edge, address: str) -> None:
    second = email(to_addresses=["a@example.org", address])
    await check_refused(edge, SEND, second.SerializeToString(), "to_addresses[1]")
    await check_refused(edge, SEND, email(from_address=address).SerializeToString(), "from_address")


@pytest.mark.parametrize(
    ("context", "field"),
    [
        ({"request_id": "r\r\nx"}, "context.request_id"),
        ({"principal": "user\n7"}, "context.principal"),
        ({"labels": {"order": "1\r\n2"}}, "context.labels[order]"),
        ({"labels": {"Order": "1"}}, "context.labels[Order]"),
        ({"labels": {"a\nb": "1"}}, "context.labels[?]"),
        ({"labels": {f"l{n}": "x" for n in range(17)}}, "context.labels"),
        ({"tenant": "../beta"}, "context.tenant"),
        ({"provider": "echo/../x"}, "context.provider"),
        ({"account": "%s"}, "context.account"),
        ({"expire_time": {"seconds": 10**15}}, "context.expire_time"),
        ({"wait": {"seconds": 31}}, "context.wait"),
        ({"wait": {"seconds": 1, "nanos": -1}}, "context.wait"),
        ({"retry": {"max_attempts": 101}}, "context.retry.max_attempts"),
        ({"retry": {"max_backoff": {"seconds": 10**11}}}, "context.retry.max_backoff"),
        ({"priority": -1}, "context.priority"),
    ],
)
async def test_b19_a_context_is_held_to_its_rules(edge: Edge, context: dict[str, object], field: str) -> None:
    await check_refused(edge, CHARGE, charge(**context).SerializeToString(), field)


@pytest.mark.parametrize("job_id", NO_IDS)
@pytest.mark.parametrize(
    ("method", "message"),
    [
        ("GetJob", jobs.GetJobRequest),
        ("WaitJob", jobs.WaitJobRequest),
        ("CancelJob", jobs.CancelJobRequest),
    ],
)
async def test_b20_what_is_no_job_id(edge: Edge, method: str, message: type[Message], job_id: str) -> None:
    request = message(tenant="acme", job_id=job_id)  # type: ignore[call-arg]
    await check_refused(edge, f"{JOBS}/{method}", request.SerializeToString(), "job_id")


@pytest.mark.parametrize("token", ["x", "' OR 1=1 --", "-" * 36, "\0", "{}", "0" * 36])
async def test_b20_what_is_no_page_token(edge: Edge, token: str) -> None:
    request = jobs.ListJobsRequest(tenant="acme", page_token=token)
    await check_refused(edge, f"{JOBS}/ListJobs", request.SerializeToString(), "page_token")


async def test_b20_a_watch_of_what_is_no_job_is_refused(edge: Edge) -> None:
    call = edge.core.jobs.WatchJobs(jobs.WatchJobsRequest(tenant="acme", job_id="-" * 36), timeout=TIMEOUT)
    error = await failure(call.read())
    assert error.code() is INVALID


@pytest.mark.parametrize("request_id", ["' OR 1=1 --", "%", "a'); DROP TABLE job; --", "{0}", "$1"])
async def test_b20_a_filter_is_only_a_text(edge: Edge, request_id: str) -> None:
    request = jobs.ListJobsRequest(tenant="acme", request_id=request_id)
    assert not (await edge.core.jobs.ListJobs(request, timeout=TIMEOUT)).jobs


@pytest.mark.parametrize("provider", ["%", "s____e%", "' OR 1=1 --", "Echo", "echo/default"])
async def test_b20_what_no_provider_can_be_called(edge: Edge, provider: str) -> None:
    request = jobs.ListJobsRequest(tenant="acme", provider=provider)
    await check_refused(edge, f"{JOBS}/ListJobs", request.SerializeToString(), "provider")
