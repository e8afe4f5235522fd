"""Traces against a real OTLP receiver, and logs as lines of JSON."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from opentelemetry import baggage, context
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2, trace_service_pb2_grpc
from opentelemetry.trace import SpanKind

from integration.jobs.v1 import jobs_service_pb2, jobs_service_pb2_grpc
from mesh.channel import open_channel
from mesh.errors import Full, NotPermitted
from mesh.server import MeshServer
from mesh.settings import Environment
from mesh.telemetry import ENDPOINT, Telemetry
from tests.mesh.serving import DOMAIN, Papers, code_of

log = logging.getLogger("tests.telemetry")


@pytest.fixture(autouse=True)
def _root_logger() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


class Receiver(trace_service_pb2_grpc.TraceServiceServicer):
    """Keeps the spans that it is sent."""

    def __init__(self) -> None:
        self.spans: list[Any] = []
        self.services: set[str] = set()

    async def Export(self, request: Any, context: Any) -> Any:
        for resource in request.resource_spans:
            names = {a.key: a.value.string_value for a in resource.resource.attributes}
            self.services.add(names["service.name"])
            self.spans += [span for scope in resource.scope_spans for span in scope.spans]
        return trace_service_pb2.ExportTraceServiceResponse()


@asynccontextmanager
async def _receiver() -> AsyncIterator[tuple[Receiver, Environment]]:
    server, receiver = grpc.aio.server(), Receiver()
    trace_service_pb2_grpc.add_TraceServiceServicer_to_server(receiver, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        yield receiver, Environment({ENDPOINT: f"http://127.0.0.1:{port}"})
    finally:
        await server.stop(0)


class Jobs(jobs_service_pb2_grpc.JobsServiceServicer):
    """Notes what it is called with, and logs."""

    def __init__(self) -> None:
        self.metadata: list[tuple[str, str]] = []

    async def GetJob(self, request: Any, context: Any) -> Any:
        self.metadata = [(key, value) for key, value in context.invocation_metadata()]
        log.info("asked")
        if request.tenant == "broken":
            raise ValueError("password=hunter2")
        return jobs_service_pb2.GetJobResponse()

    async def WatchJobs(self, request: Any, context: Any) -> AsyncIterator[Any]:
        log.info("watched")
        yield jobs_service_pb2.WatchJobsResponse()


@asynccontextmanager
async def _traced(papers: Papers, telemetry: Telemetry) -> AsyncIterator[tuple[Jobs, grpc.aio.Channel]]:
    server, jobs = (
        MeshServer(papers.identity("hub"), domain=DOMAIN, statuses={}, telemetry=telemetry),
        Jobs(),
    )
    jobs_service_pb2_grpc.add_JobsServiceServicer_to_server(jobs, server.raw)
    port = await server.serve("127.0.0.1:0")
    channel = open_channel(f"127.0.0.1:{port}", papers.identity("core"), telemetry=telemetry)
    try:
        yield jobs, channel
    finally:
        await channel.close(None)
        await server.drain(0)


def _get(channel: grpc.aio.Channel, tenant: str = "acme") -> Any:
    request = jobs_service_pb2.GetJobRequest(tenant=tenant, job_id="0" * 36)
    return jobs_service_pb2_grpc.JobsServiceStub(channel).GetJob(request, timeout=10)


def _only(spans: Sequence[Any], kind: int) -> Any:
    (span,) = [span for span in spans if span.kind == kind]
    return span


CLIENT, SERVER = 3, 2


async def test_client_and_server_join_in_one_trace(papers: Papers) -> None:
    async with _receiver() as (receiver, environment):
        telemetry = Telemetry.start("hub", "one", environment=environment)
        async with _traced(papers, telemetry) as (_, channel):
            await _get(channel)
        await asyncio.to_thread(telemetry.shutdown)
    client, server = _only(receiver.spans, CLIENT), _only(receiver.spans, SERVER)
    assert client.trace_id == server.trace_id
    assert server.parent_span_id == client.span_id
    assert receiver.services == {"hub"}


async def test_a_stream_is_traced_and_health_is_not(papers: Papers) -> None:
    async with _receiver() as (receiver, environment):
        telemetry = Telemetry.start("hub", "one", environment=environment)
        async with _traced(papers, telemetry) as (_, channel):
            await health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(), timeout=5)
            request = jobs_service_pb2.WatchJobsRequest(tenant="acme")
            answers = jobs_service_pb2_grpc.JobsServiceStub(channel).WatchJobs(request, timeout=5)
            assert len([answer async for answer in answers]) == 1
        await asyncio.to_thread(telemetry.shutdown)
    client, server = _only(receiver.spans, CLIENT), _only(receiver.spans, SERVER)
    assert server.parent_span_id == client.span_id
    assert "WatchJobs" in server.name


async def test_an_error_reaches_the_trace_by_its_status_and_not_by_its_text(papers: Papers) -> None:
    async with _receiver() as (receiver, environment):
        telemetry = Telemetry.start("hub", "one", environment=environment)
        async with _traced(papers, telemetry) as (_, channel):
            assert await code_of(_get(channel, "broken")) is grpc.StatusCode.INTERNAL
            with pytest.raises(ValueError, match="hunter2"), telemetry.span("work"):
                raise ValueError("password=hunter2")
            with pytest.raises(NotPermitted), telemetry.span("work"):
                raise NotPermitted("spiffe://t/core/one", "/m")
        await asyncio.to_thread(telemetry.shutdown)
    assert "hunter2" not in repr(receiver.spans)
    server = _only(receiver.spans, SERVER)
    assert {a.key: a.value.int_value for a in server.attributes}["rpc.grpc.status_code"] == 13
    kinds = [a.value.string_value for s in receiver.spans for a in s.attributes if a.key == "error.type"]
    assert kinds == ["ValueError", "NOT_PERMITTED"]


@pytest.mark.parametrize("variable", ["http_proxy", "https_proxy", "grpc_proxy", "all_proxy"])
async def test_spans_go_to_the_endpoint_whatever_proxy_the_environment_names(
    monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    for name in ("no_proxy", "NO_PROXY", "no_grpc_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(variable, "http://127.0.0.1:9")
    async with _receiver() as (receiver, environment):
        telemetry = Telemetry.start("hub", "one", environment=environment)
        with telemetry.span("work"):
            pass
        await asyncio.to_thread(telemetry.shutdown)
    assert [span.name for span in receiver.spans] == ["work"]


async def test_baggage_stays_at_home(papers: Papers) -> None:
    async with _receiver() as (_, environment):
        telemetry = Telemetry.start("hub", "one", environment=environment)
        async with _traced(papers, telemetry) as (jobs, channel):
            token = context.attach(baggage.set_baggage("customer", "jane"))
            await _get(channel)
            context.detach(token)
        await asyncio.to_thread(telemetry.shutdown)
    keys = {key for key, _ in jobs.metadata}
    assert "traceparent" in keys
    assert "baggage" not in keys


async def test_a_span_hangs_below_its_carrier_and_links_to_others() -> None:
    async with _receiver() as (receiver, environment):
        telemetry = Telemetry.start("hub", "one", environment=environment)
        with telemetry.span("accept", kind=SpanKind.PRODUCER):
            accepted = telemetry.carrier()
            trace_id = telemetry.trace_id()
        with telemetry.span("attempt", carrier=accepted, kind=SpanKind.CONSUMER):
            pass
        with telemetry.span("batch", links=[accepted, {}, {"traceparent": "nonsense"}]):
            pass
        await asyncio.to_thread(telemetry.shutdown)
    accept, attempt, batch = receiver.spans
    assert accepted["traceparent"].split("-")[1] == trace_id == accept.trace_id.hex()
    assert (attempt.trace_id, attempt.parent_span_id) == (accept.trace_id, accept.span_id)
    assert batch.trace_id != accept.trace_id
    assert [link.span_id for link in batch.links] == [accept.span_id]


def _lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


async def test_logs_are_lines_of_json_that_carry_the_trace(
    papers: Papers, capsys: pytest.CaptureFixture[str]
) -> None:
    async with _receiver() as (_, environment):
        telemetry = Telemetry.start("hub", "one", environment=environment)
        async with _traced(papers, telemetry) as (_, channel):
            with telemetry.span("outer"):
                trace_id = telemetry.trace_id()
                await _get(channel)
        await asyncio.to_thread(telemetry.shutdown)
    (line,) = [line for line in _lines(capsys.readouterr().err) if line["message"] == "asked"]
    assert line["trace_id"] == trace_id
    assert len(line["span_id"]) == 16
    assert (line["level"], line["logger"], line["service"]) == ("info", "tests.telemetry", "hub")
    assert line["time"].endswith("Z")


def test_a_log_line_holds_its_extras_and_its_traceback_in_one_line(
    capsys: pytest.CaptureFixture[str],
) -> None:
    Telemetry.start("hub", "one", environment=Environment({}))
    try:
        raise OSError(28, "disk\nfull")
    except OSError:
        log.exception("failed", extra={"lane": "stripe/default"})
    log.warning("forged\n{}", extra={"unfit": object})
    failed, forged = _lines(capsys.readouterr().err)
    assert failed["lane"] == "stripe/default"
    assert failed["exc_info"].endswith("OSError: 28")
    assert "trace_id" not in failed
    assert forged["message"] == "forged\n{}"


def test_only_errors_of_our_own_are_logged_with_their_text(capsys: pytest.CaptureFixture[str]) -> None:
    Telemetry.start("hub", "one", environment=Environment({}))
    number = "42" * 8
    try:
        try:
            raise ValueError(f"{number} is no amount")
        except ValueError as error:
            raise Full("too much is waiting") from error
    except Full:
        log.exception("failed")
    (failed,) = _lines(capsys.readouterr().err)
    assert number not in json.dumps(failed)
    assert failed["exc_info"].index("ValueError\n") < failed["exc_info"].index("Full: too much is waiting")


def test_starting_twice_does_not_log_twice(capsys: pytest.CaptureFixture[str]) -> None:
    for _ in range(2):
        Telemetry.start("hub", "one", environment=Environment({}))
    log.info("once")
    assert len(_lines(capsys.readouterr().err)) == 1


async def test_without_an_endpoint_nothing_is_traced_and_nothing_intercepts(papers: Papers) -> None:
    telemetry = Telemetry.start("hub", "one", environment=Environment({}))
    assert (telemetry.server_interceptors(), telemetry.client_interceptors()) == ((), ())
    with telemetry.span("work") as span:
        assert not span.is_recording()
        assert telemetry.carrier() == {}
        assert telemetry.trace_id() == ""
    async with _traced(papers, telemetry) as (jobs, channel):
        await _get(channel)
    assert "traceparent" not in dict(jobs.metadata)
    telemetry.shutdown()
