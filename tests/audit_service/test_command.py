"""The command line: migrate, serve until SIGTERM, refuse in one line."""

import asyncio
import json
import signal
import sys
from pathlib import Path

from tests.audit_service.rig import Rig, intent, new_job

ROOT = Path(__file__).parents[2]


async def _start(rig: Rig, command: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "audit_service",
        command,
        env=rig.environment(),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def test_it_serves_until_it_is_told_to_stop_and_then_ends_well(rig: Rig) -> None:
    process = await _start(rig, "serve")
    assert process.stderr is not None
    async with asyncio.timeout(30):
        async for line in process.stderr:
            said = json.loads(line)
            if said["message"] == "audit ready":
                break
    async with rig.callers(said["port"]) as callers:
        await callers.receipts(intent(new_job()))
    process.send_signal(signal.SIGTERM)
    async with asyncio.timeout(20):
        rest = await process.stderr.read()
        assert (await process.wait(), rest) == (0, b"")


async def test_a_log_that_must_not_be_opened_ends_the_process_with_the_reason(rig: Rig) -> None:
    async with rig.running():
        pass
    rig.mark.unlink()
    process = await _start(rig, "serve")
    _, errors = await process.communicate()
    assert process.returncode == 1
    assert errors.decode().splitlines()[-1].startswith("audit: the log has 3 entries but no high-water mark")


async def test_migrating_twice_is_harmless(rig: Rig) -> None:
    for _ in range(2):
        process = await _start(rig, "migrate")
        await process.communicate()
        assert process.returncode == 0
