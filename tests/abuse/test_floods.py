"""Floods below and above gRPC: the server stays up, small and quick, and stores nothing."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import grpc
import psutil
import pytest
import pytest_asyncio
from hyperframe.frame import ContinuationFrame, HeadersFrame, PingFrame, SettingsFrame, WindowUpdateFrame

from integration.jobs.v1 import jobs_service_pb2 as jobs
from tests.abuse.edge import Edge, charge, serving
from tests.abuse.http2 import Wire, wire

pytestmark = pytest.mark.asyncio(loop_scope="module")

SOON_SECONDS = 5.0
MOST_GROWTH = 128 << 20
TURNED_AWAY = {grpc.StatusCode.CANCELLED, grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED}


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def edge(hub_urls: Mapping[str, str], tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Edge]:
    """One edge for all."""
    async with serving(hub_urls, tmp_path_factory.mktemp("edge")) as edge:
        yield edge


@contextlib.asynccontextmanager
async def unharmed(edge: Edge) -> AsyncIterator[None]:
    """Fails if what happens inside is stored, makes the process big, or makes an honest call wait long."""
    before, process = await edge.stored(), psutil.Process()
    memory = process.memory_info().rss
    yield
    assert await edge.stored() == before
    # A call may meet the end of the flood in gRPC's own queue, which then is full and turns it away.
    async with asyncio.timeout(SOON_SECONDS):
        while (error := await _turned_away(edge)) is not None:
            assert error.code() in TURNED_AWAY
            await asyncio.sleep(0.05)
    assert process.memory_info().rss - memory < MOST_GROWTH


async def _turned_away(edge: Edge) -> grpc.aio.AioRpcError | None:
    try:
        await edge.serves()
    except grpc.aio.AioRpcError as error:
        return error
    return None


async def pushed(flood: Wire) -> None:
    """Sends what is pending; that the other side has had enough is as good."""
    with contextlib.suppress(ConnectionError, TimeoutError):
        await flood.flush()


async def test_b13_hundreds_of_silent_connections_leave_room_for_others(edge: Edge) -> None:
    async with unharmed(edge):
        silent = [await asyncio.open_connection("127.0.0.1", edge.port) for _ in range(300)]
        await edge.answers()
        for _, writer in silent:
            writer.transport.abort()


async def test_b14_calls_that_are_reset_as_soon_as_they_begin(edge: Edge) -> None:
    async with unharmed(edge), contextlib.AsyncExitStack() as stack:
        wires = [await stack.enter_async_context(wire(edge.port, edge.home / "acme")) for _ in range(4)]
        for _ in range(30):
            for flood in wires:
                for _ in range(25):
                    flood.h2.reset_stream(flood.open_call())
                await pushed(flood)
        await edge.answers()


async def test_b15_headers_without_end(edge: Edge) -> None:
    async with unharmed(edge), wire(edge.port, edge.home / "acme") as flood:
        flood.frame(HeadersFrame(1, data=b"\x00\x01a\x01b"))
        for _ in range(2_000):
            flood.frame(ContinuationFrame(1, data=b"\x00\x01a\x7f\x81\x07" + b"x" * 262))
            if flood.writer.is_closing():
                break
        await pushed(flood)
        await edge.answers()


async def test_b15_headers_that_unfold_to_many_times_their_size(edge: Edge) -> None:
    async with unharmed(edge), wire(edge.port, edge.home / "acme") as flood:
        entry = b"\x40\x01a\x7f\x81\x1e" + b"x" * 3968
        for stream in range(1, 41, 2):
            bomb = (entry if stream == 1 else b"") + b"\xbe" * 16_000
            flood.frame(HeadersFrame(stream, data=bomb, flags=["END_HEADERS"]))  # type: ignore[arg-type]
        await pushed(flood)
        await edge.answers()


@pytest.mark.parametrize(
    "frame",
    [
        PingFrame(0, opaque_data=b"x" * 8),
        SettingsFrame(0, settings={3: 100}),
        WindowUpdateFrame(0, window_increment=1),
    ],
    ids=["ping", "settings", "window"],
)
async def test_b15_frames_that_cost_the_sender_nothing(edge: Edge, frame: PingFrame) -> None:
    async with unharmed(edge), wire(edge.port, edge.home / "acme") as flood:
        for _ in range(100):
            for _ in range(100):
                flood.frame(frame)
            await pushed(flood)
            if flood.writer.is_closing():
                break
        await edge.answers()


async def test_b15_bytes_that_are_no_http2(edge: Edge) -> None:
    async with unharmed(edge), wire(edge.port, edge.home / "acme") as flood:
        flood.writer.write(b"\xff" * 65_536)
        await flood.closed()


async def test_b15_readers_that_never_read(edge: Edge) -> None:
    async with unharmed(edge):
        watching = jobs.WatchJobsRequest(tenant="acme")
        calls = [edge.core.jobs.WatchJobs(watching, timeout=30) for _ in range(100)]
        for call in calls:
            await call.read()
        await edge.answers()
        for call in calls:
            call.cancel()


async def test_b16_calls_beyond_what_the_server_takes_are_refused_at_once(
    hub_urls: Mapping[str, str], tmp_path: Path
) -> None:
    async with serving(hub_urls, tmp_path, max_concurrent_rpcs=4) as edge:
        before = await edge.stored()
        calls = [edge.core.payments.Charge(charge(wait={"seconds": 20}), timeout=30) for _ in range(8)]
        async with asyncio.timeout(10):
            while await edge.stored() < before + 4:
                await asyncio.sleep(0.01)
        error = await _turned_away(edge)
        assert error is not None
        assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert await edge.stored() == before + 4
        for call in calls:
            call.cancel()
        async with asyncio.timeout(10):
            while await _turned_away(edge) is not None:
                await asyncio.sleep(0.01)
