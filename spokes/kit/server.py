"""A spoke's process: the composition root."""

import asyncio
import logging
import secrets
import signal
from collections.abc import Mapping
from typing import Final

from grpc import StatusCode

from integration.spoke.v1 import spoke_service_pb2_grpc
from mesh.evidence.checkpoint import Vkey
from mesh.evidence.keys import SigningKey, load_producers
from mesh.identity import Identity
from mesh.process_clock import process_clock
from mesh.server import MIB, MeshServer
from mesh.telemetry import Telemetry
from spokes.kit import errors, registry
from spokes.kit.attempts import Attempts
from spokes.kit.errors import OWN
from spokes.kit.evidence import Notary
from spokes.kit.inline import Pool, Recipe
from spokes.kit.manifest import limited
from spokes.kit.performing import Performing
from spokes.kit.pool import make_pool
from spokes.kit.servicer import SpokeServicer
from spokes.kit.settings import Settings
from spokes.kit.warrant import Warrants

DOMAIN: Final = "spokes.integration"
MAX_BATCH_BYTES: Final = 4 * MIB

STATUSES: Final[Mapping[type[Exception], StatusCode]] = {
    errors.UnknownAccount: StatusCode.INVALID_ARGUMENT,
    errors.NotOffered: StatusCode.UNIMPLEMENTED,
    errors.WarrantRefused: StatusCode.FAILED_PRECONDITION,
    errors.ListRefused: StatusCode.FAILED_PRECONDITION,
    errors.WebhookRefused: StatusCode.UNAUTHENTICATED,
    errors.ProviderUnavailable: StatusCode.UNAVAILABLE,
    errors.PoolOverloaded: StatusCode.RESOURCE_EXHAUSTED,
}

_log = logging.getLogger(__name__)


class SpokeServer:
    """One spoke, serving. `start` returns its port when it is ready."""

    def __init__(self, name: str, settings: Settings) -> None:
        self._name = name
        self._settings = settings
        self._boot = secrets.token_hex(8)
        self._telemetry = Telemetry.start(name, self._boot, own=OWN)
        self._performing, self._server = self._compose()

    @property
    def pool(self) -> Pool:
        """The pool, which says where its processes are."""
        return self._performing.pool

    async def start(self) -> int:
        """Starts the pool, then serves; returns the port."""
        await self.pool.start()
        port = await self._server.serve(self._settings.listen)
        await self._server.set_ready(True)
        pids = self.pool.actor_pids()
        _log.info("spoke ready", extra={"spoke": self._name, "port": port, "actor_pids": pids})
        return port

    async def drain(self) -> None:
        """Takes no more, lets what has begun end, then ends the actors."""
        await self._server.drain(self._settings.drain_seconds)
        await self._performing.drain(self._settings.drain_seconds)
        await self.pool.close()
        self._telemetry.shutdown()

    def _compose(self) -> tuple[Performing, MeshServer]:
        settings, clock = self._settings, process_clock
        manifest = registry.manifest(self._name)
        # Here too, so that a mistake stops the start, not the first attempt.
        accounts = registry.accounts(self._name, registry.build(self._name), settings.accounts_file)
        manifest = limited(manifest, {name: account.limits for name, account in accounts.items()})
        identity = Identity.load(settings.identity_dir)
        producers = load_producers(settings.producers_file)
        vkey = Vkey.parse(settings.audit_vkey_file.read_text())
        recipe = Recipe(self._name, str(settings.accounts_file.resolve()), self._boot, settings.otlp_endpoint)
        performing = Performing(
            manifest=manifest,
            warrants=Warrants(provider=self._name, vkey=vkey, producers=producers),
            attempts=Attempts(clock),
            notary=Notary(
                SigningKey.load(settings.signing_key_file),
                holder=str(identity.spiffe_id),
                provider=self._name,
                boot=self._boot,
                clock=clock,
            ),
            pool=make_pool(
                settings.pool_backend, recipe, manifest.pool, address=settings.ray_address, clock=clock
            ),
            clock=clock,
        )
        server = MeshServer(
            identity,
            domain=DOMAIN,
            statuses=STATUSES,
            telemetry=self._telemetry,
            max_message_bytes=MAX_BATCH_BYTES,
        )
        servicer = SpokeServicer(performing, self._boot)
        spoke_service_pb2_grpc.add_SpokeServiceServicer_to_server(servicer, server.raw)
        return performing, server


async def serve(name: str, settings: Settings) -> None:
    """Serves until SIGTERM or SIGINT, then drains."""
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    server = SpokeServer(name, settings)
    await server.start()
    await stopping.wait()
    await server.drain()
