"""The other side of a spoke: a hub that signs intents, a log that holds them, certificates, peers."""

import asyncio
import json
import os
import secrets
import socket
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import grpc
from aiohttp import web
from google.protobuf.message import Message

from integration.audit.v1 import log_pb2
from integration.spoke.v1 import spoke_service_pb2 as pb
from integration.spoke.v1 import spoke_service_pb2_grpc
from mesh.ca import CertificateAuthority, write_signing_key
from mesh.channel import open_channel
from mesh.clock import SystemClock
from mesh.evidence import dsse, merkle
from mesh.evidence import statement as said
from mesh.evidence.checkpoint import Checkpoint, Vkey, sign_checkpoint
from mesh.evidence.keys import SigningKey
from mesh.evidence.parse import parse_statement
from mesh.identity import Identity, SpiffeId
from spokes.kit import registry
from spokes.kit.server import SpokeServer
from spokes.kit.settings import Settings

DOMAIN = "integration.local"
ORIGIN = "integration.local/audit"
HUB = str(SpiffeId(DOMAIN, "hub", "hub"))


@dataclass
class Log:
    """An audit log of one batch at a time: its key, and the receipts that lead to its checkpoint."""

    key: SigningKey = field(default_factory=SigningKey.generate)

    def append(self, envelopes: Sequence[bytes]) -> tuple[bytes, list[log_pb2.Receipt]]:
        """A checkpoint over just these envelopes, and their receipts."""
        leaves = [merkle.leaf_hash(e) for e in envelopes]

        def read(node: merkle.Node) -> bytes:
            if node.level == 0:
                return leaves[node.offset]
            below = [merkle.Node(node.level - 1, node.offset * 2 + side) for side in (0, 1)]
            return merkle.node_hash(read(below[0]), read(below[1]))

        size = len(leaves)
        checkpoint = Checkpoint(ORIGIN, size, merkle.root_hash(size, read))
        receipts = [
            log_pb2.Receipt(
                index=index,
                leaf_hash=leaf,
                path=[merkle.range_hash(r, read) for r in merkle.inclusion_ranges(index, size)],
            )
            for index, leaf in enumerate(leaves)
        ]
        return sign_checkpoint(checkpoint, self.key), receipts


@dataclass
class Work:
    """One attempt to be made: what the hub would know of it."""

    operation: str
    request: Message
    job_id: str = field(default_factory=lambda: str(uuid4()))
    number: int = 1
    key: str = ""
    reference: str = ""
    account: str = "default"
    purpose: said.Purpose = "execute"
    trace: Mapping[str, str] = field(default_factory=dict)
    timeout: float = 0.0
    expire_at: datetime | None = None
    stated_at: datetime | None = None

    @property
    def attempt_id(self) -> str:
        """The attempt's id."""
        return f"{self.job_id}.{self.number}"


class HubSide:
    """Makes and sends batches as the hub does."""

    def __init__(self, provider: str, *, key: SigningKey, log: Log, channel: grpc.aio.Channel) -> None:
        self.provider = provider
        self.key = key
        self.log = log
        self.stub = spoke_service_pb2_grpc.SpokeServiceStub(channel)
        self.lane = f"{provider}/default"

    def batch(self, works: Sequence[Work], *, term: int = 1) -> dict[str, Any]:
        """The fields of an Execute or LookUp request."""
        attempts = [self._attempt(work) for work in works]
        intents = [self.intent(w, a, term=term) for w, a in zip(works, attempts, strict=True)]
        checkpoint, receipts = self.log.append(intents)
        for attempt, intent, receipt in zip(attempts, intents, receipts, strict=True):
            attempt.warrant.intent = intent
            attempt.warrant.receipt.CopyFrom(receipt)
        return {"lane": self.lane, "term": term, "checkpoint": checkpoint, "attempts": attempts}

    def intent(self, work: Work, attempt: pb.Attempt, *, term: int) -> bytes:
        """A signed intent."""
        service, _, method = work.operation.partition("/")
        statement = said.Intent(
            id=str(uuid4()),
            tenant="acme",
            t=said.timestamp(work.stated_at or datetime.now(UTC)),
            maker=said.Maker(HUB, "ab", 1),
            job=work.job_id,
            attempt=work.attempt_id,
            purpose="read"
            if work.purpose == "execute" and _is_read(self.provider, work.operation)
            else work.purpose,
            actor=said.Actor(f"spiffe://{DOMAIN}/core/demo"),
            op=said.Operation(self.provider, work.account, service, method),
            req=said.Body(
                said.commit(attempt.salt, attempt.request).hex(),
                len(attempt.request),
                work.request.DESCRIPTOR.full_name,
            ),
            term=term,
        )
        return dsse.seal(statement.payload(), self.key)

    async def execute(self, *works: Work, term: int = 1) -> list[pb.AttemptResult]:
        """Executes, or looks up, and returns the results in the order asked."""
        return await self.send(self.batch(works, term=term), works[0].purpose)

    async def send(self, fields: dict[str, Any], purpose: str = "execute") -> list[pb.AttemptResult]:
        """Sends a batch as it is."""
        if purpose == "look_up":
            call = self.stub.LookUp(pb.LookUpRequest(**fields), timeout=30)
        else:
            named = f"ATTEMPT_PURPOSE_{purpose.upper()}"
            call = self.stub.Execute(pb.ExecuteRequest(**fields, purpose=named), timeout=30)
        found = {result.attempt_id: result async for response in call for result in response.results}
        return [found[a.attempt_id] for a in fields["attempts"]]

    def _attempt(self, work: Work) -> pb.Attempt:
        attempt = pb.Attempt(
            attempt_id=work.attempt_id,
            job_id=work.job_id,
            operation=work.operation,
            account=work.account,
            request=work.request.SerializeToString(),
            salt=secrets.token_bytes(32),
            provider_key=work.key or f"key-{work.job_id}",
            provider_reference=work.reference,
            trace=work.trace,
        )
        attempt.job_create_time.FromDatetime(datetime.now(UTC))
        if work.expire_at is not None:
            attempt.expire_time.FromDatetime(work.expire_at)
        if work.timeout:
            attempt.timeout.FromSeconds(0)
            attempt.timeout.nanos = int(work.timeout % 1 * 1e9)
            attempt.timeout.seconds = int(work.timeout)
        return attempt


