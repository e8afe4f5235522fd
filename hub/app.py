"""The composition root: the only file that says which class serves which protocol."""

import asyncio
import contextlib
import logging
import random
import secrets
import signal

import grpc
from aiohttp import web

from hub import tenants_file
from hub.alerts.sinks import load_sinks
from hub.alerts.store import PostgresAlertStore
from hub.database.engine import Pools
from hub.database.heads import PostgresHeadStore
from hub.entrance import Entrance, bounded
from hub.entrance import Shared as AtTheEntrance
from hub.errors import StoreUnavailable
from hub.events.api import Webhooks
from hub.events.arrivals import Arrivals
from hub.events.store import PostgresEventStore
from hub.intake import api as capabilities
from hub.intake import quotas
from hub.intake.new_jobs import NewJobs
from hub.intake.submit import Submission
from hub.jobs.board import Board
from hub.jobs.hints import HearHints, Hints, TellHints
from hub.jobs.model import Ending, NewJob
from hub.jobs.ports import Accepted
from hub.jobs.store import PostgresJobStore
from hub.jobs.waiting import PollWaiting, Waiting
from hub.lanes.owned_lane import LaneLoops, Ports
from hub.lanes.ownership import Ownership, RunningLane
from hub.lanes.ports import AuditLog, Grant
from hub.lanes.store import PostgresLaneLeases, PostgresLaneStore
from hub.lanes.watched_log import WatchedLog
from hub.operations import Operations, Shared
from hub.own_errors import OWN
from hub.peers.agreeing import compare
from hub.peers.audit import AuditClient, KeepHead
from hub.peers.notary import Notary
from hub.peers.outcomes import outcome_from_bytes
from hub.peers.spokes import Describing, SpokeAddress, SpokeDirectory
from hub.settings import Settings
from hub.statuses import DOMAIN, STATUSES
from hub.streams import Telling
from integration.operations.v1 import operations_service_pb2_grpc
from mesh.batcher import Batcher
from mesh.channel import open_channel
from mesh.duty import DutyLoop, patiently
from mesh.evidence.checkpoint import Vkey
from mesh.evidence.keys import SigningKey
from mesh.identity import Identity
from mesh.process_clock import process_clock
from mesh.server import MeshServer
from mesh.telemetry import Telemetry

ACCEPT_BATCH = 256
ACCEPT_QUEUE = 5_000
ACCEPT_LINGER_SECONDS = 0.004
DRAIN_SECONDS = 20.0
NOTICE_SECONDS = 1.5  # the proxy looks every half second
FIRST_DESCRIPTION_SECONDS = 5.0

_log = logging.getLogger(__name__)


