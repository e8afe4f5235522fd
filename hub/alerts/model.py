"""Alerts: written down with what they are about, then told to every sink until it has taken them."""

import hashlib
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

from hub.clock import Clock

REPEAT = timedelta(seconds=60)
REPEAT_ENDED = timedelta(minutes=5)
FIRST_BACKOFF_SECONDS = 1.0
LAST_BACKOFF_SECONDS = 60.0
POLL_SECONDS = 1.0
NEVER = datetime.min.replace(tzinfo=UTC)

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Alert:
    """What is wrong, for people: no personal data. The labels must tell apart what the key tells apart."""

    key: str
    name: str
    severity: str  # SEV0, SEV1 or SEV2
    labels: Mapping[str, str]
    summary: str
    runbook: str = ""


@dataclass(frozen=True, slots=True)
class AlertState:
    """An alert as it stands: `change` grows with every raise and end; `ended_at` is None while it fires."""

    alert: Alert
    change: int
    started_at: datetime
    changed_at: datetime
    ended_at: datetime | None

    @property
    def change_id(self) -> str:
        """The same whenever this change is told, so that a receiver can tell a repetition."""
        return _digest(self.alert.key, str(self.change), self.changed_at.isoformat())

    @property
    def start_id(self) -> str:
        """The same for every change from a start to its end."""
        return _digest(self.alert.key, self.started_at.isoformat())


@dataclass(frozen=True, slots=True)
class Told:
    """What a sink has taken of an alert: which change, of which start, and when."""

    change: int = 0
    started_at: datetime | None = None
    at: datetime = NEVER
    failures: int = 0


@dataclass(frozen=True, slots=True)
class Candidate:
    """An alert that a sink may have to be told."""

    state: AlertState
    told: Told


class SinkGone(Exception):
    """The receiver wants no more."""


class AlertSink(Protocol):
    """Where alerts are told."""

    @property
    def name(self) -> str:
        """The name under which deliveries are recorded."""
        ...

    @property
    def batch(self) -> int:
        """How many alerts it takes at once."""
        ...

    @property
    def repeats(self) -> bool:
        """Whether it must be told again and again what is so; else it is told each change once."""
        ...

    async def send(self, states: Sequence[AlertState], now: datetime) -> list[str | None]:
        """Tells them; for each why it was not taken, or None. Raises SinkGone, and nothing for a failure."""
        ...


class AlertStore(Protocol):
    """The store as the alerting uses it."""

    async def candidates(self, sink: str, *, repeats: bool, now: datetime) -> list[Candidate]:
        """What may have to be told, the most urgent first; nothing that backs off still."""
        ...

    async def record_told(self, sink: str, states: Sequence[AlertState], at: datetime) -> None:
        """Writes down what the sink has taken."""
        ...

    async def record_failed(self, sink: str, not_before: Mapping[str, datetime]) -> None:
        """Writes down what the sink has not taken, and when to try again, by key."""
        ...


def is_due(candidate: Candidate, *, repeats: bool, now: datetime) -> bool:
    """Starts and ends go at once, and other changes a minute after what was told last."""
    state, told = candidate.state, candidate.told
    rested = now - told.at >= REPEAT
    if told.change < state.change:
        return rested or state.ended_at is not None or told.started_at != state.started_at
    if not repeats:
        return False
    return rested and (state.ended_at is None or now - state.ended_at < REPEAT_ENDED)


def backoff(failures: int, draw: Callable[[], float]) -> timedelta:
    """The pause after so many failures before this one; `draw` gives a number in [0, 1)."""
    longest = min(FIRST_BACKOFF_SECONDS * 2 ** min(failures, 16), LAST_BACKOFF_SECONDS)
    return timedelta(seconds=longest * draw())


class Alerting:
    """The duty that tells one sink. A loop for each, so that none waits for another.

    Two that run at once tell some things twice, with the same ids, and lose nothing.
    """

    def __init__(
        self, sink: AlertSink, *, store: AlertStore, clock: Clock, draw: Callable[[], float]
    ) -> None:
        self.name = f"alerts to {sink.name}"
        self._sink = sink
        self._store = store
        self._clock = clock
        self._draw = draw
        self._is_failing = False
        self._is_gone = False

    async def run_once(self) -> float | None:
        """Tells one batch; at once again if there is more."""
        if self._is_gone:
            return None
        now = self._clock.now()
        repeats = self._sink.repeats
        candidates = await self._store.candidates(self._sink.name, repeats=repeats, now=now)
        due = [c for c in candidates if is_due(c, repeats=repeats, now=now)]
        if not due:
            return POLL_SECONDS
        batch = due[: self._sink.batch]
        try:
            reasons = await self._sink.send([c.state for c in batch], now)
        except SinkGone:
            _log.error("a sink wants no more alerts: take it out, or repair it", extra=self._extra())
            self._is_gone = True
            return None
        await self._record(batch, reasons)
        return 0 if len(due) > len(batch) else POLL_SECONDS

    async def _record(self, batch: Sequence[Candidate], reasons: Sequence[str | None]) -> None:
        now = self._clock.now()
        answers = list(zip(batch, reasons, strict=True))
        taken = [c.state for c, reason in answers if reason is None]
        failed = {
            c.state.alert.key: now + backoff(c.told.failures, self._draw)
            for c, reason in answers
            if reason is not None
        }
        if taken:
            await self._store.record_told(self._sink.name, taken, now)
        if failed:
            await self._store.record_failed(self._sink.name, failed)
        self._log_streak(sorted({r for r in reasons if r is not None}))

    def _log_streak(self, reasons: Sequence[str]) -> None:
        if reasons and not self._is_failing:
            _log.error("a sink does not take alerts", extra={**self._extra(), "reasons": reasons})
        elif self._is_failing and not reasons:
            _log.info("a sink takes alerts again", extra=self._extra())
        self._is_failing = bool(reasons)

    def _extra(self) -> dict[str, object]:
        return {"sink": self._sink.name}


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]
