"""A success that the spoke has not signed for is never signed for by the hub."""

import asyncio

from sqlalchemy.ext.asyncio import AsyncEngine

from hub.jobs.board import wait_for
from hub.jobs.model import SETTLED, JobState
from hub.jobs.outcome import Succeeded
from tests.hub.jobs import new_job
from tests.hub.test_lane import Bench


async def test_the_log_holds_no_evidence_of_a_success_that_no_spoke_signed(hub_engine: AsyncEngine) -> None:
    bench, silent, loud = Bench(hub_engine), new_job(1), new_job(2)
    bench.spokes.evidence = b""
    bench.spokes.outcomes = [Succeeded("T", b"r"), Succeeded("T", b"r")]
    await bench.jobs.accept([silent])
    bench.run(await bench.own())
    assert (await bench.until(silent, SETTLED)).state is JobState.SUCCEEDED
    bench.spokes.evidence = b"evidence"
    await bench.jobs.accept([loud])
    async with asyncio.timeout(10):
        while b"evidence" not in bench.log.entries:
            await wait_for(bench.board.news(), 0.05)
    # What was settled first would have been relayed first.
    assert bench.log.entries == [f"intent {j.job_id}.1".encode() for j in (silent, loud)] + [b"evidence"]
    await bench.running[0].stop()