class Hub:
    """One replica of the hub. `start` brings its roles up, `drain` takes them down without loss."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._clock = process_clock
        self._boot = secrets.token_hex(8)
        self._telemetry = Telemetry.start("hub", self._boot, own=OWN)
        self._identity = Identity.load(settings.identity_dir)
        self._tenants = tenants_file.load(settings.tenants_file)
        self._board = Board()
        self._pools = pools = Pools.open(settings.database_url)
        self._jobs = PostgresJobStore(pools.edge)
        self._lanes = PostgresLaneStore(pools.lanes)
        self._events = PostgresEventStore(pools.lanes, outcome_from_bytes, compare)
        self._heads = PostgresHeadStore(pools.lanes)
        self._directory = SpokeDirectory(
            settings.spokes, open_channel=self._open_spoke, telemetry=self._telemetry
        )
        self._accepting = Batcher[NewJob, Accepted](
            PostgresJobStore(pools.lanes).accept,
            max_items=ACCEPT_BATCH,
            max_queue=ACCEPT_QUEUE,
            linger_seconds=ACCEPT_LINGER_SECONDS,
        )
        self._hints = Hints(
            pools.hints,
            replica=self._boot,
            clock=self._clock,
            lane=self._hint_own_lane,
            job=self._board.post,
        )
        self._notary = Notary(
            SigningKey.load(settings.signing_key_file),
            holder=str(self._identity.spiffe_id),
            boot=self._boot,
            clock=self._clock,
        )
        self._new_jobs = NewJobs(
            self._directory, clock=self._clock, chance=secrets.token_bytes, trace=self._telemetry.carrier
        )
        self._submission = Submission(
            accept=bounded(self._accepting), clock=self._clock, hint=self._hint_claims
        )
        self._loops: list[DutyLoop] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._ownership: Ownership | None = None
        self._owning: DutyLoop | None = None
        self._entrance: Entrance | None = None
        self._server: MeshServer | None = None
        self._webhooks: web.AppRunner | None = None

    async def start(self) -> None:
        """Brings up the roles that the settings name; returns when the replica is ready."""
        head = await patiently(self._heads.load, away=StoreUnavailable)
        asking: dict[str, DutyLoop] = {}
        for name in self._directory.names():
            asking[name] = DutyLoop(Describing(name, self._directory, self._renew_lanes))
            self._run(asking[name])
        self._directory.ask_again = lambda provider: asking[provider].hint()
        telling = DutyLoop(TellHints(self._hints))
        self._hints.wake = telling.hint
        self._run(telling)
        self._run(DutyLoop(HearHints(self._hints)))
        audit = self._open_log(head)
        log = WatchedLog(audit, alerts=PostgresAlertStore(self._pools.lanes), clock=self._clock)
        operations = self._operations(log)
        if "lanes" in self._settings.roles:
            self._start_lanes(log, operations)
            self._run(DutyLoop(KeepHead(audit, self._heads.save)))
        if "webhooks" in self._settings.roles:
            await self._start_webhooks()
        await self._start_edge(operations, log)
        await self._until_described()
        assert self._server is not None
        await self._server.set_ready(True)
        _log.info("hub ready", extra={"roles": sorted(self._settings.roles)})

    async def drain(self) -> None:
        """Takes no more, finishes what is under way, gives up the lanes."""
        if self._server is not None:
            await self._server.drain(DRAIN_SECONDS, notice_seconds=NOTICE_SECONDS)
        if self._webhooks is not None:
            await self._webhooks.cleanup()
        if self._entrance is not None:
            with contextlib.suppress(Exception):
                await asyncio.wait_for(self._entrance.close(DRAIN_SECONDS), DRAIN_SECONDS)
        await self._accepting.close()
        if self._ownership is not None:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._ownership.drain(), DRAIN_SECONDS)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._directory.close()
        await self._pools.dispose()
        self._telemetry.shutdown()

    def _open_log(self, head: bytes) -> AuditClient:
        channel = open_channel(
            self._settings.audit_address, self._identity, server_role="audit", telemetry=self._telemetry
        )
        vkey = Vkey.parse(self._settings.audit_vkey_file.read_text())
        return AuditClient(channel, vkey, head_note=head, telemetry=self._telemetry)

    def _operations(self, log: AuditLog) -> Operations:
        sinks = self._settings.alert_sinks_file
        return Operations(
            Shared(
                engine=self._pools.edge,
                directory=self._directory,
                log=log,
                notary=self._notary,
                clock=self._clock,
                new_jobs=self._new_jobs,
                submission=self._submission,
                jobs=self._jobs,
                events=self._events,
                lanes=self._lanes,
                post=self._post,
                hint=self._hint_lane,
                holder=str(self._identity.spiffe_id),
                tenants=self._tenants,
                sinks=load_sinks(sinks) if sinks else (),
            )
        )

    def _start_lanes(self, log: AuditLog, operations: Operations) -> None:
        ports = Ports(
            store=self._lanes,
            events=self._events,
            notary=self._notary,
            log=log,
            spokes=self._directory,
            clock=self._clock,
            draw=random.SystemRandom().random,
            post=self._post,
            gone=self._take_lanes,
        )
        duties = operations.duties()

        def start(lane: str, grant: Grant) -> RunningLane:
            if lane in duties:
                return duties[lane](grant)
            return LaneLoops(lane, grant=grant, limits=self._directory.lanes()[lane], ports=ports)

        self._ownership = Ownership(
            self._boot,
            leases=PostgresLaneLeases(self._pools.leases),
            lanes=lambda: [*self._directory.lanes(), *duties],
            start=start,
        )
        self._owning = DutyLoop(self._ownership)
        self._run(self._owning)

    async def _start_edge(self, operations: Operations, log: AuditLog) -> None:
        server = MeshServer(self._identity, domain=DOMAIN, statuses=STATUSES, telemetry=self._telemetry)
        if "edge" in self._settings.roles:
            waiting = Waiting(self._jobs, self._board, self._clock)
            self._entrance = entrance = self._open_entrance(log)
            for loop in entrance.loops():
                self._run(loop)
            desk = capabilities.Desk(
                door=entrance.door(),
                reads=entrance.reads(),
                waiting=waiting,
                tenants=self._tenants,
                new_jobs=self._new_jobs,
            )
            server.raw.add_generic_rpc_handlers(capabilities.handlers(desk))
            self._run(DutyLoop(PollWaiting(self._jobs, self._board)))
            telling = Telling(
                fed=self._pools.hints,
                log=self._pools.edge,
                jobs=self._jobs,
                waiting=waiting,
                board=self._board,
                post=self._post,
                tenants=self._tenants,
                draining=server.draining,
                most=self._settings.max_watchers,
                run=self._run,
                sign=self._notary.withdrawal,
            )
            telling.add_to(server.raw)
            operations_service_pb2_grpc.add_OperationsServiceServicer_to_server(operations.api(), server.raw)
        await server.serve(self._settings.listen)
        self._server = server

    def _open_entrance(self, log: AuditLog) -> Entrance:
        limits = quotas.load(self._settings.quotas_file, lane_backlog=self._settings.max_backlog)
        shared = AtTheEntrance(
            pools=self._pools,
            limits=limits,
            directory=self._directory,
            new_jobs=self._new_jobs,
            submission=self._submission,
            log=log,
            notary=self._notary,
            clock=self._clock,
            replica=self._boot,
            takes_lanes="lanes" in self._settings.roles,
        )
        return Entrance(shared)

    async def _start_webhooks(self) -> None:
        arrivals = Arrivals(
            spokes=self._directory,
            store=self._events,
            telemetry=self._telemetry,
            settled=self._event_applied,
        )
        webhooks = Webhooks(
            arrivals,
            clock=self._clock,
            telemetry=self._telemetry,
            public_url=self._settings.webhook_public_url,
        )
        self._webhooks = webhooks.runner()
        await self._webhooks.setup()
        host, port = self._settings.webhook_listen.rsplit(":", 1)
        await web.TCPSite(self._webhooks, host, int(port), ssl_context=self._identity.ssl_context()).start()

    async def _until_described(self) -> None:
        deadline = self._clock.monotonic() + FIRST_DESCRIPTION_SECONDS
        while self._clock.monotonic() < deadline:
            if all(self._directory.is_ready(name) for name in self._directory.names()):
                return
            await asyncio.sleep(0.05)

    def _open_spoke(self, spoke: SpokeAddress) -> grpc.aio.Channel:
        return open_channel(
            spoke.address, self._identity, authority=spoke.authority, telemetry=self._telemetry
        )

    def _run(self, loop: DutyLoop) -> None:
        self._loops.append(loop)
        self._tasks.append(asyncio.create_task(loop.run()))

    def _renew_lanes(self) -> None:
        for loop in self._loops:
            loop.hint()

    def _hint_claims(self, lane: str) -> None:
        if (running := self._running(lane)) is not None:
            running.hint_claims()
        else:
            self._hints.tell_lane(lane)

    def _hint_own_lane(self, lane: str) -> None:
        """Another replica says that something of a lane has changed."""
        if (running := self._running(lane)) is not None:
            running.hint_claims()

    def _post(self, job_id: str, ending: Ending | None = None) -> None:
        self._board.post(job_id, ending)
        self._hints.tell_job(job_id)

    def _hint_lane(self, lane: str) -> None:
        """An operator, or a plan, has changed something of a lane."""
        self._take_lanes()
        self._hint_claims(lane)

    def _take_lanes(self) -> None:
        if self._owning is not None:
            self._owning.hint()

    def _event_applied(self, job_id: str, lane: str) -> None:
        self._post(job_id)
        if (running := self._running(lane)) is not None:
            running.hint_relay()

    def _running(self, lane: str) -> LaneLoops | None:
        running = self._ownership.running(lane) if self._ownership else None
        return running if isinstance(running, LaneLoops) else None


async def serve(settings: Settings) -> None:
    """Runs one replica until SIGTERM or SIGINT, then drains."""
    hub = Hub(settings)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    starting, stopping = asyncio.create_task(hub.start()), asyncio.create_task(stop.wait())
    await asyncio.wait((starting, stopping), return_when=asyncio.FIRST_COMPLETED)
    try:
        if starting.done():
            starting.result()
            await stopping
    finally:
        starting.cancel()
        stopping.cancel()
        await asyncio.gather(starting, stopping, return_exceptions=True)
        await hub.drain()
