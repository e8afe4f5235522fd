"""What a call passes before and after its handler."""

import asyncio
import contextvars
from collections.abc import AsyncIterator, Sequence
from typing import Any

import grpc
import pytest

from integration.jobs.v1 import jobs_service_pb2
from integration.messaging.v1 import messaging_service_pb2
from integration.payments.v1 import payments_service_pb2
from mesh.caller import current_caller
from mesh.channel import open_channel
from mesh.errors import NotAuthenticated, details_of, reason_of
from mesh.interceptor import time_left
from tests.fakes import PastDeadline
from tests.mesh.serving import Papers, call, code_of, failure_of, guarded

GET_JOB = "/integration.jobs.v1.JobsService/GetJob"
WATCH = "/integration.jobs.v1.JobsService/WatchJobs"
CHARGE = "/integration.payments.v1.PaymentsService/Charge"
SEND = "/integration.messaging.v1.MessagingService/SendEmail"
HEALTH = "/grpc.health.v1.Health/Check"
XFCC = "x-forwarded-client-cert"
CORE = "spiffe://integration.local/core/demo"


async def _whoami(request: bytes, context: object) -> bytes:
    return str(current_caller()).encode()


WHOAMI: Any = grpc.unary_unary_rpc_method_handler(_whoami)


async def _told(
    papers: Papers, role: str, headers: Sequence[str], *, method: str = GET_JOB
) -> bytes | grpc.StatusCode:
    async with (
        guarded(papers.identity("hub"), WHOAMI) as port,
        open_channel(f"127.0.0.1:{port}", papers.identity(role)) as channel,
    ):
        try:
            return await call(channel, method, metadata=[(XFCC, header) for header in headers])
        except grpc.aio.AioRpcError as error:
            return error.code()


@pytest.mark.parametrize(
    "header",
    [
        f"Hash=0123456789abcdef;URI={CORE}",
        f"By=spiffe://integration.local/envoy/edge;Hash=00ff;URI={CORE}",
        f'Hash=00ff;Subject="CN=a;URI=spiffe://integration.local/hub/hub,O=\\"b\\"";URI={CORE}',
        f'URI="{CORE}"',
    ],
)
async def test_behind_envoy_the_caller_is_whom_envoy_saw(papers: Papers, header: str) -> None:
    assert await _told(papers, "envoy", [header]) == CORE.encode()


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [""],
        ["Hash=00ff"],
        ["URI="],
        ["URI=spiffe://elsewhere.local/core/demo"],
        [f"URI={CORE};URI=spiffe://integration.local/hub/hub"],
        [f"Hash=00;URI={CORE},Hash=01;URI=spiffe://integration.local/hub/hub"],
        [f"Hash=00,Hash=01;URI={CORE}"],
        [f"URI={CORE}", f"URI={CORE}"],
        [f'Subject="CN=a;URI={CORE}"'],
        [f'Subject="CN=a;URI={CORE}'],
        [f"Hash;URI={CORE}"],
    ],
)
async def test_envoy_without_one_clear_caller_is_not_authenticated(
    papers: Papers, headers: list[str]
) -> None:
    assert await _told(papers, "envoy", headers) is grpc.StatusCode.UNAUTHENTICATED


async def test_from_anybody_else_a_forwarded_certificate_is_ignored(papers: Papers) -> None:
    header = f"Hash=00ff;URI={CORE}"
    assert await _told(papers, "spoke", [header]) is grpc.StatusCode.PERMISSION_DENIED
    assert await _told(papers, "operator", [header]) == b"spiffe://integration.local/operator/one"


async def test_whom_envoy_forwards_is_held_to_the_table(papers: Papers) -> None:
    spoke = "URI=spiffe://integration.local/spoke/stripe"
    assert await _told(papers, "envoy", [spoke]) is grpc.StatusCode.PERMISSION_DENIED


async def test_envoy_may_ask_for_health_in_its_own_name(papers: Papers) -> None:
    told = await _told(papers, "envoy", [], method=HEALTH)
    assert told == b"spiffe://integration.local/envoy/one"


def test_outside_of_a_call_there_is_no_caller() -> None:
    with pytest.raises(NotAuthenticated):
        contextvars.Context().run(current_caller)


