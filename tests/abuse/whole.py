"""The hub, the log and the spokes, real in every part, all in this process."""

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import grpc

from audit_service.app import Audit
from audit_service.settings import Settings as AuditSettings
from hub import settings as hub_settings
from hub.app import Hub
from integration.jobs.v1 import job_pb2, jobs_service_pb2_grpc
from integration.jobs.v1 import jobs_service_pb2 as jobs
from mesh.ca import CertificateAuthority, public_key_text, write_signing_key
from mesh.channel import open_channel
from mesh.evidence.checkpoint import Vkey
from mesh.evidence.keys import SigningKey
from mesh.identity import Identity, SpiffeId
from mesh.settings import Environment
from spokes.kit import settings as spoke_settings
from spokes.kit.server import SpokeServer
from tests.spokes.harness import DOMAIN, ORIGIN, free_port

OPERATORS = ("ana", "luis")

Accounts = Mapping[str, Mapping[str, object]]


@dataclass
class Whole:
    """What runs, and Core's way in."""

    home: Path
    core: grpc.aio.Channel
    webhook_port: int
    operators: Mapping[str, grpc.aio.Channel]
    audit: grpc.aio.Channel
    environment: Mapping[str, str]

    @asynccontextmanager
    async def replica(self, roles: str) -> AsyncIterator[grpc.aio.Channel]:
        """Core's way in by another replica of the hub."""
        listen = f"127.0.0.1:{free_port()}"
        environment = {
            **self.environment,
            "HUB_ROLES": roles,
            "HUB_LISTEN": listen,
            "HUB_WEBHOOK_LISTEN": f"127.0.0.1:{free_port()}",
        }
        hub = Hub(hub_settings.load(Environment(environment)))
        await hub.start()
        async with open_channel(listen, Identity.load(self.home / "core")) as core:
            yield core
        await hub.drain()

    async def ended(self, tenant: str, job_id: str) -> job_pb2.Job:
        """The job once it has settled or its wait is over."""
        stub = jobs_service_pb2_grpc.JobsServiceStub(self.core)
        request = jobs.WaitJobRequest(tenant=tenant, job_id=job_id)
        request.timeout.FromSeconds(4)
        return (await stub.WaitJob(request, timeout=15)).job


@asynccontextmanager
async def running(
    home: Path,
    urls: Mapping[str, str],
    accounts: Accounts,
    *,
    rights: Mapping[str, Mapping[str, object]] | None = None,
) -> AsyncIterator[Whole]:
    """Starts everything; `urls` by role, `accounts` by spoke, `rights` of tenants that have an entry."""
    _papers(home, list(accounts), rights or {})
    async with AsyncExitStack() as stack:
        audit = Audit(AuditSettings.read(Environment(_audit(home, urls))))
        audit_port = await audit.start()
        stack.push_async_callback(audit.drain)
        spokes = []
        for name, account in accounts.items():
            (home / f"{name}.json").write_text(json.dumps(account))
            server = SpokeServer(name, spoke_settings.load(Environment(_spoke(home, name))))
            port = await server.start()
            stack.push_async_callback(server.drain)
            spokes.append({"name": name, "address": f"127.0.0.1:{port}", "authority": ""})
        (home / "spokes.json").write_text(json.dumps(spokes))
        port, webhook_port = free_port(), free_port()
        environment = _hub(home, urls, audit_port) | {
            "HUB_LISTEN": f"127.0.0.1:{port}",
            "HUB_WEBHOOK_LISTEN": f"127.0.0.1:{webhook_port}",
        }
        hub = Hub(hub_settings.load(Environment(environment)))
        await hub.start()
        stack.push_async_callback(hub.drain)
        core = open_channel(f"127.0.0.1:{port}", Identity.load(home / "core"))
        operators = {
            name: await stack.enter_async_context(
                open_channel(f"127.0.0.1:{port}", Identity.load(home / f"operator-{name}"))
            )
            for name in OPERATORS
        }
        reader = Identity.load(home / f"operator-{OPERATORS[0]}")
        audit_channel = open_channel(f"127.0.0.1:{audit_port}", reader, server_role="audit")
        yield Whole(
            home,
            await stack.enter_async_context(core),
            webhook_port,
            operators,
            await stack.enter_async_context(audit_channel),
            environment,
        )


