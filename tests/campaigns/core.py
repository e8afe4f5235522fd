"""Core at size: requests at an even pace, and what each waited for its answer."""

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import grpc

from integration.common.v1 import context_pb2, money_pb2
from integration.jobs.v1 import job_pb2, jobs_service_pb2, jobs_service_pb2_grpc
from integration.messaging.v1 import messaging_service_pb2, messaging_service_pb2_grpc
from integration.payments.v1 import payments_service_pb2, payments_service_pb2_grpc
from local.place import Place
from mesh.channel import open_channel
from mesh.identity import Identity

TENANT = "acme"
CHARGE = "integration.payments.v1.PaymentsService/Charge"
CARD = "pm_card_visa"
PATIENCE_SECONDS = 60
_AGAIN = {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED}


@dataclass(frozen=True, slots=True)
class Ask:
    """What a request says beside its key. `attempts` 0: as the manifest has it; `wait` in seconds.

    `life`: the seconds after which nobody wants it any more; 0: as the hub has it.
    """

    provider: str
    method: str = CARD
    wait: float = 0.0
    attempts: int = 0
    life: float = 0.0
    tenant: str = TENANT
    cents: int = 1000

    def context(self, key: str) -> context_pb2.RequestContext:
        """The envelope of a request."""
        context = context_pb2.RequestContext(request_id=key, tenant=self.tenant, provider=self.provider)
        context.wait.FromMilliseconds(int(self.wait * 1000))
        if self.life:
            context.expire_time.FromMilliseconds(int((time.time() + self.life) * 1000))
        if self.attempts:
            context.retry.max_attempts = self.attempts
            context.retry.initial_backoff.FromMilliseconds(50)
            context.retry.max_backoff.FromMilliseconds(500)
        return context


class Core:
    """A client with a connection of its own; it repeats a call that was not answered, under the same key."""

    def __init__(self, place: Place) -> None:
        self._channel = open_channel(place.address("core"), Identity.load(place.identity("core", "demo")))
        self._payments = payments_service_pb2_grpc.PaymentsServiceStub(self._channel)
        self._messaging = messaging_service_pb2_grpc.MessagingServiceStub(self._channel)
        self._jobs = jobs_service_pb2_grpc.JobsServiceStub(self._channel)

    async def charge(self, key: str, ask: Ask) -> job_pb2.Job:
        """A charge, once it is accepted."""
        amount = money_pb2.Money(minor_units=ask.cents, currency_code="EUR")
        request = payments_service_pb2.ChargeRequest(
            context=ask.context(key), amount=amount, payment_method=ask.method
        )
        return await self._insist(self._payments.Charge, request)

    async def write(self, key: str, subject: str) -> job_pb2.Job:
        """An e-mail, once it is accepted."""
        request = messaging_service_pb2.SendEmailRequest(
            context=Ask("smtp").context(key),
            to_addresses=["customer@example.org"],
            subject=subject,
            text_body="Hello.\n",
        )
        return await self._insist(self._messaging.SendEmail, request)

    async def job(self, job_id: str) -> job_pb2.Job:
        """A job as it stands."""
        request = jobs_service_pb2.GetJobRequest(tenant=TENANT, job_id=job_id)
        return await self._insist(self._jobs.GetJob, request)

    async def jobs(self, job_ids: Sequence[str]) -> list[job_pb2.Job]:
        """Jobs as they stand."""
        return [await self.job(job_id) for job_id in job_ids]

    async def charge_evenly(self, keys: Sequence[str], ask: Ask, *, rate: float) -> list[str]:
        """Charges at a rate per second, whether or not the earlier ones have been answered; the jobs' ids."""
        async with asyncio.TaskGroup() as group:
            tasks = []
            async for key in evenly(keys, rate):
                tasks.append(group.create_task(self.charge(key, ask)))
        return [task.result().job_id for task in tasks]

    async def close(self) -> None:
        """Hangs up."""
        await self._channel.close(None)

    async def _insist(self, call: object, request: object) -> job_pb2.Job:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                try:
                    answer = await call(request, timeout=40)  # type: ignore[operator]
                    job: job_pb2.Job = answer.job
                    return job
                except grpc.aio.AioRpcError as error:
                    if error.code() not in _AGAIN:
                        raise
                    await asyncio.sleep(0.1)


async def evenly(keys: Iterable[str], rate: float) -> AsyncIterator[str]:
    """The keys, so many a second."""
    began = time.monotonic()
    for number, key in enumerate(keys):
        if (ahead := began + number / rate - time.monotonic()) > 0:
            await asyncio.sleep(ahead)
        yield key


@dataclass(slots=True)
class Steady:
    """Light traffic that waits for its results: when each began, and the seconds that it took."""

    samples: list[tuple[float, float]] = field(default_factory=list)
    job_ids: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)

    def between(self, begin: float, end: float) -> list[float]:
        """The seconds of those that began in a span of the monotonic clock."""
        return [seconds for at, seconds in self.samples if begin <= at < end]


@asynccontextmanager
async def steady(place: Place, run: str, ask: Ask, *, rate: float) -> AsyncIterator[Steady]:
    """Traffic as long as the block lasts; at its end every request has its answer."""
    core, traffic = Core(place), Steady()

    async def one(key: str) -> None:
        began = time.monotonic()
        job = await core.charge(key, ask)
        traffic.samples.append((began, time.monotonic() - began))
        traffic.job_ids.append(job.job_id)
        if job.state != job_pb2.JOB_STATE_SUCCEEDED:
            traffic.failed.append(f"{job.job_id} {job_pb2.JobState.Name(job.state)} {job.reason}")

    async def all_along() -> None:
        async for key in evenly((f"{run}-{number}" for number in itertools.count()), rate):
            group.create_task(one(key))

    async with asyncio.TaskGroup() as group:
        going = group.create_task(all_along())
        yield traffic
        going.cancel()
    await core.close()
