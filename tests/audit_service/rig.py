"""A whole audit service in the test's process, with its certificates, keys and callers."""

import json
import uuid
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import grpc
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audit_service.app import Audit
from audit_service.settings import Settings
from integration.audit.v1 import audit_service_pb2 as pb
from integration.audit.v1 import audit_service_pb2_grpc as rpc
from integration.audit.v1 import log_pb2
from local.stack.postgres import Server
from mesh.ca import CertificateAuthority
from mesh.channel import open_channel
from mesh.evidence import statement as said
from mesh.evidence.checkpoint import Vkey
from mesh.evidence.dsse import seal
from mesh.evidence.keys import SigningKey
from mesh.identity import Identity, SpiffeId
from mesh.settings import Environment

DOMAIN = "integration.local"
HUB = f"spiffe://{DOMAIN}/hub/hub"
SPOKE = f"spiffe://{DOMAIN}/spoke/stripe"
ORIGIN = "audit.integration.local/test"
T = said.timestamp(datetime(2026, 1, 2, tzinfo=UTC))
OP = said.Operation("stripe", "default", "integration.payments.v1.PaymentsService", "Charge")
ROLES = (("audit", "audit"), ("hub", "hub"), ("operator", "cli"), ("core", "demo"))


def write_key(path: Path) -> SigningKey:
    """Makes a key and its PEM file."""
    pem = Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(pem)
    return SigningKey.load(path)


def intent(job: str, number: int = 1, **changes: object) -> said.Intent:
    """An intent of the hub."""
    whole = said.Intent(
        id=str(uuid.uuid4()),
        tenant="acme",
        t=T,
        maker=said.Maker(HUB, "ab", 1),
        job=job,
        attempt=f"{job}.{number}",
        purpose="execute",
        actor=said.Actor(f"spiffe://{DOMAIN}/core/demo"),
        op=OP,
        req=said.Body("ab" * 32, 120, "integration.payments.v1.ChargeRequest"),
        term=3,
    )
    return replace(whole, **changes)  # type: ignore[arg-type]


def evidence(job: str, receipt: log_pb2.Receipt, number: int = 1, **changes: object) -> said.Evidence:
    """Evidence of the spoke for an intent with that receipt."""
    whole = said.Evidence(
        t=T,
        maker=said.Maker(SPOKE, "cd", 1),
        job=job,
        attempt=f"{job}.{number}",
        purpose="execute",
        op=OP,
        intent=said.IntentRef(receipt.index, receipt.leaf_hash.hex()),
        res=said.Result("succeeded", T, "reply_read", provider_ref="ch_1", commit="ef" * 32, size=10),
        tenant="acme",
    )
    return replace(whole, **changes)  # type: ignore[arg-type]


def confirmation(job: str, event: str = "evt_1") -> said.Confirmation:
    """A confirmation of the spoke."""
    return said.Confirmation(
        t=T,
        maker=said.Maker(SPOKE, "cd", 2),
        job=job,
        op=said.Operation("stripe", "default"),
        event=said.Event(event, "charge.succeeded"),
        body=said.Body("01" * 32, 20),
        res=said.Settled("succeeded", "", "ch_1"),
    )


