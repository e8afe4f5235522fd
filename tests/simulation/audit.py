"""A model of the audit log, and a notary whose statements say in plain text what would be signed."""

from collections.abc import Mapping, Sequence

from hub.jobs.model import Claimed
from hub.jobs.outcome import Outcome
from hub.lanes.ports import LogUnavailable, Receipt, Refused
from tests.simulation.wire import Wire
from tests.simulation.world import World

REFUSED = "REFUSED"


class PlainNotary:
    """Signs nothing, but says who said what of which attempt."""

    def __init__(self, name: str) -> None:
        self._name = name

    def intents(self, attempts: Sequence[Claimed]) -> list[bytes]:
        """One text per attempt."""
        return [f"intent {a.attempt_id} {int(a.purpose)} {a.term} {self._name}".encode() for a in attempts]

    def evidence(self, attempt: Claimed, outcome: Outcome, receipt: Receipt) -> bytes:
        """A text that names the attempt and its outcome."""
        return evidence(attempt.attempt_id, outcome, self._name)


def evidence(attempt_id: str, outcome: Outcome, name: str) -> bytes:
    """What a producer of that name states of an attempt's end."""
    return f"evidence {attempt_id} {type(outcome).__name__.lower()} {name}".encode()


class SimulatedLog:
    """Append only. Evidence needs its intent, and is one per attempt; the same bytes twice are one entry."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.entries: dict[bytes, int] = {}
        self.intents: dict[str, int] = {}
        self.evidence: dict[str, bytes] = {}
        self.down_until = 0.0

    def client(self, wire: Wire) -> "LogClient":
        """The log as one hub reaches it."""
        return LogClient(self._world, self, wire)

    def append(self, envelopes: Sequence[bytes]) -> list[Receipt | Refused]:
        """Appends in order, in one commit."""
        return [self._append(envelope) for envelope in envelopes]

    def _append(self, envelope: bytes) -> Receipt | Refused:
        kind, _, rest = envelope.decode().partition(" ")
        attempt_id = rest.partition(" ")[0]
        if envelope not in self.entries:
            if kind == "evidence" and (attempt_id not in self.intents or attempt_id in self.evidence):
                return Refused(REFUSED)
            self.entries[envelope] = len(self.entries)
            self._world.note("logged", envelope)
            if kind == "intent":
                self.intents[attempt_id] = self.entries[envelope]
            elif kind == "evidence":
                self.evidence[attempt_id] = envelope
        return Receipt(self.entries[envelope], b"leaf", (), b"note")


class LogClient:
    """Serves `AuditLog` over the network."""

    def __init__(self, world: World, log: SimulatedLog, wire: Wire) -> None:
        self._world = world
        self._log = log
        self._wire = wire

    async def append(self, envelopes: Sequence[bytes], trace: Mapping[str, str]) -> list[Receipt | Refused]:
        """Appends; LogUnavailable if the log is down, or if its answer is lost."""
        return await self._wire.ask(lambda: self._log.append(envelopes), self._fate)

    def _fate(self) -> tuple[Exception | None, bool]:
        if self._world.loop.time() < self._log.down_until:
            return LogUnavailable("down"), False
        lost = self._world.faults.strikes("log_reply_lost")
        return (LogUnavailable("reply lost") if lost else None), True