async def test_two_calls_at_once_do_not_mix_up_their_callers(papers: Papers) -> None:
    both = asyncio.Barrier(2)

    async def meet(request: bytes, context: object) -> bytes:
        await both.wait()
        return str(current_caller()).encode()

    async with (
        guarded(papers.identity("hub"), grpc.unary_unary_rpc_method_handler(meet)) as port,
        open_channel(f"127.0.0.1:{port}", papers.identity("core")) as core,
        open_channel(f"127.0.0.1:{port}", papers.identity("auditor")) as auditor,
    ):
        told = await asyncio.gather(call(core, GET_JOB), call(auditor, GET_JOB))
    assert [name.split(b"/")[3] for name in told] == [b"core", b"auditor"]


async def test_time_left_takes_no_deadline_and_a_far_one_for_none(papers: Papers) -> None:
    seen: list[float | None] = []

    async def note(request: bytes, context: object) -> bytes:
        seen.append(time_left(context))
        return b""

    async with (
        guarded(papers.identity("hub"), grpc.unary_unary_rpc_method_handler(note)) as port,
        open_channel(f"127.0.0.1:{port}", papers.identity("core")) as channel,
    ):
        method = channel.unary_unary(GET_JOB, None, None)
        await method(b"")
        await method(b"", timeout=7200)
        await method(b"", timeout=30)
    assert seen[:2] == [None, None]
    assert seen[2] is not None
    assert 0 < seen[2] < 31


class Late(grpc.aio.ServerInterceptor):  # type: ignore[type-arg]
    """Stands before the interceptor and lets it see each call after its deadline."""

    async def intercept_service(self, continuation: Any, handler_call_details: Any) -> Any:
        handler = await continuation(handler_call_details)

        async def late(request: bytes, context: Any) -> Any:
            return await handler.unary_unary(request, PastDeadline(context))

        return grpc.unary_unary_rpc_method_handler(late)


async def test_a_call_whose_time_is_up_does_not_reach_its_handler(papers: Papers) -> None:
    reached = []

    async def note(request: bytes, context: object) -> bytes:
        reached.append(request)
        return b""

    handler = grpc.unary_unary_rpc_method_handler(note)
    async with (
        guarded(papers.identity("hub"), handler, before=(Late(),)) as port,
        open_channel(f"127.0.0.1:{port}", papers.identity("core")) as channel,
    ):
        error = await failure_of(call(channel, GET_JOB))
    assert error.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    assert reason_of(error) == "DEADLINE_TOO_SHORT"
    assert reached == []


def _typed(message: type[Any], handler: Any) -> Any:
    return grpc.unary_unary_rpc_method_handler(handler, request_deserializer=message.FromString)


async def _accept(request: Any, context: object) -> bytes:
    return b"accepted"


async def test_a_request_that_breaks_its_rules_is_refused_field_by_field(papers: Papers) -> None:
    request = jobs_service_pb2.GetJobRequest(job_id="no")
    async with (
        guarded(papers.identity("hub"), _typed(jobs_service_pb2.GetJobRequest, _accept)) as port,
        open_channel(f"127.0.0.1:{port}", papers.identity("core")) as channel,
    ):
        error = await failure_of(call(channel, GET_JOB, request.SerializeToString()))
    details = details_of(error)
    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert details is not None
    assert details.reason == "INVALID_REQUEST"
    assert [v.field for v in details.violations] == ["tenant", "job_id"]


@pytest.mark.parametrize("garbage", [b"\xff\xff", b"\x0a\x02\xff\xfe", b"\x0a\x7f"])
async def test_bytes_that_are_not_the_message_are_the_callers_fault(papers: Papers, garbage: bytes) -> None:
    async with (
        guarded(papers.identity("hub"), _typed(jobs_service_pb2.GetJobRequest, _accept)) as port,
        open_channel(f"127.0.0.1:{port}", papers.identity("core")) as channel,
    ):
        assert await code_of(call(channel, GET_JOB, garbage)) is grpc.StatusCode.INVALID_ARGUMENT


