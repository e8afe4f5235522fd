"""The pool on real Ray: throughput shapes, and an actor that is killed in the middle of a call."""

import asyncio
import os
import signal
import sys

import psutil

from spokes.echo.sandbox import Sandbox
from spokes.kit import registry
from spokes.kit.specimen import JOB_ID
from tests.conformance.provider import Fault, scripted
from tests.spokes.harness import Work, account, http_server, operation, serving

CHARGE = operation("echo", "Charge")
SPECIMEN = registry.specimen("echo")


def charge(**more):
    return Work(CHARGE, SPECIMEN.requests["Charge"], **more)


async def until(condition, seconds=60.0):
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.05)


async def test_a_killed_actor_leaves_unknown_and_no_second_call(tmp_path):
    script = scripted(Fault.SILENCE, SPECIMEN.replies["Charge"], SPECIMEN.key_header)
    async with script as provider, serving("echo", account(provider.url), tmp_path, backend="local") as echo:
        (pid,) = echo.server.pool.actor_pids()
        work = charge()
        sending = asyncio.ensure_future(echo.hub.execute(work))
        await provider.acted.wait()
        os.kill(pid, signal.SIGKILL)
        (result,) = await sending
        assert result.outcome.unknown.reason == "ACTOR_LOST"
        assert echo.evidence(result).res.outcome == "unknown"
        assert result.outcome.HasField("sent_time")
        await until(lambda: echo.server.pool.actor_pids() not in ([], [pid]))
        provider.fault = Fault.NONE
        (again,) = await echo.hub.execute(work)
        assert again == result
        (other,) = await echo.hub.execute(charge(job_id=JOB_ID))
        assert other.outcome.HasField("succeeded")
        assert [r.headers["idempotency-key"] for r in provider.requests].count(f"key-{work.job_id}") == 1


async def test_an_actor_works_on_many_attempts_at_once_and_dies_with_its_server(tmp_path):
    sandbox = Sandbox(latency=0.05)
    async with http_server(sandbox.application()) as url:
        async with serving("echo", account(url), tmp_path, backend="local") as echo:
            (pid,) = echo.server.pool.actor_pids()
            loop = asyncio.get_running_loop()
            begun = loop.time()
            results = await echo.hub.execute(*(charge() for _ in range(100)))
            assert loop.time() - begun < 2.5, "one after the other they would take 5 s"
            assert all(r.outcome.HasField("succeeded") for r in results)
            assert len(sandbox.payments) == 100
        await until(lambda: not psutil.pid_exists(pid))


async def test_a_server_loads_neither_ray_nor_a_providers_code_before_it_must():
    check = "import sys, spokes.kit.server; sys.exit('ray' in sys.modules or 'stripe' in sys.modules)"
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", check)
    assert await process.wait() == 0
