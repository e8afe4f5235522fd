"""Puts together what requests of Core come in by: the door of work and the door of reads."""

import logging
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from hub.alerts.model import Alert
from hub.alerts.store import PostgresAlertStore
from hub.clock import Clock
from hub.database.engine import Pools
from hub.errors import Overloaded
from hub.housekeeping.concerns import of_backlogs
from hub.housekeeping.watching import WatchBacklog
from hub.intake.admitting import Admitting, CountBacklog
from hub.intake.backlog import Admission, AdmissionLimits
from hub.intake.closed_lanes import ClosedLanes
from hub.intake.door import Door
from hub.intake.new_jobs import NewJobs
from hub.intake.references import Reference, References
from hub.intake.store import PostgresIntakeStore
from hub.intake.submit import Submission
from hub.jobs.ports import Accepted
from hub.lanes.ownership import LEASE, RENEW_SECONDS
from hub.lanes.ports import AuditLog
from hub.lanes.store import PostgresLaneLeases
from hub.operators.store import PostgresOperationsStore
from hub.peers.notary import Notary
from hub.peers.spokes import SpokeDirectory
from hub.reads.door import Reads
from hub.reads.gates import FollowLanes, Gates, SayAlive
from hub.reads.performing import Performing, Try
from hub.reads.stating import Stating
from hub.reads.store import PostgresStandingStore
from mesh.batcher import Batcher, Full
from mesh.duty import Duty, DutyLoop

BATCH = 256
QUEUE = 5_000
READ_BATCH = 64
READ_BYTES = 2 << 20
READ_LINGER_SECONDS = 0.01

_log = logging.getLogger(__name__)

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Shared:
    """What the rest of the replica already has. `takes_lanes`: it says by that that it lives."""

    pools: Pools
    limits: AdmissionLimits
    directory: SpokeDirectory
    new_jobs: NewJobs
    submission: Submission
    log: AuditLog
    notary: Notary
    clock: Clock
    replica: str
    takes_lanes: bool


class Entrance:
    """The way in of one replica. `loops` keep it true and are for the replica to run."""

    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        self._store = PostgresIntakeStore(shared.pools.edge)
        self._closed = ClosedLanes(PostgresOperationsStore(shared.pools.edge).closed_lanes)
        self._admission = Admission(shared.limits, closed=self._closed)
        made = Batcher[Reference, bool](self._store.made, max_items=BATCH, max_queue=QUEUE)
        self._references = References(bounded(made))
        self._gates = Gates(shared.directory.limits, shared.clock)
        self._stating = Stating(shared.log)
        self._performing = Performing(
            self._gates,
            notary=shared.notary,
            stating=self._stating,
            spokes=shared.directory,
            clock=shared.clock,
        )
        self._trying = Batcher[Try, Try](
            self._performing.begin,
            max_items=READ_BATCH,
            max_queue=QUEUE,
            max_bytes=READ_BYTES,
            size_of=lambda each: len(each.claimed.work.request),
            linger_seconds=READ_LINGER_SECONDS,
        )

    def door(self) -> Door:
        """The door of work."""
        shared = self._shared
        known = Batcher[tuple[str, str], Accepted | None](
            PostgresIntakeStore(shared.pools.lanes).known, max_items=BATCH, max_queue=QUEUE
        )
        return Door(
            new_jobs=shared.new_jobs,
            references=self._references,
            submission=Admitting(shared.submission, admission=self._admission, clock=shared.clock),
            known=bounded(known),
        )

    def reads(self) -> Reads:
        """The door of reads."""
        shared = self._shared
        return Reads(
            new_jobs=shared.new_jobs,
            directory=shared.directory,
            references=self._references,
            admission=self._admission,
            perform=bounded(self._trying),
            clock=shared.clock,
            draw=random.SystemRandom().random,
        )

    def loops(self) -> Sequence[DutyLoop]:
        """The duties behind both."""
        admission, clock = self._admission, self._shared.clock
        proving = DutyLoop(self._stating)
        self._stating.hint = proving.hint
        duties: list[Duty] = [
            self._closed,
            CountBacklog(admission, count=self._store.count, clock=clock),
            WatchBacklog(lambda: of_backlogs(admission.full()), self._see, clock),
            FollowLanes(self._gates, PostgresStandingStore(self._shared.pools.edge).standings, LEASE),
        ]
        if not self._shared.takes_lanes:
            duties.append(SayAlive(self._say_alive, RENEW_SECONDS))
        return [proving, *(DutyLoop(duty) for duty in duties)]

    async def close(self, seconds: float) -> None:
        """Finishes the reads under way and proves them, within the time that there is."""
        await self._trying.close()
        await self._performing.finish(seconds)
        try:
            await self._stating.flush()
        finally:
            if lost := self._stating.unproven:
                _log.error("evidence of reads is lost: the log takes none", extra={"count": lost})

    async def _say_alive(self) -> object:
        leases = PostgresLaneLeases(self._shared.pools.leases)
        return await leases.survey(self._shared.replica, [], LEASE)

    async def _see(self, alert: Alert) -> None:
        alerts = PostgresAlertStore(self._shared.pools.edge)
        if not await alerts.see_alert(alert.key):
            await alerts.raise_alert(alert)


def bounded(batcher: Batcher[T, R]) -> Callable[[T], Awaitable[R]]:
    """Submits to a batcher; a queue that is full is the hub's own refusal, with a time to come back."""

    async def submit(item: T) -> R:
        try:
            return await batcher.submit(item)
        except Full as full:
            raise Overloaded("too many requests wait their turn") from full

    return submit
