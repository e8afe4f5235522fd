"""A replica of the hub: the product's own ownership, lanes and relays, on connections that can die."""

import asyncio
import contextlib

from hub.events.model import ArrivedEvent
from hub.events.reconciling import ApplyHeld
from hub.housekeeping.abandoned import ParkAbandoned, RelayUnowned
from hub.housekeeping.expiring import Expiring
from hub.jobs.model import Ending
from hub.lanes.duties import HOUSEKEEPING
from hub.lanes.duty_group import DutyGroup
from hub.lanes.owned_lane import LaneLoops, Ports
from hub.lanes.ownership import Ownership, RunningLane
from hub.lanes.ports import Grant
from hub.lanes.relay import Relay
from mesh.duty import DutyLoop
from tests.simulation.audit import PlainNotary
from tests.simulation.cases import LANE
from tests.simulation.links import SpokeLink, StoreLink, StoreUnavailable
from tests.simulation.loop import Machine
from tests.simulation.offering import Directory
from tests.simulation.wire import Wire
from tests.simulation.world import REDELIVERY_SECONDS, World

DRAIN_SECONDS = 20.0


class SimulatedHub:
    """One replica. Each start is a new process with a new name."""

    def __init__(self, world: World, name: str) -> None:
        self._world = world
        self._called = name
        self._boots = 0
        self._machine: Machine | None = None
        self._taking = True
        self.is_gone = False
        """Whether it never comes back."""

    @property
    def has_started(self) -> bool:
        """Whether there has been a process of it."""
        return self._machine is not None

    @property
    def name(self) -> str:
        """The name of the process that runs, or ran last."""
        return self._machine.name if self._machine else self._called

    @property
    def lanes(self) -> list[str]:
        """What it can work on, if a process lives."""
        lives = self._machine is not None and not self._machine.dead
        return [*self._directory.lanes(), HOUSEKEEPING] if lives else []

    @property
    def is_up(self) -> bool:
        """Whether it answers webhooks."""
        return self._machine is not None and self._machine.runs and self._taking

    def start(self) -> None:
        """Starts a process, unless one runs."""
        if self.is_gone or (self._machine is not None and not self._machine.dead):
            return
        self._boots += 1
        self._taking = True
        self._machine = machine = Machine(f"{self._called}.{self._boots}")
        wire = Wire(self._world)
        self._directory = directory = Directory(self._world)
        self.store = StoreLink(self._world, wire)
        ports = Ports(
            store=self.store,
            events=self.store,
            notary=PlainNotary(machine.name),
            log=self._world.log.client(wire),
            spokes=SpokeLink(self._world, wire, directory),
            clock=self._world,
            draw=self._world.draws.random,
            post=self._post,
        )
        self._ownership = Ownership(
            machine.name,
            leases=self.store,
            lanes=lambda: [*directory.lanes(), HOUSEKEEPING],
            start=lambda lane, grant: self._begin(lane, grant, ports),
        )
        applying = ApplyHeld(self.store.held_jobs, self._apply)
        self._duties = [
            self._world.loop.create_task(DutyLoop(duty).run(), context=machine.context)
            for duty in (self._ownership, applying)
        ]

    def _begin(self, lane: str, grant: Grant, ports: Ports) -> RunningLane:
        if lane == HOUSEKEEPING:
            return self._keep_house(grant, ports)
        if lane in self._world.idle_lanes:
            return DutyGroup([], term=grant.term)
        return LaneLoops(lane, grant=grant, limits=self._world.limits, ports=ports)

    def _keep_house(self, grant: Grant, ports: Ports) -> DutyGroup:
        store = self.store
        expiring = Expiring(store.expire, store.next_expiry, self._post)
        if not self._world.has_goers:
            # All that the others do is done for lanes that nobody offers.
            return DutyGroup([expiring], term=grant.term)
        relaying = RelayUnowned(store.lanes, lambda lane: Relay(lane, store=store, log=ports.log).run_once())
        parking = ParkAbandoned(
            f"{HOUSEKEEPING}.{grant.term}",
            lanes=store.lanes,
            leases=store,
            store=store,
            park_doubts=store.park_doubts,
            is_silent=lambda provider: not ports.spokes.is_ready(provider),
            notary=ports.notary,
            log=ports.log,
            clock=self._world,
            post=self._post,
        )
        return DutyGroup([expiring, relaying, parking], term=grant.term)

    def crash(self) -> None:
        """Drops every task at the await where it stands."""
        if self._machine is not None:
            self._world.note("hub crash", self._machine.name)
            self._machine.kill()

    def pause(self) -> None:
        """Stands still; its leases run out meanwhile."""
        if self._machine is not None and not self._machine.dead:
            self._world.note("hub pause", self._machine.name)
            self._machine.pause()

    def resume(self) -> None:
        """Goes on as if nothing had happened."""
        if self._machine is not None:
            self._world.note("hub resume", self._machine.name)
            self._world.loop.resume(self._machine)

    def drain(self) -> None:
        """Finishes what is under way, gives up the lanes and ends, as on SIGTERM."""
        if self._machine is not None and self.is_up:
            self._world.note("hub drain", self._machine.name)
            self._taking = False
            self._world.loop.create_task(self._drain(self._machine), context=self._machine.context)

    def hint(self) -> None:
        """Says that a job may be due."""
        if self.is_up and isinstance(running := self._ownership.running(LANE), LaneLoops):
            running.hint_claims()

    def take(self, event: ArrivedEvent) -> None:
        """A webhook arrives."""
        assert self._machine is not None
        taking = self._take(event)
        ended = self._world.loop.create_task(taking, context=self._machine.context)
        # Whoever gets no answer within a while sends again.
        self._world.loop.later(REDELIVERY_SECONDS, self._redeliver, ended, event)

    def _redeliver(self, ended: "asyncio.Task[bool]", event: ArrivedEvent) -> None:
        if ended.done() and ended.result():
            self._world.deliveries -= 1
        else:
            self._world.deliver(event)

    async def _take(self, event: ArrivedEvent) -> bool:
        try:
            await self.store.ask(lambda: self._world.events.keep(event))
            await self._apply(event.job_id, event.lane)
        except StoreUnavailable:
            return False
        return True

    async def _apply(self, job_id: str, lane: str) -> None:
        await self.store.apply(job_id)
        if isinstance(running := self._ownership.running(lane), LaneLoops):
            running.hint_relay()

    async def _drain(self, machine: Machine) -> None:
        with contextlib.suppress(TimeoutError, StoreUnavailable):
            await asyncio.wait_for(self._ownership.drain(), DRAIN_SECONDS)
        for duty in self._duties:
            duty.cancel()
        machine.kill()

    def _post(self, job_id: str, ending: Ending | None = None) -> None:
        if ending is not None:
            self._world.note("posted", job_id, ending.state.name)
