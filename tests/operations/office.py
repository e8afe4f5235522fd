"""The whole product with one provider that can be taken down, and the people on call."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import grpc
from aiohttp import web

from hubctl.evidence import VALID, verify_bundle
from integration.audit.v1 import audit_service_pb2 as audit
from integration.audit.v1 import audit_service_pb2_grpc
from integration.common.v1 import context_pb2, money_pb2
from integration.jobs.v1 import job_pb2, jobs_service_pb2, jobs_service_pb2_grpc
from integration.operations.v1 import operations_service_pb2 as ops
from integration.operations.v1 import operations_service_pb2_grpc, plan_pb2
from integration.payments.v1 import payments_service_pb2 as payments
from integration.payments.v1 import payments_service_pb2_grpc
from mesh.evidence import dsse
from spokes.echo.sandbox import Sandbox
from tests.abuse.whole import Whole, running
from tests.spokes.harness import account, free_port

TENANT = "acme"
T = TypeVar("T")
WHY = ops.Justification(reason="the provider is back", ticket="OPS-241")
OVER = {plan_pb2.PLAN_STATE_FINISHED, plan_pb2.PLAN_STATE_STOPPED}


@dataclass
class Provider:
    """Echo's sandbox on a port; what it knows survives its being down."""

    port: int = field(default_factory=free_port)
    sandbox: Sandbox = field(default_factory=Sandbox)
    runner: web.AppRunner | None = None

    async def up(self) -> None:
        """Lets it answer."""
        self.runner = web.AppRunner(self.sandbox.application(), access_log=None, shutdown_timeout=0.1)
        await self.runner.setup()
        await web.TCPSite(self.runner, "127.0.0.1", self.port).start()

    async def down(self) -> None:
        """Lets every connection be refused."""
        if self.runner is not None:
            await self.runner.cleanup()
            self.runner = None