async def test_a_field_outside_the_schema_is_refused_where_money_moves_and_kept_elsewhere(
    papers: Papers,
) -> None:
    stranger = b"\x98\x06\x01"
    charge = payments_service_pb2.ChargeRequest(payment_method="pm_1")
    charge.context.request_id, charge.context.tenant = "order-1", "acme"
    charge.amount.minor_units, charge.amount.currency_code = 1, "EUR"
    email = messaging_service_pb2.SendEmailRequest(
        context=charge.context, to_addresses=["a@example.org"], subject="Hello", text_body="Hello"
    )
    async with (
        guarded(papers.identity("hub"), _typed(type(charge), _accept)) as port,
        open_channel(f"127.0.0.1:{port}", papers.identity("core")) as channel,
    ):
        assert await call(channel, CHARGE, charge.SerializeToString()) == b"accepted"
        error = await failure_of(call(channel, CHARGE, charge.SerializeToString() + stranger))
    details = details_of(error)
    assert details is not None
    assert details.violations == (("99", "is not a field of the schema"),)
    async with (
        guarded(papers.identity("hub"), _typed(type(email), _accept)) as port,
        open_channel(f"127.0.0.1:{port}", papers.identity("core")) as channel,
    ):
        assert await call(channel, SEND, email.SerializeToString() + stranger) == b"accepted"


async def _echo(requests: AsyncIterator[Any], context: object) -> AsyncIterator[bytes]:
    async for request in requests:
        yield request.tenant.encode()


async def _last(requests: AsyncIterator[Any], context: object) -> bytes:
    return [request.tenant.encode() async for request in requests][-1]


async def _written(request: Any, context: Any) -> None:
    await context.write(b"written")


async def test_streams_in_are_looked_at_message_by_message(papers: Papers) -> None:
    good = jobs_service_pb2.WatchJobsRequest(tenant="acme").SerializeToString()
    bad = jobs_service_pb2.WatchJobsRequest().SerializeToString()
    read = jobs_service_pb2.WatchJobsRequest.FromString
    both = grpc.stream_stream_rpc_method_handler(_echo, request_deserializer=read)
    async with (
        guarded(papers.identity("hub"), both) as port,
        open_channel(f"127.0.0.1:{port}", papers.identity("core")) as channel,
    ):
        stream = channel.stream_stream(WATCH, None, None)(iter([good, bad]), timeout=5)
        assert await stream.read() == b"acme"
        assert (await failure_of(stream.read())).code() is grpc.StatusCode.INVALID_ARGUMENT
    one = grpc.stream_unary_rpc_method_handler(_last, request_deserializer=read)
    async with (
        guarded(papers.identity("hub"), one) as port,
        open_channel(f"127.0.0.1:{port}", papers.identity("core")) as channel,
    ):
        assert await channel.stream_unary(WATCH, None, None)(iter([good, good]), timeout=5) == b"acme"
        answer = channel.stream_unary(WATCH, None, None)(iter([good, bad]), timeout=5)
        assert await code_of(answer) is grpc.StatusCode.INVALID_ARGUMENT


async def test_a_handler_may_write_its_stream_itself(papers: Papers) -> None:
    handler = grpc.unary_stream_rpc_method_handler(_written)
    async with (
        guarded(papers.identity("hub"), handler) as port,
        open_channel(f"127.0.0.1:{port}", papers.identity("core")) as channel,
    ):
        stream = channel.unary_stream(WATCH, None, None)(b"", timeout=5)
        assert [answer async for answer in stream] == [b"written"]


async def test_a_caller_that_hangs_up_cancels_its_stream(papers: Papers) -> None:
    cancelled = asyncio.Event()

    async def endless(request: bytes, context: object) -> AsyncIterator[bytes]:
        try:
            yield b"first"
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    handler = grpc.unary_stream_rpc_method_handler(endless)
    async with (
        guarded(papers.identity("hub"), handler) as port,
        open_channel(f"127.0.0.1:{port}", papers.identity("core")) as channel,
    ):
        stream = channel.unary_stream(WATCH, None, None)(b"", timeout=5)
        assert await stream.read() == b"first"
        stream.cancel()
        await asyncio.wait_for(cancelled.wait(), 5)
