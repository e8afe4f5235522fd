"""A tenant has very much waiting in a slow lane; another comes with one job, which is done at once."""

import asyncio
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, replace

from integration.jobs.v1 import job_pb2
from tests.campaigns.core import Ask, Core
from tests.campaigns.ground import Wanted, standing
from tests.campaigns.report import Report, milliseconds

LANE = "echo/default"
GREEDY, MODEST = "greedy", "modest"
AT_ONCE = 64
TRIES, PAUSE_SECONDS = 10, 1.0
LONGEST_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class Size:
    """How much waits, and what the lane does a second."""

    waiting: int
    rate: int


async def run(report: Report, *, size: Size, wanted: Wanted) -> None:
    """The story."""
    limits = {"echo": {"rate_per_second": size.rate, "burst": max(1, size.rate // 4)}}
    async with standing(report, replace(wanted, limits=limits)) as ground:
        core, run_id = Core(ground.place), secrets.token_hex(3)
        loop = asyncio.get_running_loop()
        began = loop.time()
        await _fill(core, (f"greedy-{run_id}-{number}" for number in range(size.waiting)))
        seconds = loop.time() - began
        waiting = await ground.count(f"SELECT count(*) FROM job WHERE lane_id = '{LANE}';")
        report.note(waiting=waiting, accepted_per_second=round(size.waiting / seconds))
        taken = []
        for number in range(TRIES):
            began = loop.time()
            job = await core.charge(f"modest-{run_id}-{number}", Ask("echo", wait=25, tenant=MODEST))
            taken.append(loop.time() - began)
            is_done = job.state == job_pb2.JOB_STATE_SUCCEEDED
            report.expect("the other tenant's charge is done", is_done, job.state)
            await asyncio.sleep(PAUSE_SECONDS)
        left = await ground.count(f"SELECT count(*) FROM job WHERE lane_id = '{LANE}';")
        report.note(still_waiting=left, modest_ms=milliseconds(taken), longest_s=round(max(taken), 2))
        report.expect("there is always more waiting", left > size.rate * LONGEST_SECONDS, left)
        report.expect(
            f"each is done within {LONGEST_SECONDS:g} s", max(taken) <= LONGEST_SECONDS, sorted(taken)
        )
        await core.close()


async def _fill(core: Core, keys: Iterator[str]) -> None:
    async def one_after_another() -> None:
        for key in keys:
            await core.charge(key, Ask("echo", tenant=GREEDY))

    async with asyncio.TaskGroup() as group:
        for _ in range(AT_ONCE):
            group.create_task(one_after_another())
