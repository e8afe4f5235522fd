"""Secrets and personal data, planted everywhere, are found nowhere but in the request that was stored."""

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path

import aiohttp
import asyncpg
import grpc
import pytest
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2

from integration.common.v1 import context_pb2, money_pb2
from integration.jobs.v1 import job_pb2, jobs_service_pb2_grpc
from integration.jobs.v1 import jobs_service_pb2 as jobs
from integration.messaging.v1 import messaging_service_pb2 as messaging
from integration.messaging.v1 import messaging_service_pb2_grpc
from integration.payments.v1 import payments_service_pb2 as payments
from integration.payments.v1 import payments_service_pb2_grpc
from mesh.evidence import dsse
from mesh.evidence.errors import BadEnvelope
from mesh.identity import MESH_NAME
from tests.abuse.gossip import ALL, CANARIES, FAULTS, REFUSALS, gossiping
from tests.abuse.hearing import ECHO, JSON, STRIPE, Peer, trust
from tests.abuse.whole import Whole, running
from tests.e2e.otlp import Receiver
from tests.spokes.harness import account

TENANT = "acme"
SECRET = f"whsec_{CANARIES['webhook secret']}"
ENDED = {job_pb2.JOB_STATE_SUCCEEDED, job_pb2.JOB_STATE_DECLINED, job_pb2.JOB_STATE_DEAD}
# Where the contract wants the request itself, or the typed result that Core is to read.
ALLOWED_COLUMNS = {("job_body", "request")}


class RawReceiver(Receiver):
    """Keeps what arrives as it is."""

    raw = b""

    def Export(
        self, request: trace_service_pb2.ExportTraceServiceRequest, context: grpc.ServicerContext
    ) -> trace_service_pb2.ExportTraceServiceResponse:
        """Keeps the bytes too."""
        self.raw += request.SerializeToString()
        return super().Export(request, context)


@pytest.fixture
def otlp(monkeypatch: pytest.MonkeyPatch) -> Iterator[RawReceiver]:
    """Where every part sends its spans."""
    with RawReceiver() as receiver:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.endpoint)
        yield receiver


@pytest.fixture
async def urls(
    hub_urls: Mapping[str, str], audit_database: Mapping[str, str]
) -> AsyncIterator[Mapping[str, str]]:
    """Both databases; URLs by role."""
    yield {**hub_urls, **audit_database}


def context(provider: str) -> context_pb2.RequestContext:
    """A new request's context."""
    return context_pb2.RequestContext(
        request_id=f"r-{secrets.token_hex(8)}", tenant=TENANT, provider=provider, retry={"max_attempts": 1}
    )


class Core:
    """Core, which keeps all that it is told."""

    def __init__(self, whole: Whole) -> None:
        self._whole = whole
        self._payments = payments_service_pb2_grpc.PaymentsServiceStub(whole.core)
        self._messaging = messaging_service_pb2_grpc.MessagingServiceStub(whole.core)
        self._jobs = jobs_service_pb2_grpc.JobsServiceStub(whole.core)
        self.told = ""

    async def charge(self, provider: str, method: str) -> None:
        """Charges with personal data in each field that takes some."""
        request = payments.ChargeRequest(
            context=context(provider),
            amount=money_pb2.Money(minor_units=100, currency_code="EUR"),
            payment_method=method,
            customer_id=CANARIES["IBAN"],
        )
        await self._ask(self._payments.Charge, request)

    async def send(self) -> None:
        """Sends a letter."""
        request = messaging.SendEmailRequest(
            context=context("smtp"),
            to_addresses=[CANARIES["e-mail"]],
            subject=CANARIES["name"],
            text_body=ALL,
        )
        await self._ask(self._messaging.SendEmail, request)

    async def err(self) -> None:
        """Sends requests that are refused, with personal data where it does harm."""
        bad = messaging.SendEmailRequest(context=context("smtp"), to_addresses=[ALL], subject=f"{ALL}\n")
        await self._ask(self._messaging.SendEmail, bad)
        for method in (f"pm {ALL}", f"{CANARIES['card number']}\r\n"):
            await self.charge("echo", method)
        bad.context.labels[CANARIES["e-mail"]] = ALL
        await self._ask(self._messaging.SendEmail, bad)
        await self._ask(self._jobs.ListJobs, jobs.ListJobsRequest(tenant=TENANT, page_token=ALL[:128]))

    async def _ask(self, method: object, request: object) -> None:
        metadata = [("authorization", f"Bearer {CANARIES['JWT']}"), ("baggage", f"jwt={CANARIES['JWT']}")]
        try:
            answer = await method(request, timeout=15, metadata=metadata)  # type: ignore[operator]
        except grpc.aio.AioRpcError as error:
            self.told += f"{error.details()} {error.trailing_metadata()} {error.debug_error_string()}"
            return
        if hasattr(answer, "job"):
            job = await self._whole.ended(TENANT, answer.job.job_id)
            self.told += f"{job.reason} {job.message} {job.provider_reference} {job}"


