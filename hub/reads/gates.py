"""What each lane lets this replica read now: its part of the limits, and the breaker as it was last seen."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

from hub.clock import Clock
from hub.errors import LaneHeld, ReadRefused, ReadsBusy
from hub.jobs.outcome import Outcome
from hub.jobs.spec import Limits
from hub.lanes.breaker import Breaker
from hub.lanes.gate import Gate
from hub.reads.decide import held
from hub.reads.model import Standing, Standings

READ_SECONDS = 1.0
_NOTHING = Standing()


class Gates:
    """One gate per lane. `limits` are those of all lanes that the spokes offer now.

    What reads teach stays with this replica's reads: they neither open the lane's breaker nor close it.
    """

    def __init__(self, limits: Callable[[str], Limits | None], clock: Clock) -> None:
        self._limits = limits
        self._clock = clock
        self._gates: dict[str, Gate] = {}
        self._standings = Standings()
        self._read_at = 0.0

    def stand(self, standings: Standings) -> None:
        """How things stand from now on."""
        self._standings, self._read_at = standings, self._clock.monotonic()

    def enter(self, lane: str) -> None:
        """A read begins; raises LaneHeld or ReadsBusy."""
        now = self._clock.monotonic()
        gate = self._gate(lane, now)
        standing = self._standings.lanes.get(lane, _NOTHING)
        if (refusal := held(standing, now - self._read_at, gate.in_flight, lane)) is not None:
            raise refusal
        if gate.admits(now) <= 0:
            raise _refusal(gate, lane, now)
        gate.begun(1, now, fresh=True)

    def leave(self, lane: str, outcome: Outcome | None, read_id: str) -> None:
        """A read has ended; None: it never left."""
        gate = self._gates[lane]
        gate.ended()
        if outcome is not None:
            gate.observe(outcome, self._clock.monotonic(), job_id=read_id, writes=True)

    def _gate(self, lane: str, now: float) -> Gate:
        limits = (self._limits(lane) or Limits(1)).of_reads(self._standings.replicas)
        if lane not in self._gates:
            self._gates[lane] = Gate(limits, Breaker(), grouped=False)
        self._gates[lane].follow(limits, now)
        return self._gates[lane]


class FollowLanes:
    """The duty that keeps the gates' picture of the lanes true."""

    name = "follow lanes"

    def __init__(
        self, gates: Gates, read: Callable[[timedelta], Awaitable[Standings]], lease: timedelta
    ) -> None:
        self._gates = gates
        self._read = read
        self._lease = lease

    async def run_once(self) -> float | None:
        """Reads once."""
        self._gates.stand(await self._read(self._lease))
        return READ_SECONDS


class SayAlive:
    """The duty of a replica that takes no lanes: it says that it lives, for it shares the lanes' reads."""

    name = "say alive"

    def __init__(self, say: Callable[[], Awaitable[object]], seconds: float) -> None:
        self._say = say
        self._seconds = seconds

    async def run_once(self) -> float | None:
        """Says it once."""
        await self._say()
        return self._seconds


def _refusal(gate: Gate, lane: str, now: float) -> ReadRefused:
    seconds = gate.seconds(now)
    after = timedelta(seconds=seconds) if seconds else None
    if gate.breaker.is_closed and now >= gate.throttled_until:
        return ReadsBusy(f"lane {lane} lets no more reads through for now", retry_after=after, lane=lane)
    return LaneHeld(f"the provider of {lane} answers no reads for now", retry_after=after, lane=lane)
