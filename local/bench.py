"""`hubctl bench`: how many jobs a second, and how long each takes."""

import asyncio
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click
import uvloop

from hubctl.options import json_option, state_option
from hubctl.output import Output
from hubctl.rpc import hub_channel
from integration.common.v1 import context_pb2, money_pb2
from integration.jobs.v1 import job_pb2, jobs_service_pb2, jobs_service_pb2_grpc
from integration.payments.v1 import payments_service_pb2, payments_service_pb2_grpc
from local import waiting
from local.measure import commits, cpu_seconds, difference, quantiles
from local.place import Place
from local.reading import log_size, measure_reads, ms_each
from local.session import database, running_stack
from local.stack.postgres import Server
from mesh.clock import SystemClock

TENANT = "bench"
WARM_UP = 50
SEQUENTIAL = 200
CALL_SECONDS = 60.0
ENDED = {
    job_pb2.JOB_STATE_SUCCEEDED,
    job_pb2.JOB_STATE_DECLINED,
    job_pb2.JOB_STATE_DEAD,
    job_pb2.JOB_STATE_CANCELLED,
    job_pb2.JOB_STATE_EXPIRED,
}

_clock = SystemClock()


@click.command()
@click.option("--jobs", "count", default=1000, show_default=True, help="Jobs to run.")
@click.option("--concurrency", default=64, show_default=True, help="Jobs in flight.")
@click.option("--reads", is_flag=True, help="Measures as many reads too, and what one costs beside a job.")
@click.option(
    "--waiting", "others", default=0, help="Compares with a run while so many jobs wait in another lane."
)
@click.option(
    "--waiting-in",
    "way",
    type=click.Choice([*waiting.WAYS]),
    default="paused",
    show_default=True,
    help="How they wait: in a lane that works at 20 a second, in one that is held, or for their next try.",
)
@state_option
@json_option
def bench(
    count: int, concurrency: int, reads: bool, others: int, way: str, state: Path, as_json: bool
) -> None:
    """Measures charges at the echo spoke, each with one HTTP call and two proven statements.

    Goes through the proxy, like Core. Uses the running stack, or starts one and stops it.
    """
    output = Output(as_json=as_json)
    with running_stack(state, output) as place:
        if others:
            crowd = Crowd(others, way)
            figures = uvloop.run(compare(place, output, crowd, count=count, concurrency=concurrency))
        else:
            figures = uvloop.run(measure(place, output, count=count, concurrency=concurrency, reads=reads))
    output.table(("figure", "value"), figures.items())
    output.result(figures)


async def measure(
    place: Place, output: Output, *, count: int, concurrency: int, reads: bool = False
) -> dict[str, Any]:
    """Warms up, runs the load, then the jobs one at a time; the figures by name."""
    async with hub_channel(place.profile, role="core") as channel:
        load = Load(channel)
        await load.warm_up()
        output.say(f"{count} jobs, {concurrency} in flight …")
        costs = Costs(place, database(place))
        await costs.begin()
        seconds = await load.run(count, concurrency)
        await costs.end(load)
        output.say(f"{SEQUENTIAL} jobs, one at a time …")
        one_by_one = await load.one_by_one(SEQUENTIAL)
        of_reads = {}
        if reads:
            output.say(f"{count} reads …")
            of_reads = {"job_cpu_ms": ms_each(costs.cpu, count)} | await measure_reads(
                place,
                database(place),
                channel,
                tenant=TENANT,
                payment_id=load.payment_id,
                count=count,
            )
    return {
        "jobs": count,
        "concurrency": concurrency,
        "jobs_per_second": round(count / seconds, 1),
        "accept_ms": quantiles(load.accepted),
        "end_to_end_ms": quantiles(load.ended),
        "sequential_ms": quantiles(one_by_one),
        **costs.per_job(count),
        **of_reads,
    }


@dataclass(frozen=True, slots=True)
class Crowd:
    """So many jobs that wait in another lane, and how."""

    count: int
    way: str


async def compare(
    place: Place, output: Output, crowd: Crowd, *, count: int, concurrency: int
) -> dict[str, Any]:
    """Runs the load without those that wait, twice with them, and without them again, so that what a minute
    does to the machine is in both. A lane that works has work each time: that takes time of its own."""
    server = database(place)
    template = await waiting.template(place, TENANT, f"bench-waiting-{secrets.token_hex(4)}")
    rates: dict[bool, list[float]] = {True: [], False: []}

    async def run(*, crowded: bool) -> None:
        async with hub_channel(place.profile, role="core") as channel:
            load = Load(channel)
            await load.warm_up()
            rates[crowded].append(count / await load.run(count, concurrency))
            await load.until_proven()
        output.say(f"{'with' if crowded else 'without'} waiting jobs: {rates[crowded][-1]:.1f} jobs a second")

    async with waiting.held(place, crowd.way):
        for crowded, is_there in ((False, False), (True, False), (True, True), (False, False)):
            if not is_there:
                some = waiting.FEW if crowd.way == "working" else 0
                output.say(f"{crowd.count if crowded else some} jobs are put into {waiting.LANE} …")
                waiting.take_away(server)
                waiting.put(server, template, crowd.count if crowded else some, crowd.way)
            await run(crowded=crowded)
        waiting.take_away(server)
    with_them, without = (sum(rates[crowded]) / 2 for crowded in (True, False))
    return {
        "waiting": crowd.count,
        "waiting_in": crowd.way,
        "jobs_per_second": round(without, 1),
        "jobs_per_second_beside_waiting": round(with_them, 1),
        "ratio": round(with_them / without, 3),
    }


