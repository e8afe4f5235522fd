"""The hub's edge as the product composes it, on a free port, with callers of several identities."""

import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import grpc
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from hub.alerts.store import PostgresAlertStore
from hub.database.engine import open_engine
from hub.errors import UnknownProvider
from hub.intake import api as capabilities
from hub.intake.admitting import Admitting, CountBacklog
from hub.intake.backlog import Admission, AdmissionLimits
from hub.intake.door import Door
from hub.intake.new_jobs import NewJobs
from hub.intake.references import References
from hub.intake.store import PostgresIntakeStore
from hub.intake.submit import Submission
from hub.jobs.board import Board
from hub.jobs.spec import OperationSpec
from hub.jobs.store import PostgresJobStore
from hub.jobs.waiting import Waiting
from hub.operators.api import OperationsApi
from hub.operators.orders import Operating
from hub.operators.store import PostgresOperationsStore
from hub.peers.notary import Notary
from hub.plans.inverses import Contracts
from hub.plans.planning import Planning
from hub.plans.store import PostgresPlanStore
from hub.reads.door import Reads
from hub.statuses import DOMAIN, STATUSES
from hub.tenants import Rights, Tenants
from integration.common.v1 import context_pb2, money_pb2
from integration.events.v1 import events_service_pb2_grpc
from integration.jobs.v1 import jobs_service_pb2 as jobs
from integration.jobs.v1 import jobs_service_pb2_grpc
from integration.messaging.v1 import messaging_service_pb2_grpc
from integration.operations.v1 import operations_service_pb2_grpc
from integration.payments.v1 import payments_service_pb2 as payments
from integration.payments.v1 import payments_service_pb2_grpc
from mesh.batcher import Batcher
from mesh.ca import CertificateAuthority
from mesh.channel import open_channel
from mesh.clock import SystemClock
from mesh.errors import ErrorDetails, details_of
from mesh.evidence.keys import SigningKey
from mesh.identity import Identity, SpiffeId
from mesh.server import MAX_CONCURRENT_RPCS, MeshServer
from tests.fakes import nothing_read
from tests.hub.edge import telling
from tests.hub.jobs import spec, withdrawal

TRUST_DOMAIN = "integration.local"
TIMEOUT = 5.0
INVALID = grpc.StatusCode.INVALID_ARGUMENT
INTERNALS = ("Traceback", "sqlalchemy", "asyncpg", "SELECT", "INSERT", ".py", "Exception")
NO_IDS = [
    "-" * 36,
    "0" * 36,
    "../../../../../../etc/passwd\0........",
    "' OR 1=1; DROP TABLE job; --........",
    "%s%s%s%s%n%n%n%n%x%x%x%x{0}{}{job}..",
    "01890000-0000-7000-8000-00000000000G",
    "0189000000007000800000000000000100--",
    "x",
    "",
]
CALLERS = {"acme": ("core", "demo"), "beta": ("core", "other"), "operator": ("operator", "cli")}
"""Callers by the tenant that they may act for; the operator may look at all."""
RIGHTS = {
    "acme": Rights({"echo": frozenset({"*"}), "other": frozenset({"*"})}),
    "beta": Rights({"echo": frozenset({"beta-test", "default"})}),
}
"""What each tenant may use."""
PAYMENTS = "/integration.payments.v1.PaymentsService"
CHARGE = f"{PAYMENTS}/Charge"
SEND = "/integration.messaging.v1.MessagingService/SendEmail"


class TwoSpokes:
    """Payments go to echo, and what names `other` there."""

    def choose(self, provider: str, operation: str) -> str:
        """The provider that was named."""
        if provider not in {"", "echo", "other"}:
            raise UnknownProvider(f"no spoke {provider}", provider=provider)
        return provider or "echo"

    def check_account(self, provider: str, account: str) -> None:
        """Each has every account."""

    def spec(self, provider: str, operation: str) -> OperationSpec:
        """The same for every operation."""
        return spec()