async def deliver(whole: Whole, peer: Peer) -> None:
    """Webhooks that talk, honest and forged."""
    envoy = trust(whole.home / "envoy")
    url = f"https://127.0.0.1:{whole.webhook_port}{peer.path}?token={CANARIES['JWT']}"
    bodies = [
        peer.event("x", "evt_1", description=ALL),
        peer.event("x", "evt_2", data={"reference": ALL, "object": ALL}),
        peer.event("x", "evt_3", type=f"payment.{CANARIES['card number']}{ALL}"),
        b'{"not": "an event", "but": "' + ALL.encode() + b'"}',
        ALL.encode(),
    ]
    async with aiohttp.ClientSession() as client:
        for body in bodies:
            for signed in (peer.sign(body, "evt_9", secret=SECRET), {"webhook-signature": ALL}):
                headers = {**JSON, **signed, "authorization": CANARIES["JWT"], "x-customer": ALL}
                async with client.post(
                    url, data=body, headers=headers, ssl=envoy, server_hostname=MESH_NAME
                ) as answer:
                    assert await answer.read() == b""


async def columns(url: str) -> AsyncIterator[tuple[str, str, bytes]]:
    """Every value of a database: table, column, bytes."""
    connection = await asyncpg.connect(url.replace("+asyncpg", ""))
    tables = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    for (table,) in tables:
        for row in await connection.fetch(f"SELECT * FROM {table}"):
            for column, value in row.items():
                yield table, column, value if isinstance(value, bytes) else str(value).encode()
    await connection.close()


def named(text: bytes) -> list[str]:
    """The canaries in a text, also where it is an envelope of the log."""
    with contextlib.suppress(BadEnvelope):
        text += dsse.open_envelope(text).payload
    return [name for name, canary in CANARIES.items() if canary.encode() in text]


async def test_nothing_that_was_planted_is_found_in_any_sink(
    urls: Mapping[str, str], tmp_path: Path, otlp: RawReceiver, capfd: pytest.CaptureFixture[str]
) -> None:
    async with gossiping() as (api, mail):
        accounts = {
            "echo": account(api, api_key=CANARIES["api key"], webhook_secrets=[SECRET]),
            "stripe": account(api, api_key=CANARIES["api key"], webhook_secrets=[SECRET]),
            "smtp": account(mail, api_key=CANARIES["api key"], from_address="shop@example.com"),
        }
        async with running(tmp_path, urls, accounts) as whole:
            core = Core(whole)
            for ways in ((*REFUSALS, CANARIES["card number"]), FAULTS):
                await asyncio.gather(*(core.charge(name, way) for name in ("echo", "stripe") for way in ways))
            await core.send()
            await core.err()
            for peer in (ECHO, STRIPE):
                await deliver(whole, peer)
            await break_store(urls["hub_owner"], core)
    logs = "".join(capfd.readouterr())
    found = {
        "logs": named(logs.encode()),
        "spans": named(otlp.raw),
        "answers": named(core.told.encode()),
    }
    stored = 0
    for role in ("hub_owner", "audit_owner"):
        async for table, column, value in columns(urls[role]):
            stored += 1
            if (table, column) not in ALLOWED_COLUMNS and named(value):
                found[f"{table}.{column}"] = named(value)
    assert {sink: canaries for sink, canaries in found.items() if canaries} == {}
    # And the search itself would have found something.
    assert "webhook not taken" in logs
    assert "internal error" in logs
    assert "CARD_DECLINED" in core.told
    assert "SMTP_550" in core.told
    assert b"dispatch" in otlp.raw
    assert stored > 1000


async def break_store(owner_url: str, core: Core) -> None:
    """Lets a request meet a store that cannot take it."""
    connection = await asyncpg.connect(owner_url.replace("+asyncpg", ""))
    await connection.execute("ALTER TABLE request_key RENAME TO gone")
    await core.charge("echo", "pm_good")
    await connection.execute("ALTER TABLE gone RENAME TO request_key")
    await connection.close()
