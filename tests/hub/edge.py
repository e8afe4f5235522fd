"""The hub's edge on a free port, as Core reaches it: real mTLS, real Postgres, one spoke."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from uuid import uuid4

import grpc
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from hub.errors import JobError, UnknownAccount, UnknownProvider
from hub.intake import api as capabilities
from hub.intake.backlog import Admission, AdmissionLimits
from hub.intake.door import Door
from hub.intake.new_jobs import NewJobs
from hub.intake.references import References
from hub.intake.store import PostgresIntakeStore
from hub.intake.submit import Submission
from hub.jobs.board import Board
from hub.jobs.ports import Post, Withdrawal
from hub.jobs.spec import OperationSpec
from hub.jobs.store import PostgresJobStore
from hub.jobs.waiting import PollWaiting, Waiting
from hub.reads.door import Reads
from hub.statuses import DOMAIN, STATUSES
from hub.streams import Telling
from hub.tenants import Rights, Tenants
from integration.common.v1 import context_pb2, money_pb2
from integration.jobs.v1 import job_pb2, jobs_service_pb2_grpc
from integration.payments.v1 import payments_service_pb2 as payments
from integration.payments.v1 import payments_service_pb2_grpc
from mesh.batcher import Batcher
from mesh.ca import CertificateAuthority
from mesh.channel import open_channel
from mesh.clock import SystemClock
from mesh.duty import DutyLoop
from mesh.errors import details_of
from mesh.identity import Identity, SpiffeId
from mesh.server import MeshServer
from tests.fakes import nothing_read
from tests.hub.jobs import spec

TRUST_DOMAIN = "integration.local"
MOST_STREAMS = 3


class OneSpoke:
    """A directory that knows the account `default` at `echo`, until the test says what is wrong with it."""

    def __init__(self) -> None:
        self.refusal: JobError | None = None

    def choose(self, provider: str, operation: str) -> str:
        """The only provider, or a refusal."""
        if self.refusal is not None:
            raise self.refusal
        if provider not in {"", "echo"}:
            raise UnknownProvider(f"no spoke {provider}", provider=provider)
        return "echo"

    def check_account(self, provider: str, account: str) -> None:
        """Refuses what there is not."""
        if account != "default":
            raise UnknownAccount(f"no account {account}", account=account)

    def spec(self, provider: str, operation: str) -> OperationSpec:
        """The same for every operation."""
        return spec()


class MovedClock(SystemClock):
    """The system's clock, but for what the test has moved it ahead."""

    ahead = timedelta()

    def now(self) -> datetime:
        """Aware UTC."""
        return super().now() + self.ahead


@dataclass
class Edge:
    """The running edge and clients of it."""

    store: PostgresJobStore
    board: Board
    directory: OneSpoke
    clock: MovedClock
    rights: dict[str, Rights]
    payments: payments_service_pb2_grpc.PaymentsServiceStub
    jobs: jobs_service_pb2_grpc.JobsServiceStub
    operator: jobs_service_pb2_grpc.JobsServiceStub