class Load:
    """Submits charges and follows them by one stream of events."""

    def __init__(self, channel: Any) -> None:
        self._payments = payments_service_pb2_grpc.PaymentsServiceStub(channel)
        self._jobs = jobs_service_pb2_grpc.JobsServiceStub(channel)
        self._run = secrets.token_hex(4)
        self._ends: dict[str, asyncio.Future[None]] = {}
        self.payment_id = ""
        self.accepted: list[float] = []
        self.ended: list[float] = []

    async def warm_up(self) -> None:
        """A few jobs, so that every connection and every actor stands."""
        for number in range(WARM_UP):
            request = self._request(f"warm-{number}", wait=30)
            response = await self._payments.Charge(request, timeout=CALL_SECONDS)
            self.payment_id = response.payment.payment_id

    async def run(self, count: int, concurrency: int) -> float:
        """Runs the load; seconds from the first submission to the last job's end."""
        numbers = iter(range(count))
        async with asyncio.TaskGroup() as group:
            watching = group.create_task(self._follow(await self._watch()))
            begun = _clock.monotonic()
            workers = [group.create_task(self._one_after_another(numbers)) for _ in range(concurrency)]
            await asyncio.wait(workers)
            seconds = _clock.monotonic() - begun
            watching.cancel()
        return seconds

    async def one_by_one(self, count: int) -> list[float]:
        """The seconds that each of some jobs takes when nothing else runs."""
        taken = []
        for number in range(count):
            begun = _clock.monotonic()
            await self._payments.Charge(self._request(f"one-{number}", wait=30), timeout=CALL_SECONDS)
            taken.append(_clock.monotonic() - begun)
        return taken

    async def until_proven(self) -> None:
        """Returns when the log holds every statement about the newest jobs."""
        request = jobs_service_pb2.ListJobsRequest(tenant=TENANT, page_size=500)
        while True:
            page = await self._jobs.ListJobs(request, timeout=CALL_SECONDS)
            if all(job.proven for job in page.jobs):
                return
            await asyncio.sleep(0.1)

    async def _watch(self) -> Any:
        request = jobs_service_pb2.WatchJobsRequest(tenant=TENANT, after_cursor=-1)
        stream = self._jobs.WatchJobs(request)
        await stream.read()  # the first message says that the stream has begun
        return stream

    async def _follow(self, stream: Any) -> None:
        while response := await stream.read():
            for event in response.events:
                if event.job.state in ENDED:
                    self._end(event.job.job_id).set_result(None)

    def _end(self, job_id: str) -> "asyncio.Future[None]":
        if job_id not in self._ends:
            self._ends[job_id] = asyncio.get_running_loop().create_future()
        return self._ends[job_id]

    async def _one_after_another(self, numbers: Iterator[int]) -> None:
        for number in numbers:
            begun = _clock.monotonic()
            response = await self._payments.Charge(self._request(str(number)), timeout=CALL_SECONDS)
            self.accepted.append(_clock.monotonic() - begun)
            await self._end(response.job.job_id)
            self.ended.append(_clock.monotonic() - begun)

    def _request(self, number: str, *, wait: int = 0) -> payments_service_pb2.ChargeRequest:
        context = context_pb2.RequestContext(
            request_id=f"bench-{self._run}-{number}", tenant=TENANT, provider="echo"
        )
        if wait:
            context.wait.FromSeconds(wait)
        amount = money_pb2.Money(minor_units=100, currency_code="EUR")
        return payments_service_pb2.ChargeRequest(
            context=context, amount=amount, payment_method="pm_card_visa"
        )


@dataclass
class Costs:
    """What the load cost, from `begin` to `end`."""

    place: Place
    server: Server
    cpu: dict[str, float] = field(default_factory=dict)
    commits: int = 0
    entries: int = 0

    async def begin(self) -> None:
        """Reads the meters."""
        self.cpu = cpu_seconds(self.place)
        self.commits = commits(self.server)
        self.entries = await log_size(self.place)

    async def end(self, load: Load) -> None:
        """Waits until everything is proven, and reads the meters again."""
        await load.until_proven()
        self.cpu = difference(self.cpu, cpu_seconds(self.place))
        self.commits = commits(self.server) - self.commits
        self.entries = await log_size(self.place) - self.entries

    def per_job(self, count: int) -> dict[str, Any]:
        """The figures."""
        return {
            "commits_per_job": round(self.commits / count, 3),
            "entries_per_job": round(self.entries / count, 3),
            "cpu_seconds": self.cpu,
        }
