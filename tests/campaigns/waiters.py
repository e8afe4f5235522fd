"""Very many wait for jobs and watch beside the traffic: no lease comes late, and charges are no slower."""

import asyncio
import secrets
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

import grpc

from integration.jobs.v1 import jobs_service_pb2 as jobs
from integration.jobs.v1 import jobs_service_pb2_grpc
from mesh.channel import open_channel
from mesh.identity import Identity
from tests.campaigns.core import TENANT, Ask, Core, steady
from tests.campaigns.ground import Ground, Wanted, standing, until
from tests.campaigns.report import Report, milliseconds

SPARE_WATCHERS = 20
PER_CONNECTION = 500
WAIT_SECONDS = 30
WAITED_FOR = 40
SETTLE_SECONDS = 5.0
GATHER_SECONDS = 60.0
LEAST_LEASE_SECONDS = 2.0
LEASE_LOOK_SECONDS = 0.25
AGAIN_SECONDS = 1.0
PENDING_LANE = "stripe/default"
PENDING_LIMITS = {"rate_per_second": 0.01, "burst": 1}

_LEASES = """
SELECT min(extract(epoch FROM lease_until - now())), sum(term) FROM lane WHERE provider = 'echo';
"""


@dataclass(frozen=True, slots=True)
class Size:
    """How many wait, how many watch, how many charges a second, how long each part lasts, and how much slower
    charges may be, as a ratio.
    """

    waiters: int
    watchers: int
    rate: int
    seconds: float
    worse: float


@dataclass(slots=True)
class Crowd:
    """Who waits and watches now; what ended it for others, and what made them come again."""

    waiting: int = 0
    watching: int = 0
    failed: Counter[str] = field(default_factory=Counter)
    again: Counter[str] = field(default_factory=Counter)

    @property
    def size(self) -> tuple[int, int]:
        """How many wait, and how many watch."""
        return self.waiting, self.watching


async def run(report: Report, *, size: Size, wanted: Wanted) -> None:
    """The story."""
    chosen = replace(
        wanted,
        environment={"hub": {"HUB_MAX_WATCHERS": str(size.watchers + SPARE_WATCHERS)}},
        limits={"stripe": PENDING_LIMITS},
    )
    async with standing(report, chosen) as ground:
        core, run_id = Core(ground.place), secrets.token_hex(3)
        keys = [f"waited-{run_id}-{number}" for number in range(WAITED_FOR)]
        job_ids = (await core.charge_evenly(keys, Ask("stripe"), rate=20))[1:]
        await core.close()
        await _charges(ground, f"warm-{run_id}", size, seconds=SETTLE_SECONDS)
        quiet = await _charges(ground, f"quiet-{run_id}", size, seconds=size.seconds)
        before = await _leases(ground)
        async with _crowd(ground, size, job_ids) as crowd:
            await asyncio.sleep(SETTLE_SECONDS)
            shortest, beside = await _beside(ground, run_id, size)
            report.note(waiting=crowd.waiting, watching=crowd.watching, asked_to_come_again=dict(crowd.again))
            report.expect("all wait and watch to the end", crowd.size == (size.waiters, size.watchers))
            report.expect("nobody is sent away", not crowd.failed, dict(crowd.failed.most_common(5)))
        after = await _leases(ground)
        report.note(charges_ms={"quiet": quiet, "beside": beside}, shortest_lease_s=round(shortest, 2))
        report.expect("no lease comes late", shortest >= LEAST_LEASE_SECONDS, shortest)
        report.expect("no lane changes its term", after[1] == before[1], (before, after))
        slower = beside["p95"] <= size.worse * quiet["p95"]
        report.expect(f"Charge's p95 is within {size.worse} of quiet", slower, (quiet, beside))


