"""The hub's webhook listener with real spokes behind it, and the providers that call it."""

import hashlib
import hmac
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp
import orjson
from aiohttp import web
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from yarl import URL

from hub.database.engine import open_engine
from hub.events.api import Webhooks
from hub.events.arrivals import Arrivals
from hub.events.model import WebhookRules
from hub.events.store import PostgresEventStore
from hub.jobs.model import JobState, NewJob
from hub.jobs.store import PostgresJobStore
from hub.peers.agreeing import compare
from hub.peers.outcomes import outcome_from_bytes
from hub.peers.spokes import SpokeAddress, SpokeDirectory
from integration.common.v1.money_pb2 import Money
from integration.payments.v1.payments_service_pb2 import ChargeRequest
from mesh.ca import CertificateAuthority
from mesh.channel import open_channel
from mesh.clock import SystemClock
from mesh.identity import AUTHORITY, CERTIFICATE, KEY, MESH_NAME, Identity, SpiffeId
from mesh.settings import Environment
from mesh.telemetry import Telemetry
from spokes.kit import registry
from spokes.kit import settings as spoke_settings
from spokes.kit.server import SpokeServer
from spokes.kit.webhooks import sign_standard
from tests.hub.jobs import new_job
from tests.spokes.harness import DOMAIN, account, environment, equip

NOWHERE = "http://127.0.0.1:9"
# What the specimens' events speak of.
_ASKED = ChargeRequest(amount=Money(minor_units=1250, currency_code="EUR"), payment_method="pm_1")
JSON = {"content-type": "application/json"}
AS_USUAL = WebhookRules(frozenset({"POST"}), frozenset({"application/json"}), max_bytes=256 << 10, room=64)


@dataclass(frozen=True)
class Peer:
    """A provider: its spoke's name, and how it says things."""

    name: str

    @property
    def secrets(self) -> tuple[str, str]:
        """The two live secrets."""
        return registry.specimen(self.name).webhook_secrets

    @property
    def path(self) -> str:
        """Where it calls."""
        return f"/webhooks/{self.name}/default"

    def event(self, job_id: str, event_id: str, *, state: str = "succeeded", **changes: object) -> bytes:
        """An event about a job's payment."""
        whole: dict[str, Any] = orjson.loads(registry.specimen(self.name).webhook)
        if self.name == "echo":
            payment = whole["data"]
            payment["reference"], payment["state"] = job_id, _ECHO.get(state, state)
            whole["type"] = f"payment.{payment['state']}"
        else:
            payment = whole["data"]["object"]
            payment["metadata"], payment["status"] = {"job_id": job_id}, _STRIPE.get(state, state)
            whole["type"] = f"payment_intent.{_STRIPE_TYPES.get(state, state)}"
        return orjson.dumps({**whole, "id": event_id, **changes})

    def thing(self, event: dict[str, Any]) -> dict[str, Any]:
        """The payment in an event."""
        found: dict[str, Any] = event["data"] if self.name == "echo" else event["data"]["object"]
        return found

    def sign(self, body: bytes, event_id: str, *, secret: str = "", seconds: int = 0) -> dict[str, str]:
        """The headers of a delivery signed so many seconds from now."""
        at = int(SystemClock().now().timestamp()) + seconds
        key = secret or self.secrets[0]
        if self.name == "echo":
            return sign_standard(secret=key, message_id=event_id, signed_at=at, body=body)
        signature = hmac.digest(key.encode(), b"%d.%b" % (at, body), hashlib.sha256).hex()
        return {"stripe-signature": f"t={at},v1={signature}"}


@cache
def trust(identity: Path) -> ssl.SSLContext:
    """How the holder of an identity connects."""
    context = ssl.create_default_context(cafile=identity / AUTHORITY)
    context.load_cert_chain(identity / CERTIFICATE, identity / KEY)
    return context


_ECHO = {"succeeded": "captured", "pending": "pending", "failed": "failed"}
_STRIPE = {"succeeded": "succeeded", "pending": "processing", "failed": "requires_payment_method"}
_STRIPE_TYPES = {"succeeded": "succeeded", "pending": "processing", "failed": "payment_failed"}
ECHO, STRIPE = Peer("echo"), Peer("stripe")


@asynccontextmanager
async def speaking(home: Path) -> AsyncIterator[SpokeDirectory]:
    """The spokes of all peers, each in this process; gives the hub's directory of them."""
    addresses, stack = [], AsyncExitStack()
    async with stack:
        for peer in (ECHO, STRIPE):
            directory = home / peer.name
            directory.mkdir()
            equip(peer.name, account(NOWHERE, webhook_secrets=list(peer.secrets)), directory)
            settings = spoke_settings.load(Environment(environment(directory, 0)))
            server = SpokeServer(peer.name, settings)
            addresses.append(SpokeAddress(peer.name, f"127.0.0.1:{await server.start()}", ""))
            stack.push_async_callback(server.drain)
        spokes = SpokeDirectory(
            addresses,
            open_channel=lambda a: open_channel(
                a.address, Identity.load(home / a.name / "hub"), server_role="spoke"
            ),
            telemetry=Telemetry(None),
        )
        for peer in (ECHO, STRIPE):
            assert await spokes.describe(peer.name)
        stack.push_async_callback(spokes.close)
        yield spokes