@asynccontextmanager
async def telling(
    server: MeshServer,
    engine: AsyncEngine,
    store: PostgresJobStore,
    board: Board,
    tenants: Tenants,
    *,
    most: int = MOST_STREAMS,
    post: Post | None = None,
) -> AsyncIterator[None]:
    """Adds the services that tell to a server, with the duties behind their streams and those who wait."""
    loops = [DutyLoop(PollWaiting(store, board))]
    telling = Telling(
        fed=engine,
        log=engine,
        jobs=store,
        waiting=Waiting(store, board, SystemClock()),
        board=board,
        post=post or board.post,
        tenants=tenants,
        draining=server.draining,
        most=most,
        run=loops.append,
        sign=lambda job_id, cancel: Withdrawal(cancel, str(uuid4()), f"{job_id} withdrawn".encode()),
    )
    telling.add_to(server.raw)
    tasks = [asyncio.create_task(loop.run()) for loop in loops]
    yield
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _desk(
    engine: AsyncEngine,
    store: PostgresJobStore,
    board: Board,
    tenants: Tenants,
    directory: OneSpoke,
    clock: MovedClock,
) -> capabilities.Desk:
    """What a request goes through."""
    intake = PostgresIntakeStore(engine)
    accepting = Batcher(store.accept, max_items=64, max_queue=100)
    known = Batcher(intake.known, max_items=64, max_queue=100)
    made = Batcher(intake.made, max_items=64, max_queue=100)
    new_jobs = NewJobs(directory, clock=clock, chance=secrets.token_bytes, trace=dict)
    references = References(made.submit)
    return capabilities.Desk(
        door=Door(
            new_jobs=new_jobs,
            references=references,
            submission=Submission(accept=accepting.submit, clock=clock, hint=lambda lane: None),
            known=known.submit,
        ),
        reads=Reads(
            new_jobs=new_jobs,
            directory=directory,
            references=references,
            admission=Admission(AdmissionLimits()),
            perform=nothing_read,
            clock=clock,
            draw=lambda: 0.5,
        ),
        waiting=Waiting(store, board, SystemClock()),
        tenants=tenants,
        new_jobs=new_jobs,
    )


@asynccontextmanager
async def serving(hub_engine: AsyncEngine, home: Path, *, post: Post | None = None) -> AsyncIterator[Edge]:
    """The edge on a free port; the client may act for `acme` and `beta`. `post` says that a job changed."""
    authority = CertificateAuthority.create(TRUST_DOMAIN)
    identities = {}
    for role, name in (("hub", "hub"), ("core", "demo"), ("operator", "cli")):
        authority.issue(SpiffeId(TRUST_DOMAIN, role, name), home / role)
        identities[role] = Identity.load(home / role)
    store, board = PostgresJobStore(hub_engine), Board()
    directory, moved = OneSpoke(), MovedClock()
    callers = {str(identities["core"].spiffe_id): frozenset({"acme", "beta"})}
    rights = {"*": Rights({"echo": frozenset({"*"})})}
    tenants = Tenants(callers, rights)
    desk = _desk(hub_engine, store, board, tenants, directory, moved)
    server = MeshServer(identities["hub"], domain=DOMAIN, statuses=STATUSES)
    server.raw.add_generic_rpc_handlers(capabilities.handlers(desk))
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(telling(server, hub_engine, store, board, tenants, post=post))
        target = f"127.0.0.1:{await server.serve('127.0.0.1:0')}"
        core = await stack.enter_async_context(open_channel(target, identities["core"]))
        operator = await stack.enter_async_context(open_channel(target, identities["operator"]))
        yield Edge(
            store,
            board,
            directory,
            moved,
            rights,
            payments_service_pb2_grpc.PaymentsServiceStub(core),
            jobs_service_pb2_grpc.JobsServiceStub(core),
            jobs_service_pb2_grpc.JobsServiceStub(operator),
        )
        await server.drain(1)


def charge(
    request_id: str = "order-1", *, minor_units: int = 100, **context: object
) -> payments.ChargeRequest:
    """A sound request of tenant `acme`, changed by keyword."""
    fields = {"request_id": request_id, "tenant": "acme", **context}
    return payments.ChargeRequest(
        context=context_pb2.RequestContext(**fields),
        amount=money_pb2.Money(minor_units=minor_units, currency_code="EUR"),
        payment_method="pm_card_visa",
    )


async def refusal(call: grpc.aio.UnaryUnaryCall) -> tuple[grpc.StatusCode, str, grpc.aio.AioRpcError]:
    """Status and reason of a call that must be refused."""
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await call
    details = details_of(refused.value)
    assert details is not None
    return refused.value.code(), details.reason, refused.value


async def taken(call: grpc.aio.UnaryUnaryCall) -> job_pb2.Job:
    """The job of a call that must not be refused."""
    try:
        job: job_pb2.Job = (await call).job
    except grpc.aio.AioRpcError as error:
        raise AssertionError(error.details()) from error
    return job