async def _beside(ground: Ground, run_id: str, size: Size) -> tuple[float, dict[str, float]]:
    """The shortest lease seen beside the charges, and how long these took."""
    charging = asyncio.create_task(_charges(ground, f"beside-{run_id}", size, seconds=size.seconds))
    shortest = float("inf")
    while not charging.done():
        shortest = min(shortest, (await _leases(ground))[0])
        await asyncio.sleep(LEASE_LOOK_SECONDS)
    return shortest, await charging


async def _charges(ground: Ground, run: str, size: Size, *, seconds: float) -> dict[str, float]:
    async with steady(ground.place, run, Ask("echo", wait=20), rate=size.rate) as traffic:
        await asyncio.sleep(seconds)
    ground.report.expect("every charge succeeds", not traffic.failed, traffic.failed[:3])
    return milliseconds(traffic.between(0, float("inf")))


async def _leases(ground: Ground) -> tuple[float, int]:
    ((left, terms),) = await ground.sql(_LEASES)
    return float(left), int(terms)


@asynccontextmanager
async def _crowd(ground: Ground, size: Size, job_ids: Sequence[str]) -> AsyncIterator[Crowd]:
    """Everybody, over connections of so many each."""
    place, crowd = ground.place, Crowd()
    identity = Identity.load(place.identity("core", "demo"))
    needed = (size.waiters + size.watchers) // PER_CONNECTION + 1
    channels = [open_channel(place.address("core"), identity) for _ in range(needed)]
    stubs = [jobs_service_pb2_grpc.JobsServiceStub(channel) for channel in channels]
    tasks = [
        asyncio.create_task(_wait(stubs[n % needed], job_ids[n % len(job_ids)], crowd))
        for n in range(size.waiters)
    ]
    tasks += [
        asyncio.create_task(_watch(stubs[n % needed], f"quiet-{n}", crowd)) for n in range(size.watchers)
    ]
    try:
        everybody = size.waiters + size.watchers
        await until(lambda: _seen(crowd), lambda n: n == everybody, GATHER_SECONDS, "everybody is there")
        yield crowd
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.gather(*(channel.close(None) for channel in channels))


async def _seen(crowd: Crowd) -> int:
    return sum(crowd.size) + crowd.failed.total()


async def _wait(stub: jobs_service_pb2_grpc.JobsServiceStub, job_id: str, crowd: Crowd) -> None:
    request = jobs.WaitJobRequest(tenant=TENANT, job_id=job_id)
    request.timeout.FromSeconds(WAIT_SECONDS)
    crowd.waiting += 1
    try:
        while True:
            try:
                await stub.WaitJob(request, timeout=WAIT_SECONDS + 10)
            except grpc.aio.AioRpcError as error:
                await _come_again(error, crowd)
    except grpc.aio.AioRpcError as error:
        crowd.failed[_words(error)] += 1
    finally:
        crowd.waiting -= 1


async def _watch(stub: jobs_service_pb2_grpc.JobsServiceStub, tenant: str, crowd: Crowd) -> None:
    try:
        while True:
            try:
                await _watch_once(stub, tenant, crowd)
            except grpc.aio.AioRpcError as error:
                await _come_again(error, crowd)
    except grpc.aio.AioRpcError as error:
        crowd.failed[_words(error)] += 1


async def _watch_once(stub: jobs_service_pb2_grpc.JobsServiceStub, tenant: str, crowd: Crowd) -> None:
    stream = stub.WatchJobs(jobs.WatchJobsRequest(tenant=tenant, after_cursor=-1))
    await stream.read()  # the first message says that the stream has begun
    crowd.watching += 1
    try:
        await stream.read()
    finally:
        crowd.watching -= 1


async def _come_again(error: grpc.aio.AioRpcError, crowd: Crowd) -> None:
    """As the answer to too much asks for; raises what is another answer."""
    if error.code() is not grpc.StatusCode.RESOURCE_EXHAUSTED:
        raise error
    crowd.again[_words(error)] += 1
    await asyncio.sleep(AGAIN_SECONDS)


def _words(error: grpc.aio.AioRpcError) -> str:
    return f"{error.code().name}: {error.details()}"[:200]
