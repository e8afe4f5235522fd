"""A whole server of the mesh: health, reflection, limits and the drain."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from integration.jobs.v1 import jobs_service_pb2, jobs_service_pb2_grpc
from mesh.channel import open_channel
from mesh.server import MeshServer
from tests.mesh.serving import DOMAIN, Papers, code_of

AT_ONCE = 4000
SERVICE = "integration.jobs.v1.JobsService"
SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


class Jobs(jobs_service_pb2_grpc.JobsServiceServicer):
    """Answers when the test lets it."""

    def __init__(self) -> None:
        self.begun = asyncio.Semaphore(0)
        self.release = asyncio.Event()

    async def GetJob(self, request: Any, context: Any) -> Any:
        self.begun.release()
        await self.release.wait()
        return jobs_service_pb2.GetJobResponse()


class Served:
    """A server with one service, and a way to call it as each role."""

    def __init__(self, papers: Papers, server: MeshServer, jobs: Jobs, port: int) -> None:
        self.papers, self.server, self.jobs, self.port = papers, server, jobs, port

    def channel(self, role: str = "core") -> grpc.aio.Channel:
        return open_channel(f"127.0.0.1:{self.port}", self.papers.identity(role))


@asynccontextmanager
async def _served(papers: Papers, **limits: int) -> AsyncIterator[Served]:
    server = MeshServer(papers.identity("hub"), domain=DOMAIN, statuses={}, **limits)
    jobs = Jobs()
    jobs_service_pb2_grpc.add_JobsServiceServicer_to_server(jobs, server.raw)
    port = await server.serve("127.0.0.1:0")
    try:
        yield Served(papers, server, jobs, port)
    finally:
        await server.drain(0)


def _get(channel: grpc.aio.Channel, *, tenant: str = "acme") -> Any:
    request = jobs_service_pb2.GetJobRequest(tenant=tenant, job_id="0" * 36)
    return jobs_service_pb2_grpc.JobsServiceStub(channel).GetJob(request, timeout=10)


async def test_health_is_not_serving_until_ready_by_every_name(papers: Papers) -> None:
    async with _served(papers) as served, served.channel("envoy") as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        for name in ("", SERVICE):
            asked = health_pb2.HealthCheckRequest(service=name)
            assert (await stub.Check(asked, timeout=5)).status == NOT_SERVING
            await served.server.set_ready(True)
            assert (await stub.Check(asked, timeout=5)).status == SERVING
            await served.server.set_ready(False)
        unknown = health_pb2.HealthCheckRequest(service="no.such.Service")
        assert await code_of(stub.Check(unknown, timeout=5)) is grpc.StatusCode.NOT_FOUND


async def test_of_very_many_calls_at_once_none_is_cancelled(papers: Papers) -> None:
    async with _served(papers) as served, served.channel("envoy") as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        calls = [stub.Check(health_pb2.HealthCheckRequest(), timeout=60) for _ in range(AT_ONCE)]
        codes = Counter([await call.code() for call in calls])
    assert codes == {grpc.StatusCode.OK: AT_ONCE}


async def test_a_drain_says_so_ends_the_watches_and_lets_calls_finish(papers: Papers) -> None:
    async with _served(papers) as served, served.channel() as channel, served.channel("operator") as other:
        await served.server.set_ready(True)
        watch = health_pb2_grpc.HealthStub(other).Watch(health_pb2.HealthCheckRequest(), timeout=10)
        assert (await watch.read()).status == SERVING
        under_way = asyncio.ensure_future(_get(channel))
        await asyncio.wait_for(served.jobs.begun.acquire(), 5)
        draining = asyncio.ensure_future(served.server.drain(10))
        assert (await watch.read()).status == NOT_SERVING
        assert await watch.read() is grpc.aio.EOF
        assert not draining.done()
        served.jobs.release.set()
        await under_way
        await asyncio.wait_for(draining, 5)
        assert await code_of(_get(channel)) is grpc.StatusCode.UNAVAILABLE


async def test_calls_are_taken_until_the_drain_has_been_noticed(papers: Papers) -> None:
    async with _served(papers) as served, served.channel() as channel, served.channel("envoy") as proxy:
        await served.server.set_ready(True)
        served.jobs.release.set()
        await _get(channel)
        draining = asyncio.ensure_future(served.server.drain(10, notice_seconds=0.5))
        health = health_pb2_grpc.HealthStub(proxy)
        while (await health.Check(health_pb2.HealthCheckRequest(), timeout=5)).status == SERVING:
            pass
        await _get(channel)
        await asyncio.wait_for(draining, 5)
        assert await code_of(_get(channel)) is grpc.StatusCode.UNAVAILABLE


async def test_a_call_that_outlasts_the_grace_is_cut(papers: Papers) -> None:
    async with _served(papers) as served, served.channel() as channel:
        under_way = asyncio.ensure_future(code_of(_get(channel)))
        await asyncio.wait_for(served.jobs.begun.acquire(), 5)
        await asyncio.wait_for(served.server.drain(0.01), 5)
        assert await under_way in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED)


async def test_reflection_names_the_services_that_are_there(papers: Papers) -> None:
    async with _served(papers) as served, served.channel("operator") as channel:
        stub = reflection_pb2_grpc.ServerReflectionStub(channel)
        asked = reflection_pb2.ServerReflectionRequest(list_services="")
        answer = await stub.ServerReflectionInfo(iter([asked]), timeout=5).read()
    names = {service.name for service in answer.list_services_response.service}
    assert names == {
        SERVICE,
        "grpc.health.v1.Health",
        "grpc.reflection.v1alpha.ServerReflection",
    }


async def test_a_request_that_is_too_large_is_refused_before_it_is_read(papers: Papers) -> None:
    async with _served(papers, max_message_bytes=1000) as served, served.channel() as channel:
        code = await code_of(_get(channel, tenant="a" * 1000))
    assert code is grpc.StatusCode.RESOURCE_EXHAUSTED


async def test_more_calls_than_may_run_at_once_are_refused(papers: Papers) -> None:
    async with _served(papers, max_concurrent_rpcs=2) as served, served.channel() as channel:
        running = [asyncio.ensure_future(_get(channel)) for _ in range(2)]
        for _ in running:
            await asyncio.wait_for(served.jobs.begun.acquire(), 5)
        assert await code_of(_get(channel)) is grpc.StatusCode.RESOURCE_EXHAUSTED
        served.jobs.release.set()
        await asyncio.gather(*running)


async def test_a_port_is_never_shared(papers: Papers) -> None:
    async with _served(papers) as served:
        second = MeshServer(papers.identity("hub"), domain=DOMAIN, statuses={})
        with pytest.raises(RuntimeError):
            await second.serve(f"127.0.0.1:{served.port}")


async def test_there_is_no_port_without_tls(papers: Papers) -> None:
    server = MeshServer(papers.identity("hub"), domain=DOMAIN, statuses={})
    with pytest.raises(NotImplementedError):
        server.raw.add_insecure_port("127.0.0.1:0")