@dataclass
class Caller:
    """One identity, connected."""

    channel: grpc.aio.Channel

    def __post_init__(self) -> None:
        self.payments = payments_service_pb2_grpc.PaymentsServiceStub(self.channel)
        self.messaging = messaging_service_pb2_grpc.MessagingServiceStub(self.channel)
        self.jobs = jobs_service_pb2_grpc.JobsServiceStub(self.channel)
        self.events = events_service_pb2_grpc.EventsServiceStub(self.channel)

    async def raw(self, method: str, data: bytes) -> bytes:
        """A call in bytes."""
        answer: bytes = await self.channel.unary_unary(method, None, None)(data, timeout=TIMEOUT)
        return answer


@dataclass
class Edge:
    """The running edge, its callers, and what lies behind it."""

    port: int
    home: Path
    engine: AsyncEngine
    store: PostgresJobStore
    board: Board
    admission: Admission
    counting: CountBacklog
    callers: Mapping[str, Caller]
    rights: dict[str, Rights]

    @property
    def core(self) -> Caller:
        """The caller that acts for `acme`."""
        return self.callers["acme"]

    async def stored(self) -> int:
        """How many requests have ever become jobs."""
        async with self.engine.connect() as connection:
            return int((await connection.execute(text("SELECT count(*) FROM request_key"))).scalar_one())

    async def answers(self) -> None:
        """Fails unless a call that stores nothing is still answered."""
        request = jobs.GetJobRequest(tenant="acme", job_id=str(uuid4()))
        error = await failure(self.core.jobs.GetJob(request, timeout=TIMEOUT))
        assert error.code() is grpc.StatusCode.NOT_FOUND

    async def serves(self) -> None:
        """Fails unless an honest request still becomes a job, which is withdrawn again."""
        job = (await self.core.payments.Charge(charge(), timeout=TIMEOUT)).job
        assert job.job_id
        await self.store.cancel(job.job_id, withdrawal())


@asynccontextmanager
async def serving(
    urls: Mapping[str, str],
    home: Path,
    *,
    limits: AdmissionLimits | None = None,
    max_concurrent_rpcs: int = MAX_CONCURRENT_RPCS,
) -> AsyncIterator[Edge]:
    """Starts the edge, on a database of the newest schema."""
    identities = _identities(home)
    engine, board, clock = open_engine(urls["hub_rw"]), Board(), SystemClock()
    store, intake = PostgresJobStore(engine), PostgresIntakeStore(engine)
    rights = dict(RIGHTS)
    tenants = Tenants({str(identities[t].spiffe_id): frozenset({t}) for t in RIGHTS}, rights)
    waiting = Waiting(store, board, clock)
    admission = Admission(limits or AdmissionLimits())
    new_jobs = NewJobs(TwoSpokes(), clock=clock, chance=secrets.token_bytes, trace=dict)
    references = References(Batcher(intake.made, max_items=64, max_queue=5_000).submit)
    desk = capabilities.Desk(
        door=_door(store, intake, new_jobs, references, admission),
        reads=Reads(
            new_jobs=new_jobs,
            directory=TwoSpokes(),
            references=references,
            admission=admission,
            perform=nothing_read,
            clock=clock,
            draw=lambda: 0.5,
        ),
        waiting=waiting,
        tenants=tenants,
        new_jobs=new_jobs,
    )
    server = MeshServer(
        identities["hub"], domain=DOMAIN, statuses=STATUSES, max_concurrent_rpcs=max_concurrent_rpcs
    )
    server.raw.add_generic_rpc_handlers(capabilities.handlers(desk))
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(telling(server, engine, store, board, tenants, most=100))
        operators = _operations(engine, store)
        operations_service_pb2_grpc.add_OperationsServiceServicer_to_server(operators, server.raw)
        port = await server.serve("127.0.0.1:0")
        callers = {
            name: Caller(await stack.enter_async_context(open_channel(f"127.0.0.1:{port}", identities[name])))
            for name in CALLERS
        }
        counting = CountBacklog(admission, count=intake.count, clock=clock)
        yield Edge(port, home, engine, store, board, admission, counting, callers, rights)
        await server.drain(1)
    await engine.dispose()