@dataclass
class Running:
    """A spoke that serves, and the hub's side of it."""

    server: SpokeServer
    hub: HubSide
    public: Any

    def evidence(self, result: pb.AttemptResult) -> said.Evidence:
        """The evidence of a result, its signature verified."""
        opened = dsse.open_envelope(result.evidence)
        dsse.verify(opened, self.public)
        statement = parse_statement(opened.payload)
        assert isinstance(statement, said.Evidence)
        return statement


def equip(name: str, accounts: Mapping[str, object], directory: Path) -> tuple[Log, SigningKey]:
    """Writes the files that a spoke is started with; returns the log and the hub's key."""
    authority = CertificateAuthority.create(DOMAIN)
    authority.issue(SpiffeId(DOMAIN, "spoke", name), directory / "spoke")
    authority.issue(SpiffeId(DOMAIN, "hub", "hub"), directory / "hub")
    log, hub_key = Log(), SigningKey.generate()
    write_signing_key(directory / "signing.pem")
    producers = [{"holder": HUB, "public_key": hub_key.public.to_base64()}]
    (directory / "producers.json").write_text(json.dumps(producers))
    (directory / "accounts.json").write_text(json.dumps(accounts))
    (directory / "log.vkey").write_text(str(Vkey(ORIGIN, log.key.public)))
    return log, hub_key


def environment(directory: Path, port: int, *, backend: str = "inline") -> dict[str, str]:
    """The environment of a spoke's process, after `equip`."""
    return {
        **os.environ,
        "SPOKE_LISTEN": f"127.0.0.1:{port}",
        "MESH_IDENTITY_DIR": str(directory / "spoke"),
        "MESH_PRODUCERS_FILE": str(directory / "producers.json"),
        "SPOKE_SIGNING_KEY_FILE": str(directory / "signing.pem"),
        "SPOKE_AUDIT_VKEY_FILE": str(directory / "log.vkey"),
        "SPOKE_ACCOUNTS_FILE": str(directory / "accounts.json"),
        "SPOKE_POOL_BACKEND": backend,
    }


@asynccontextmanager
async def serving(
    name: str,
    accounts: Mapping[str, object],
    directory: Path,
    *,
    backend: str = "inline",
    ray_address: str = "",
    otlp: str = "",
) -> AsyncIterator[Running]:
    """Starts a spoke's server on loopback and connects to it as the hub."""
    log, hub_key = equip(name, accounts, directory)
    settings = Settings(
        listen="127.0.0.1:0",
        identity_dir=directory / "spoke",
        signing_key_file=directory / "signing.pem",
        producers_file=directory / "producers.json",
        audit_vkey_file=directory / "log.vkey",
        accounts_file=directory / "accounts.json",
        pool_backend=backend,
        ray_address=ray_address,
        otlp_endpoint=otlp,
        drain_seconds=5.0,
    )
    server = SpokeServer(name, settings)
    port = await server.start()
    channel = open_channel(f"127.0.0.1:{port}", Identity.load(directory / "hub"), server_role="spoke")
    public = SigningKey.load(directory / "signing.pem").public
    try:
        yield Running(server, HubSide(name, key=hub_key, log=log, channel=channel), public)
    finally:
        await channel.close()
        await server.drain()


def account(base_url: str, **more: object) -> dict[str, object]:
    """An accounts file for one sandbox."""
    return {"default": {"base_url": base_url, "sandbox": True, "api_key": "sk_canary_0815", **more}}


def _is_read(name: str, operation: str) -> bool:
    spec = registry.manifest(name).operations.get(operation)
    return spec is not None and spec.operation.is_read


def operation(name: str, rpc: str) -> str:
    """The full name of a spoke's operation."""
    return next(full for full in registry.manifest(name).operations if full.endswith(f"/{rpc}"))


@asynccontextmanager
async def http_server(application: web.Application) -> AsyncIterator[str]:
    """Serves an application on loopback; gives its base URL."""
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = site._server.sockets[0].getsockname()[1]  # type: ignore[union-attr]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        await runner.cleanup()


def free_port() -> int:
    """A port that nobody holds just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@asynccontextmanager
async def process(*command: str, env: Mapping[str, str] | None = None, port: int) -> AsyncIterator[None]:
    """Runs a peer as a process of its own, from when its port answers until the block ends."""
    running = await asyncio.create_subprocess_exec(
        *command, env=env, stdout=sys.stderr, stderr=sys.stderr, start_new_session=True
    )
    try:
        await until_open(port)
        yield
    finally:
        running.terminate()
        await running.wait()


async def until_open(port: int, *, seconds: float = 30.0) -> None:
    """Returns when something accepts connections on a port of loopback."""
    clock = SystemClock()
    deadline = clock.monotonic() + seconds
    while True:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            assert clock.monotonic() < deadline, f"nothing answers on port {port}"
            await asyncio.sleep(0.05)
            continue
        writer.close()
        return
