"""Trouble with database or disk: UNAVAILABLE and never an acknowledgement; then all goes on."""

import asyncio
import itertools
import os
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from integration.audit.v1 import audit_service_pb2 as pb
from mesh.errors import details_of
from mesh.evidence.checkpoint import open_checkpoint
from mesh.evidence.receipt import verify_receipt
from tests.audit_service.rig import Callers, Rig, intent, new_job

ROOT = Path(__file__).parents[2]
KILL_WRITER = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE application_name = 'audit writer' AND datname = current_database()"
)


async def _unavailable(call: Awaitable[pb.AppendResponse]) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
    details = details_of(caught.value)
    assert details is not None
    assert (details.reason, details.retry_after is not None) == ("LOG_UNAVAILABLE", True)


async def _until(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(15):
        while not await condition():
            pass


async def test_a_lost_connection_costs_one_batch_and_no_statement(rig: Rig, callers: Callers) -> None:
    await callers.receipts(intent(new_job()))
    envelope = callers.sealed(intent(new_job()))
    rig.as_superuser(KILL_WRITER)
    await _unavailable(callers.append(envelope))

    async def again() -> bool:
        try:
            response = await callers.append(envelope)
        except grpc.aio.AioRpcError:
            return False
        return response.results[0].receipt.index == 4

    await _until(again)
    assert await callers.findings() == []


async def test_a_database_that_refuses_writes_gives_no_acknowledgement(rig: Rig, callers: Callers) -> None:
    rig.as_superuser("REVOKE INSERT ON log_entry FROM audit_writer")
    envelope = callers.sealed(intent(new_job()))
    await _unavailable(callers.append(envelope))
    assert rig.as_superuser("SELECT size, (SELECT count(*) FROM entry_ix) FROM log_state").strip() == "3|3"
    rig.as_superuser("GRANT INSERT ON log_entry TO audit_writer")
    response = await callers.append(envelope)
    assert response.results[0].receipt.index == 3


async def test_a_mark_that_cannot_be_written_gives_no_acknowledgement(rig: Rig, callers: Callers) -> None:
    rig.block_mark()
    envelope = callers.sealed(intent(new_job()))
    await _unavailable(callers.append(envelope))
    await _unavailable(callers.append(envelope))
    rig.unblock_mark()
    response = await callers.append(envelope)
    assert response.results[0].receipt.index == 3
    assert await callers.findings() == []


async def test_health_says_whether_the_log_can_be_written(rig: Rig, callers: Callers) -> None:
    stub = health_pb2_grpc.HealthStub(callers.channels["hub"])

    async def status() -> int:
        return int((await stub.Check(health_pb2.HealthCheckRequest())).status)

    async def down() -> bool:
        return await status() == health_pb2.HealthCheckResponse.NOT_SERVING

    async def up() -> bool:
        return await status() == health_pb2.HealthCheckResponse.SERVING

    assert await up()
    rig.block_mark()
    await _unavailable(callers.append(callers.sealed(intent(new_job()))))
    await _until(down)
    rig.unblock_mark()
    await _until(up)


async def test_a_writer_whose_generation_is_over_writes_nothing(rig: Rig, callers: Callers) -> None:
    rig.as_superuser("UPDATE log_state SET gen = gen + 1")
    await _unavailable(callers.append(callers.sealed(intent(new_job()))))
    assert rig.as_superuser("SELECT count(*) FROM log_entry").strip() == "3"
    await callers.receipts(intent(new_job()))


async def test_a_killed_service_keeps_every_receipt_that_it_gave(rig: Rig) -> None:
    given: dict[bytes, int] = {}
    for _ in range(2):
        process, port = await asyncio.to_thread(_serve, rig)
        async with rig.callers(port) as callers:
            enough = asyncio.Event()
            appending = [asyncio.create_task(_append_on(callers, given, enough)) for _ in range(8)]
            await enough.wait()
            process.send_signal(signal.SIGKILL)
            await asyncio.gather(*appending)
            await asyncio.to_thread(process.wait)
    async with rig.running() as callers:
        for envelope, index in given.items():
            response = await callers.append(envelope)
            assert response.results[0].receipt.index == index
            checkpoint = open_checkpoint(response.checkpoint, rig.vkey)
            verify_receipt(response.results[0].receipt, envelope=envelope, checkpoint=checkpoint)
        assert await callers.findings() == []


async def _append_on(callers: Callers, given: dict[bytes, int], enough: asyncio.Event) -> None:
    """Appends until the service dies; sets the event when there has been a fair number."""
    for count in itertools.count():
        if count == 30:
            enough.set()
        envelope = callers.sealed(intent(new_job()))
        try:
            response = await callers.append(envelope)
        except grpc.aio.AioRpcError:
            return
        given[envelope] = response.results[0].receipt.index


def _serve(rig: Rig) -> tuple["subprocess.Popen[bytes]", int]:
    process = subprocess.Popen(
        [sys.executable, "-m", "audit_service", "serve"],
        env={**os.environ, **rig.environment()},
        cwd=ROOT,
        stderr=subprocess.PIPE,
    )
    assert process.stderr is not None
    for line in process.stderr:
        if b"audit ready" in line:
            return process, int(line.partition(b'"port": ')[2].split(b",")[0].rstrip(b"}\n"))
    raise AssertionError("the service did not become ready")
