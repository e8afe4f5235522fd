"""The client of a campaign: patient, always under the same key, and it writes down what it was told."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import grpc

from integration.common.v1 import context_pb2, money_pb2
from integration.jobs.v1 import job_pb2, jobs_service_pb2, jobs_service_pb2_grpc
from integration.messaging.v1 import messaging_service_pb2, messaging_service_pb2_grpc
from integration.payments.v1 import payments_service_pb2, payments_service_pb2_grpc
from local.place import Place
from mesh.channel import open_channel
from mesh.identity import Identity
from tests.faults.checker import Asked

TENANT = "acme"
PATIENCE_SECONDS = 90.0
AGAIN_SECONDS = 0.2
CALL_SECONDS = 10.0
CLOSED = "pm_closed"
DOOMED = frozenset({CLOSED})
"""What is never done: its first attempt makes it a dead letter."""

_FINAL = {
    grpc.StatusCode.INVALID_ARGUMENT,
    grpc.StatusCode.ALREADY_EXISTS,
    grpc.StatusCode.PERMISSION_DENIED,
    grpc.StatusCode.UNAUTHENTICATED,
}


@dataclass(slots=True)
class Entry:
    """One request of the journal, and every job id that it was ever answered."""

    request_id: str
    peer: str
    method: str
    job_ids: list[str] = field(default_factory=list)


class Client:
    """Core. `refusals` counts the answers other than a job, by status."""

    def __init__(self, place: Place) -> None:
        self._channel = open_channel(place.address("core"), Identity.load(place.identity("core", "demo")))
        self._payments = payments_service_pb2_grpc.PaymentsServiceStub(self._channel)
        self._messaging = messaging_service_pb2_grpc.MessagingServiceStub(self._channel)
        self._jobs = jobs_service_pb2_grpc.JobsServiceStub(self._channel)
        self.journal: list[Entry] = []
        self.refusals: Counter[str] = Counter()

    async def close(self) -> None:
        """Hangs up."""
        await self._channel.close(None)

    async def ask(self, request_id: str, peer: str, method: str) -> None:
        """Submits a request until it is accepted."""
        entry = Entry(request_id, peer, method)
        self.journal.append(entry)
        await self._submit(entry)

    async def asked(self) -> list[Asked]:
        """The journal, once every request has been repeated: the answer must be the same job."""
        return list(await asyncio.gather(*(self._asked(entry) for entry in self.journal)))

    def providers(self) -> dict[str, str]:
        """The provider of each job."""
        return {job_id: entry.peer for entry in self.journal for job_id in entry.job_ids}

    def key_of(self, subject: str) -> str:
        """The key of the request that a job, or an attempt of it, was answered to; it names the run."""
        job_id = subject.partition(".")[0]
        return next((e.request_id for e in self.journal if job_id in (*e.job_ids, e.request_id)), "nobody")

    async def _asked(self, entry: Entry) -> Asked:
        await self._submit(entry)
        job = await self._job(entry.job_ids[0])
        state = job_pb2.JobState.Name(job.state).removeprefix("JOB_STATE_")
        due = job.HasField("due_time")
        return Asked(entry.request_id, tuple(entry.job_ids), entry.peer, state, due=due)

    async def _submit(self, entry: Entry) -> None:
        response = await self._patiently(self._stub(entry.peer), _request(entry))
        entry.job_ids.append(response.job.job_id)

    async def _job(self, job_id: str) -> job_pb2.Job:
        request = jobs_service_pb2.GetJobRequest(tenant=TENANT, job_id=job_id)
        return (await self._patiently(self._jobs.GetJob, request)).job

    def _stub(self, peer: str) -> object:
        return self._messaging.SendEmail if peer == "smtp" else self._payments.Charge

    async def _patiently(self, call: object, request: object) -> object:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                try:
                    return await call(request, timeout=CALL_SECONDS)
                except grpc.aio.AioRpcError as error:
                    self.refusals[error.code().name] += 1
                    if error.code() in _FINAL:
                        raise
                    await asyncio.sleep(AGAIN_SECONDS)


def methods(peer: str, point: str, count: int) -> Sequence[str]:
    """How the requests of a run are paid: so many and, at the echo, one more that is doomed.

    There some are declined as well, and some are confirmed by webhook.
    """
    if peer != "echo":
        return ["pm_card_visa"] * count
    first = "pm_pending" if point.startswith("hub.event") else "pm_declined"
    return [first, *(["pm_card"] * (count - 1)), CLOSED]


def _request(entry: Entry) -> payments_service_pb2.ChargeRequest | messaging_service_pb2.SendEmailRequest:
    context = context_pb2.RequestContext(request_id=entry.request_id, tenant=TENANT, provider=entry.peer)
    if entry.method in DOOMED:
        context.retry.max_attempts = 1
    if entry.peer == "smtp":
        return messaging_service_pb2.SendEmailRequest(
            context=context,
            to_addresses=["customer@example.com"],
            subject=f"Order {entry.request_id}",
            text_body="Thank you.",
        )
    amount = money_pb2.Money(minor_units=1000, currency_code="EUR")
    return payments_service_pb2.ChargeRequest(context=context, amount=amount, payment_method=entry.method)