def _door(
    store: PostgresJobStore,
    intake: PostgresIntakeStore,
    new_jobs: NewJobs,
    references: References,
    admission: Admission,
) -> Door:
    clock = SystemClock()
    accepting = Batcher(store.accept, max_items=64, max_queue=5_000)
    known = Batcher(intake.known, max_items=64, max_queue=5_000)
    submission = Submission(accept=accepting.submit, clock=clock, hint=lambda lane: None)
    return Door(
        new_jobs=new_jobs,
        references=references,
        submission=Admitting(submission, admission=admission, clock=clock),
        known=known.submit,
    )


def _operations(engine: AsyncEngine, jobs: PostgresJobStore) -> OperationsApi:
    """The operators' service; there is no provider whose events a plan could ask for."""
    operations, plans = PostgresOperationsStore(engine), PostgresPlanStore(engine)
    notary = Notary(SigningKey.generate(), holder="hub", boot="boot", clock=SystemClock())
    no_lists: Any = None
    return OperationsApi(
        operating=Operating(
            operations,
            notary=notary,
            read=jobs.get,
            post=lambda job_id, ending=None: None,
            hint=lambda lane: None,
            moves_money=lambda operation: True,
        ),
        planning=Planning(
            plans,
            catalogue=Contracts(lambda provider, operation: False),
            lists=no_lists,
            notary=notary,
            new_id=lambda: str(uuid4()),
        ),
        reads=operations,
        plans=plans,
        alerts=PostgresAlertStore(engine),
        jobs=jobs,
        limits=dict,
    )


def _identities(home: Path) -> dict[str, Identity]:
    authority = CertificateAuthority.create(TRUST_DOMAIN)
    found = {}
    for key, (role, name) in {**CALLERS, "hub": ("hub", "hub"), "envoy": ("envoy", "edge")}.items():
        authority.issue(SpiffeId(TRUST_DOMAIN, role, name), home / key)
        found[key] = Identity.load(home / key)
    return found


def charge(request_id: str = "", *, minor_units: int = 100, **context: object) -> payments.ChargeRequest:
    """A sound request of tenant `acme`, changed by keyword; a new one unless its id is given."""
    fields = {"request_id": request_id or f"r-{secrets.token_hex(8)}", "tenant": "acme", **context}
    return payments.ChargeRequest(
        context=context_pb2.RequestContext(**fields),  # type: ignore[arg-type]
        amount=money_pb2.Money(minor_units=minor_units, currency_code="EUR"),
        payment_method="pm_card_visa",
    )


async def failure(call: object) -> grpc.aio.AioRpcError:
    """The error of a call that must fail."""
    try:
        await call  # type: ignore[misc]
    except grpc.aio.AioRpcError as error:
        return error
    raise AssertionError("the call did not fail")


async def refusal(call: object) -> tuple[grpc.StatusCode, ErrorDetails]:
    """Status and details of a call that must be refused with a reason."""
    error = await failure(call)
    details = details_of(error)
    assert details is not None, error
    return error.code(), details


async def check_refused(edge: Edge, method: str, data: bytes, field: str, *, caller: str = "acme") -> None:
    """Fails unless the bytes are refused for that field, at no cost."""
    before = await edge.stored()
    error = await failure(edge.callers[caller].raw(method, data))
    details = details_of(error)
    assert error.code() is INVALID, error
    assert details is not None
    assert field in {v.field for v in details.violations}
    assert not [word for word in INTERNALS if word in str(error.details())]
    assert await edge.stored() == before
    await edge.serves()
