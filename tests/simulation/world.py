"""The simulated world: its clock, its chance, its parts, and what is written down of a run."""

import random
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from hub.events.model import ArrivedEvent
from hub.jobs.spec import Limits
from tests.simulation.cases import START
from tests.simulation.faults import Faults
from tests.simulation.loop import VirtualLoop

if TYPE_CHECKING:
    from tests.simulation.audit import SimulatedLog
    from tests.simulation.events import MemoryEvents
    from tests.simulation.hub import SimulatedHub
    from tests.simulation.provider import Provider
    from tests.simulation.spoke import SimulatedSpoke
    from tests.simulation.store import MemoryStore
    from tests.simulation.watch import Watch

REDELIVERY_SECONDS = 2.0


class World:
    """What all parts of one run share. Serves as the clock of every machine."""

    store: "MemoryStore"
    events: "MemoryEvents"
    log: "SimulatedLog"
    provider: "Provider"
    spoke: "SimulatedSpoke"
    hubs: "list[SimulatedHub]"
    watch: "Watch"

    def __init__(self, seed: str, *, loop: VirtualLoop, faults: Faults, limits: Limits) -> None:
        self.seed = seed
        self.loop = loop
        self.faults = faults
        self.limits = limits
        self.net = random.Random(f"{seed}/net")
        self.draws = random.Random(f"{seed}/draws")
        self.fates: dict[str, str] = {}
        self.trace: list[tuple[object, ...]] = []
        self.over = False
        self.deliveries = 0
        self.ghosts = 0
        self.idle_lanes: tuple[str, ...] = ()
        """Lanes without work, that the hubs share."""
        self.has_goers = False
        """Whether spokes, accounts or operations come and go."""
        self.is_forever = False
        """Whether what goes stays away when all else has healed."""

    def now(self) -> datetime:
        """The wall clock, aware UTC."""
        return START + timedelta(seconds=self.loop.time())

    def monotonic(self) -> float:
        """Virtual seconds."""
        return self.loop.time()

    def latency(self) -> float:
        """How long a message is on its way."""
        return self.net.uniform(0.001, 0.02)

    def note(self, *what: object) -> None:
        """A line of the trace."""
        if not self.over:
            self.trace.append((round(self.loop.time(), 9), *what))

    def send(self, event: ArrivedEvent, seconds: float) -> None:
        """A webhook sets out; it is delivered until a hub has answered it."""
        self.deliveries += 1
        self.loop.later(seconds, self.deliver, event)

    def deliver(self, event: ArrivedEvent) -> None:
        """A webhook reaches one of the hubs that are up, or comes again later."""
        up = [hub for hub in self.hubs if hub.is_up]
        if up:
            self.net.choice(up).take(event)
        elif not self.over:
            self.loop.later(REDELIVERY_SECONDS, self.deliver, event)