def _papers(home: Path, spokes: Sequence[str], entries: Mapping[str, Mapping[str, object]]) -> None:
    authority = CertificateAuthority.create(DOMAIN)
    for role, name in (("audit", "audit"), ("hub", "hub"), ("core", "demo"), ("envoy", "edge")):
        authority.issue(SpiffeId(DOMAIN, role, name), home / role)
    for name in OPERATORS:
        authority.issue(SpiffeId(DOMAIN, "operator", name), home / f"operator-{name}")
    for name in spokes:
        authority.issue(SpiffeId(DOMAIN, "spoke", name), home / f"spoke-{name}")
    for key in ("log", "audit", "hub", *(f"spoke-{name}" for name in spokes)):
        write_signing_key(home / "keys" / f"{key}.pem")
    holders = {"hub": ("hub", "hub"), **{f"spoke-{name}": ("spoke", name) for name in spokes}}
    producers = [
        {
            "holder": str(SpiffeId(DOMAIN, *holder)),
            "public_key": public_key_text(home / "keys" / f"{key}.pem"),
        }
        for key, holder in holders.items()
    ]
    (home / "producers.json").write_text(json.dumps(producers))
    public = SigningKey.load(home / "keys" / "log.pem").public
    (home / "log.vkey").write_text(str(Vkey(ORIGIN, public)))
    callers = {str(SpiffeId(DOMAIN, "core", "demo")): ["*"]}
    rights = {"*": {"accounts": [f"{name}/*" for name in spokes]}, **entries}
    (home / "tenants.json").write_text(json.dumps({"callers": callers, "tenants": rights}))
    (home / "mark").mkdir()


def _common(home: Path, identity: str) -> dict[str, str]:
    return {
        "MESH_IDENTITY_DIR": str(home / identity),
        "MESH_PRODUCERS_FILE": str(home / "producers.json"),
    }


def _audit(home: Path, urls: Mapping[str, str]) -> dict[str, str]:
    return _common(home, "audit") | {
        "AUDIT_LISTEN": "127.0.0.1:0",
        "AUDIT_DATABASE_URL": urls["audit_writer"],
        "AUDIT_READER_DATABASE_URL": urls["audit_reader"],
        "AUDIT_ORIGIN": ORIGIN,
        "AUDIT_LOG_KEY_FILE": str(home / "keys" / "log.pem"),
        "AUDIT_SIGNING_KEY_FILE": str(home / "keys" / "audit.pem"),
        "AUDIT_HIGH_WATER_FILE": str(home / "mark" / "high-water"),
    }


def _spoke(home: Path, name: str) -> dict[str, str]:
    return _common(home, f"spoke-{name}") | {
        "SPOKE_LISTEN": "127.0.0.1:0",
        "SPOKE_SIGNING_KEY_FILE": str(home / "keys" / f"spoke-{name}.pem"),
        "SPOKE_AUDIT_VKEY_FILE": str(home / "log.vkey"),
        "SPOKE_ACCOUNTS_FILE": str(home / f"{name}.json"),
        "SPOKE_POOL_BACKEND": "inline",
    }


def _hub(home: Path, urls: Mapping[str, str], audit_port: int) -> dict[str, str]:
    return _common(home, "hub") | {
        "HUB_DATABASE_URL": urls["hub_rw"],
        "HUB_AUDIT_ADDRESS": f"127.0.0.1:{audit_port}",
        "HUB_AUDIT_VKEY_FILE": str(home / "log.vkey"),
        "HUB_SPOKES_FILE": str(home / "spokes.json"),
        "HUB_SIGNING_KEY_FILE": str(home / "keys" / "hub.pem"),
        "HUB_TENANTS_FILE": str(home / "tenants.json"),
    }