class Person:
    """Somebody on call, with a channel of their own to the hub."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self.ops = operations_service_pb2_grpc.OperationsServiceStub(channel)

    async def preview(self, kind: str, pace: Mapping[str, int] | None = None, **wanted: Any) -> plan_pb2.Plan:
        """A preview of a plan."""
        request = ops.CreatePlanRequest(
            kind=f"PLAN_KIND_{kind}",
            filter=plan_pb2.PlanFilter(**wanted),
            pace=plan_pb2.PlanPace(**(pace or {"rate_per_second": 1000, "chunk_size": 1000})),
            why=WHY,
        )
        plan: plan_pb2.Plan = (await self.ops.CreatePlan(request, timeout=30)).plan
        return plan

    async def approve(self, plan: plan_pb2.Plan) -> plan_pb2.Plan:
        """The plan, approved."""
        request = ops.ApprovePlanRequest(plan_id=plan.plan_id, why=WHY)
        approved: plan_pb2.Plan = (await self.ops.ApprovePlan(request, timeout=10)).plan
        return approved

    async def over(self, plan: plan_pb2.Plan, seconds: float = 30) -> plan_pb2.Plan:
        """The plan, once it has finished or stopped."""

        async def read() -> plan_pb2.Plan:
            request = ops.GetPlanRequest(plan_id=plan.plan_id)
            found: plan_pb2.Plan = (await self.ops.GetPlan(request, timeout=10)).plan
            return found

        return await until(read, lambda p: p.state in OVER, seconds)

    async def lanes(self) -> list[Any]:
        """The lanes that there are."""
        return list((await self.ops.ListLanes(ops.ListLanesRequest(), timeout=10)).lanes)

    async def lane(self) -> Any:
        """The one lane."""
        return (await self.lanes())[0]

    async def set_mode(self, mode: str) -> None:
        """Pauses the one lane, or lets it work again."""
        request = ops.SetLaneModeRequest(lane="echo/default", mode=f"LANE_MODE_{mode}", why=WHY)
        await self.ops.SetLaneMode(request, timeout=10)

    async def letters(self, **wanted: Any) -> list[Any]:
        """Open dead letters."""
        request = ops.ListDeadLettersRequest(filter=plan_pb2.PlanFilter(**wanted), page_size=500)
        return list((await self.ops.ListDeadLetters(request, timeout=10)).dead_letters)


@dataclass
class Office:
    """What a test works with."""

    whole: Whole
    provider: Provider
    ana: Person
    luis: Person

    async def charge(
        self,
        n: int,
        *,
        attempts: int = 0,
        method: str = "pm_ok",
        wait: float = 0.0,
        life: timedelta | None = None,
    ) -> job_pb2.Job:
        """Charge number `n` of Core, wanted for so long."""
        context = context_pb2.RequestContext(request_id=f"order-{n}", tenant=TENANT)
        context.retry.max_attempts = attempts
        context.retry.initial_backoff.FromMilliseconds(20)
        context.retry.max_backoff.FromMilliseconds(200)
        if life is not None:
            context.expire_time.FromDatetime(datetime.now(UTC) + life)
        context.wait.FromMilliseconds(int(wait * 1000))
        request = payments.ChargeRequest(
            context=context,
            amount=money_pb2.Money(minor_units=100 + n, currency_code="EUR"),
            payment_method=method,
        )
        stub = payments_service_pb2_grpc.PaymentsServiceStub(self.whole.core)
        job: job_pb2.Job = (await stub.Charge(request, timeout=30)).job
        return job

    async def job(self, job_id: str) -> job_pb2.Job:
        """A job as it stands."""
        stub = jobs_service_pb2_grpc.JobsServiceStub(self.whole.core)
        request = jobs_service_pb2.GetJobRequest(tenant=TENANT, job_id=job_id)
        job: job_pb2.Job = (await stub.GetJob(request, timeout=10)).job
        return job

    async def cancel(self, job_id: str) -> job_pb2.Job:
        """A job, withdrawn by Core."""
        stub = jobs_service_pb2_grpc.JobsServiceStub(self.whole.core)
        request = jobs_service_pb2.CancelJobRequest(tenant=TENANT, job_id=job_id)
        job: job_pb2.Job = (await stub.CancelJob(request, timeout=10)).job
        return job

    async def statements(self, subject: str) -> list[dict[str, Any]]:
        """What the log holds about a job or a plan."""
        stub = audit_service_pb2_grpc.AuditServiceStub(self.whole.audit)
        page = await stub.SearchEntries(audit.SearchEntriesRequest(job_id=subject), timeout=10)
        return [json.loads(dsse.open_envelope(e.envelope).payload) for e in page.entries]

    async def whole_log(self) -> int:
        """How many entries the log has."""
        stub = audit_service_pb2_grpc.AuditServiceStub(self.whole.audit)
        note = (await stub.GetCheckpoint(audit.GetCheckpointRequest(), timeout=10)).checkpoint
        return int(note.decode().splitlines()[1])

    async def is_proven(self, subject: str, bundle: Path) -> bool:
        """Whether the bundle of a job or a plan verifies offline, with no server and no database."""
        stub = audit_service_pb2_grpc.AuditServiceStub(self.whole.audit)
        stream = stub.ExportBundle(audit.ExportBundleRequest(job_id=subject), timeout=10)
        bundle.write_bytes(b"".join([piece.chunk async for piece in stream]))
        code, _ = await asyncio.to_thread(verify_bundle, bundle, self.whole.home / "log.vkey", subject)
        return code == VALID

    async def jobs_in(self, job_ids: list[str], state: job_pb2.JobState, seconds: float) -> None:
        """Returns when all of these jobs stand in a state."""

        async def read() -> list[job_pb2.Job]:
            return [await self.job(j) for j in job_ids]

        await until(read, lambda jobs: all(j.state == state for j in jobs), seconds)


async def until(read: Callable[[], Awaitable[T]], good: Callable[[T], bool], seconds: float) -> T:
    """What `read` gives once it is good; fails with the last of it after so many seconds."""
    deadline = time.monotonic() + seconds
    while True:
        found = await read()
        if good(found):
            return found
        assert time.monotonic() < deadline, found
        await asyncio.sleep(0.05)


@asynccontextmanager
async def opened(home: Path, urls: Mapping[str, str]) -> AsyncIterator[Office]:
    """The office, with the provider up."""
    provider = Provider()
    await provider.up()
    accounts = {"echo": account(f"http://127.0.0.1:{provider.port}", webhook_secrets=[])}
    async with running(home, urls, accounts) as whole:
        office = Office(whole, provider, Person(whole.operators["ana"]), Person(whole.operators["luis"]))
        await until(office.ana.lanes, bool, 10)
        yield office
    await provider.down()