@dataclass
class Rig:
    """Files and keys that outlive the service's restarts."""

    directory: Path
    urls: Mapping[str, str]
    server: Server
    hub: SigningKey = field(init=False)
    spoke: SigningKey = field(init=False)
    log_key: SigningKey = field(init=False)

    def __post_init__(self) -> None:
        authority = CertificateAuthority.create(DOMAIN)
        for role, name in ROLES:
            authority.issue(SpiffeId(DOMAIN, role, name), self.directory / role)
        self.hub, self.spoke = write_key(self.directory / "hub.pem"), write_key(self.directory / "spoke.pem")
        self.log_key = write_key(self.directory / "log.pem")
        (self.directory / "log.vkey").write_text(f"{self.vkey}\n")
        write_key(self.directory / "signing.pem")
        self.write_producers({HUB: self.hub, SPOKE: self.spoke})

    def write_producers(self, producers: Mapping[str, SigningKey]) -> None:
        """Says who the producers are, from the next start on."""
        rows = [{"holder": holder, "public_key": key.public.to_base64()} for holder, key in producers.items()]
        (self.directory / "producers.json").write_text(json.dumps(rows))

    def as_superuser(self, script: str) -> str:
        """Runs SQL that no role of the service could."""
        name = self.urls["audit_owner"].rpartition("/")[2]
        return self.server.run(script, database=name)

    @property
    def vkey(self) -> Vkey:
        """The log's verifier key."""
        return Vkey(ORIGIN, self.log_key.public)

    @property
    def mark(self) -> Path:
        """The high-water mark's file."""
        return self.directory / "mark" / "high-water"

    def block_mark(self) -> None:
        """Makes the mark's file one that cannot be written."""
        self.mark.rename(self.mark.with_name("aside"))
        self.mark.mkdir()

    def unblock_mark(self) -> None:
        """Puts the mark's file back."""
        self.mark.rmdir()
        self.mark.with_name("aside").rename(self.mark)

    def environment(self, **changes: str) -> dict[str, str]:
        """The service's environment."""
        self.mark.parent.mkdir(exist_ok=True)
        return {
            "AUDIT_LISTEN": "127.0.0.1:0",
            "AUDIT_DATABASE_URL": self.urls["audit_writer"],
            "AUDIT_READER_DATABASE_URL": self.urls["audit_reader"],
            "AUDIT_OWNER_DATABASE_URL": self.urls["audit_owner"],
            "AUDIT_ORIGIN": ORIGIN,
            "AUDIT_LOG_KEY_FILE": str(self.directory / "log.pem"),
            "AUDIT_SIGNING_KEY_FILE": str(self.directory / "signing.pem"),
            "AUDIT_HIGH_WATER_FILE": str(self.mark),
            "MESH_IDENTITY_DIR": str(self.directory / "audit"),
            "MESH_PRODUCERS_FILE": str(self.directory / "producers.json"),
            **changes,
        }

    def audit(self, *, accept_missing_mark: bool = False, **changes: str) -> Audit:
        """A service that has not started."""
        settings = Settings.read(Environment(self.environment(**changes)))
        return Audit(settings, accept_missing_mark=accept_missing_mark)

    @asynccontextmanager
    async def running(self, *, accept_missing_mark: bool = False, **changes: str) -> AsyncIterator["Callers"]:
        """A service that runs for the block, and its callers."""
        audit = self.audit(accept_missing_mark=accept_missing_mark, **changes)
        try:
            port = await audit.start()
            async with self.callers(port) as callers:
                yield callers
        finally:
            await audit.drain()

    @asynccontextmanager
    async def callers(self, port: int) -> AsyncIterator["Callers"]:
        """The callers of a service at a port."""
        channels = {
            role: open_channel(f"127.0.0.1:{port}", Identity.load(self.directory / role), server_role="audit")
            for role in ("hub", "operator", "core")
        }
        yield Callers(self, channels)
        for channel in channels.values():
            await channel.close()


@dataclass
class Callers:
    """Those who call the service: the hub, an operator, and Core, which may not."""

    rig: Rig
    channels: Mapping[str, grpc.aio.Channel]

    def stub(self, role: str) -> rpc.AuditServiceStub:
        """The service as the role sees it."""
        return rpc.AuditServiceStub(self.channels[role])

    def sealed(self, statement: said.Statement) -> bytes:
        """The statement's envelope, signed by the one who makes it."""
        key = self.rig.hub if statement.maker.id == HUB else self.rig.spoke
        return seal(statement.payload(), key)

    async def append(self, *envelopes: bytes, last_size: int = 0) -> pb.AppendResponse:
        """Appends as the hub."""
        request = pb.AppendRequest(envelopes=envelopes, last_size=last_size)
        return await self.stub("hub").Append(request, timeout=20)

    async def receipts(self, *statements: said.Statement) -> list[log_pb2.Receipt]:
        """Appends statements, none of which may be refused."""
        response = await self.append(*map(self.sealed, statements))
        assert not [result.refusal for result in response.results if result.HasField("refusal")]
        return [result.receipt for result in response.results]

    async def attempt(self, job: str, number: int = 1) -> log_pb2.Receipt:
        """Appends an intent and its evidence."""
        (receipt,) = await self.receipts(intent(job, number))
        (answer,) = await self.receipts(evidence(job, receipt, number))
        return answer

    async def bundle(self, job: str) -> bytes:
        """Exports a job as the operator."""
        request = pb.ExportBundleRequest(job_id=job)
        pieces = [piece.chunk async for piece in self.stub("operator").ExportBundle(request)]
        assert all(0 < len(piece) <= 65_536 for piece in pieces)
        return b"".join(pieces)

    async def findings(self) -> list[str]:
        """Checks the whole log as the operator."""
        reports = [report async for report in self.stub("operator").CheckLog(pb.CheckLogRequest())]
        assert [report.done for report in reports] == [*[False] * (len(reports) - 1), True]
        return [finding for report in reports for finding in report.findings]


def new_job() -> str:
    """A new job's id."""
    return str(uuid.uuid4())


def reasons(response: pb.AppendResponse) -> Sequence[str]:
    """The reason of each refusal, empty where there is a receipt."""
    names = log_pb2.RefusalReason
    return [
        names.Name(result.refusal.reason).removeprefix("REFUSAL_REASON_")
        if result.HasField("refusal")
        else ""
        for result in response.results
    ]
