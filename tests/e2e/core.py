"""Core, as the end-to-end tests play it: patient, and never with a new key for the same request."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from typing import Any

import grpc

from hubctl.evidence import search
from integration.common.v1 import context_pb2, money_pb2
from integration.jobs.v1 import job_pb2, jobs_service_pb2, jobs_service_pb2_grpc
from integration.payments.v1 import payments_service_pb2, payments_service_pb2_grpc
from local.place import Place
from mesh.channel import open_channel
from mesh.evidence import dsse
from mesh.identity import Identity

TENANT = "acme"
ENDED = {
    job_pb2.JOB_STATE_SUCCEEDED,
    job_pb2.JOB_STATE_DECLINED,
    job_pb2.JOB_STATE_DEAD,
    job_pb2.JOB_STATE_CANCELLED,
    job_pb2.JOB_STATE_EXPIRED,
}
_AGAIN = {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.CANCELLED}


class Core:
    """A client that repeats a call whose answer was lost, always under the same key."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self._channel = open_channel(place.address("core"), Identity.load(place.identity("core", "demo")))
        self._payments = payments_service_pb2_grpc.PaymentsServiceStub(self._channel)
        self._jobs = jobs_service_pb2_grpc.JobsServiceStub(self._channel)

    async def close(self) -> None:
        """Hangs up."""
        await self._channel.close(None)

    async def charge(
        self, key: str, *, provider: str = "stripe", method: str = "pm_card_visa"
    ) -> job_pb2.Job:
        """Submits a charge until it is accepted; the job as accepted."""
        context = context_pb2.RequestContext(request_id=key, tenant=TENANT, provider=provider)
        amount = money_pb2.Money(minor_units=1000, currency_code="EUR")
        request = payments_service_pb2.ChargeRequest(context=context, amount=amount, payment_method=method)
        async with asyncio.timeout(120):
            while True:
                try:
                    return (await self._payments.Charge(request, timeout=10)).job
                except grpc.aio.AioRpcError as error:
                    if error.code() not in _AGAIN:
                        raise
                    await asyncio.sleep(0.1)

    async def job(self, job_id: str) -> job_pb2.Job:
        """The job as it stands; asked again until the hub answers."""
        request = jobs_service_pb2.GetJobRequest(tenant=TENANT, job_id=job_id)
        while True:
            try:
                return (await self._jobs.GetJob(request, timeout=10)).job
            except grpc.aio.AioRpcError as error:
                if error.code() not in _AGAIN:
                    raise
                await asyncio.sleep(0.1)

    async def states(self, job_id: str) -> list[int]:
        """The states that a job went through, as Core was told of them."""
        request = jobs_service_pb2.WatchJobsRequest(tenant=TENANT, job_id=job_id)
        call = self._jobs.WatchJobs(request, timeout=10)
        found: list[int] = []
        async for response in call:
            found += [event.job.state for event in response.events]
            if found and found[-1] in ENDED:
                call.cancel()
                return found
        return found

    async def ended(self, job_ids: Sequence[str], *, seconds: float = 120) -> list[job_pb2.Job]:
        """The jobs, once all have ended and the log holds all that was said about them."""
        async with asyncio.timeout(seconds):
            return list(await asyncio.gather(*(self._ended(j) for j in job_ids)))

    async def _ended(self, job_id: str) -> job_pb2.Job:
        while True:
            job = await self.job(job_id)
            if job.state in ENDED and job.proven:
                return job
            await asyncio.sleep(0.25)


async def statements(place: Place, job_id: str) -> list[tuple[int, Mapping[str, Any]]]:
    """What the log holds about a job: index and statement, in order."""
    entries = await search(place.profile, job_id)
    return [(e.index, json.loads(dsse.open_envelope(e.envelope).payload)) for e in entries]


def check_attempts(said: Sequence[tuple[int, Mapping[str, Any]]]) -> None:
    """Each attempt has one intent and one evidence, the intent's index and time before the call."""
    intents = {s["attempt"]: (i, s) for i, s in said if s["kind"] == "intent"}
    evidence = {s["attempt"]: (i, s) for i, s in said if s["kind"] == "evidence"}
    kinds = [s["kind"] for _, s in said if s["kind"] != "confirmation"]
    assert len(kinds) == len(intents) + len(evidence)
    assert set(intents) == set(evidence)
    for attempt, (index, intent) in intents.items():
        at, stated = evidence[attempt]
        assert index < at
        assert stated["intent"]["index"] == str(index)
        assert intent["t"] <= stated["res"].get("t_sent", stated["res"]["t_done"])
