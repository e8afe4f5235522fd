"""The composition root: the only file that says which class serves which protocol."""

import asyncio
import logging
import secrets
import signal

from audit_service.edge.admission import Admission
from audit_service.edge.api import AuditService
from audit_service.edge.statuses import DOMAIN, STATUSES
from audit_service.errors import AuditError, LogInconsistent, LogRolledBack, LogUnavailable, MarkMissing
from audit_service.export.bundle import BundleExport
from audit_service.export.tile_files import TileExport
from audit_service.fsck import check_log
from audit_service.log.announce import KeyRegister
from audit_service.log.checkpoints import Notary
from audit_service.log.opening import Opening
from audit_service.log.sequencer import Sequencer
from audit_service.settings import LogSettings, Settings
from audit_service.store.log_reader import PostgresLogReader
from audit_service.store.log_store import PostgresLogStore
from audit_service.store.mark_file import HighWaterFile
from integration.audit.v1.audit_service_pb2_grpc import add_AuditServiceServicer_to_server
from mesh.duty import DutyLoop, patiently
from mesh.evidence.keys import SigningKey, load_producers
from mesh.identity import Identity
from mesh.process_clock import process_clock
from mesh.server import MIB, MeshServer
from mesh.telemetry import Telemetry
from mesh.told import MESH

DRAIN_SECONDS = 10.0
LOOK_EVERY_SECONDS = 1.0

HOPELESS = (LogRolledBack, MarkMissing, LogInconsistent)
"""What a person must look at before the log may be written again."""

_log = logging.getLogger(__name__)


class Audit:
    """The audit service of one log. `start` returns once it serves and is ready."""

    def __init__(self, settings: Settings, *, accept_missing_mark: bool = False) -> None:
        self._settings = settings
        self._clock = process_clock
        self._boot = secrets.token_hex(8)
        self._telemetry = Telemetry.start("audit", self._boot, own=(*MESH, AuditError))
        self._identity = Identity.load(settings.identity_dir)
        self._signing_key = SigningKey.load(settings.signing_key_file)
        self._producers = load_producers(settings.producers_file)
        notary = Notary(settings.log.origin, SigningKey.load(settings.log.log_key_file))
        self._store = PostgresLogStore(settings.writer_url)
        self._reader = PostgresLogReader(settings.log.reader_url)
        mark_file = HighWaterFile(settings.high_water_file)
        self._sequencer = Sequencer(
            opening=Opening(
                store=self._store,
                reader=self._reader,
                mark_file=mark_file,
                notary=notary,
                accept_missing_mark=accept_missing_mark,
            ),
            store=self._store,
            mark_file=mark_file,
            notary=notary,
            clock=self._clock,
        )
        self._admission = Admission(self._producers)
        self._server = MeshServer(
            self._identity,
            domain=DOMAIN,
            statuses=STATUSES,
            telemetry=self._telemetry,
            max_message_bytes=4 * MIB,
        )
        self._keeping = DutyLoop(KeepOpen(self._sequencer, self._server))
        self._tasks: list[asyncio.Task[None]] = []
        add_AuditServiceServicer_to_server(self._servicer(notary), self._server.raw)

    async def start(self) -> int:
        """Serves, opens the log as soon as it may, and returns the port; raises what is hopeless."""
        port = await self._server.serve(self._settings.listen)
        await self._open()
        await self._server.set_ready(True)
        self._tasks.append(asyncio.create_task(self._keeping.run()))
        _log.info("audit ready", extra={"size": self._sequencer.log.head.size, "port": port})
        return port

    async def drain(self) -> None:
        """Takes no more, finishes what is under way, and gives the log up."""
        self._keeping.stop()
        await self._server.drain(DRAIN_SECONDS)
        await asyncio.gather(*self._tasks)
        await self._sequencer.close()
        self._admission.close()
        await self._store.close()
        await self._reader.close()
        self._telemetry.shutdown()

    def _servicer(self, notary: Notary) -> AuditService:
        vkey = str(notary.vkey)
        return AuditService(
            sequencer=self._sequencer,
            admission=self._admission,
            reader=self._reader,
            notary=notary,
            bundles=BundleExport(
                reader=self._reader, signing_key=self._signing_key, origin=notary.origin, vkey=vkey
            ),
            tiles=TileExport(reader=self._reader, vkey=vkey),
        )

    async def _open(self) -> None:
        register = KeyRegister(
            holder=str(self._identity.spiffe_id), key=self._signing_key, boot=self._boot, clock=self._clock
        )

        async def open_and_announce() -> None:
            opened = await self._sequencer.open()
            known = opened.keys.keys
            await register.announce(self._producers.values(), known=known, sequencer=self._sequencer)

        await patiently(open_and_announce, away=LogUnavailable, but=HOPELESS)


class KeepOpen:
    """The duty that opens the log again after trouble, and says whether this process can take calls."""

    name = "keep the log open"

    def __init__(self, sequencer: Sequencer, server: MeshServer) -> None:
        self._sequencer = sequencer
        self._server = server

    async def run_once(self) -> float | None:
        """Looks whether the log is open, and opens it if not."""
        try:
            await self._sequencer.open()
        except LogUnavailable:
            await self._server.set_ready(False)
            raise
        await self._server.set_ready(True)
        return LOOK_EVERY_SECONDS


async def serve(settings: Settings, *, accept_missing_mark: bool) -> None:
    """Runs the service until SIGTERM or SIGINT, then drains."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    audit = Audit(settings, accept_missing_mark=accept_missing_mark)
    starting = asyncio.create_task(audit.start())
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait((starting, stopping), return_when=asyncio.FIRST_COMPLETED)
    try:
        if starting.done():
            starting.result()
            await stopping
    finally:
        starting.cancel()
        stopping.cancel()
        await audit.drain()


async def fsck(settings: LogSettings) -> bool:
    """Checks the whole log, prints what is found, and returns whether all is well."""
    notary = Notary(settings.origin, SigningKey.load(settings.log_key_file))
    reader = PostgresLogReader(settings.reader_url)
    clean = True
    try:
        async for progress in check_log(reader, notary):
            clean = clean and not progress.findings
            for finding in progress.findings:
                print(finding)
            if progress.done:
                print(f"{progress.checked} entries checked, {'all is well' if clean else 'see above'}")
    finally:
        await reader.close()
    return clean