class Answer(NamedTuple):
    """What the listener said."""

    status: int
    body: bytes
    headers: Mapping[str, str]


@dataclass
class Listener:
    """The running listener, and the providers' way to it."""

    home: Path
    port: int
    engine: AsyncEngine
    events: PostgresEventStore
    jobs: PostgresJobStore
    client: aiohttp.ClientSession
    settled: list[str] = field(default_factory=list)

    def trust(self, role: str = "envoy") -> ssl.SSLContext:
        """How one of the roles connects."""
        return trust(self.home / role)

    async def post(
        self, path: str, body: Any, headers: Mapping[str, str], *, role: str = "envoy", **options: Any
    ) -> Answer:
        """One delivery, as JSON unless the headers say otherwise."""
        return await self.call("POST", path, {**JSON, **headers}, role=role, data=body, **options)

    async def call(
        self, method: str, path: str, headers: Mapping[str, str], *, role: str = "envoy", **options: Any
    ) -> Answer:
        """One request, its path and query byte for byte."""
        async with self.client.request(
            method,
            URL(f"https://127.0.0.1:{self.port}{path}", encoded=True),
            headers=headers,
            ssl=self.trust(role),
            server_hostname=MESH_NAME,
            **options,
        ) as response:
            return Answer(response.status, await response.read(), response.headers)

    async def deliver(self, peer: Peer, body: bytes, event_id: str, **signing: Any) -> int:
        """The status of one well signed delivery."""
        return (await self.post(peer.path, body, peer.sign(body, event_id, **signing))).status

    async def kept(self) -> int:
        """How many events are in the store."""
        return int(await self.value("SELECT count(*) FROM webhook_event"))

    async def handled(self, event_id: str) -> str:
        """What was done with an event; `held` while nothing was."""
        statement = "SELECT handled FROM webhook_event WHERE event_id = :id"
        return str(await self.value(statement, id=event_id)) or "held"

    async def value(self, statement: str, **values: object) -> Any:
        """The first value that a statement gives."""
        async with self.engine.connect() as connection:
            return (await connection.execute(text(statement), values)).scalar()

    async def state(self, job: NewJob) -> JobState | None:
        """Where a job stands."""
        found = await self.jobs.get(job.job_id)
        return found.state if found else None

    async def waiting_job(
        self, peer: Peer, number: int, *, claimed_term: int = 0, reference: str = ""
    ) -> NewJob:
        """A job that waits for the provider's confirmation, perhaps with its owner at work on it."""
        job = new_job(number)
        job = replace(job, provider=peer.name, work=replace(job.work, request=_ASKED.SerializeToString()))
        await self.jobs.accept([job])
        async with self.engine.begin() as connection:
            statement = (
                "UPDATE job SET state = :s, due_at = NULL, claimed_term = :t, provider_reference = :r"
                " WHERE job_id = CAST(:id AS uuid)"
            )
            state = int(JobState.WAITING_CONFIRMATION)
            values = {"s": state, "t": claimed_term, "id": job.job_id, "r": reference}
            await connection.execute(text(statement), values)
        return job


@asynccontextmanager
async def listening(
    urls: Mapping[str, str], home: Path, spokes: Any, *, store: Any = None, **options: Any
) -> AsyncIterator[Listener]:
    """Opens the listener on a free port."""
    authority = CertificateAuthority.create(DOMAIN)
    for role in ("hub", "envoy", "core"):
        authority.issue(SpiffeId(DOMAIN, role, role), home / role)
    engine = open_engine(urls["hub_rw"])
    events = PostgresEventStore(engine, outcome_from_bytes, compare)
    settled: list[str] = []
    telemetry = Telemetry(None)
    arrivals = Arrivals(
        spokes=spokes,
        store=store or events,
        telemetry=telemetry,
        settled=lambda job_id, lane: settled.append(job_id),
    )
    webhooks = Webhooks(arrivals, clock=SystemClock(), telemetry=telemetry, **options)
    runner = webhooks.runner()
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=Identity.load(home / "hub").ssl_context()).start()
    port = runner.addresses[0][1]
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(20)) as client:
        yield Listener(home, port, engine, events, PostgresJobStore(engine), client, settled)
    await runner.cleanup()
    await engine.dispose()
