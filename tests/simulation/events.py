"""A model of the hub's event store in memory, over the model of its jobs."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from hub.events.model import ArrivedEvent
from hub.jobs.agreeing import Compared, Task
from hub.jobs.contradicting import Contradiction, weigh
from hub.jobs.decision import Decision
from hub.jobs.model import JobState
from hub.jobs.outcome import Outcome
from tests.simulation.store import JobRow, MemoryStore, OutboxRow


@dataclass(slots=True)
class EventRow:
    """A row of `webhook_event`."""

    event: ArrivedEvent
    handled: str = ""


@dataclass(slots=True)
class MemoryEvents:
    """Keeps events and lets them settle jobs. `decode` reads the bytes of an outcome; `compare` tells what
    they name beside what the job asked for. `told`: what contradicted its job, and how that stood;
    `tellings`: how often."""

    store: MemoryStore
    decode: Callable[[bytes], Outcome | None]
    compare: Callable[[Task, bytes], Compared]
    rows: dict[tuple[str, str], EventRow] = field(default_factory=dict)
    told: dict[str, tuple[Contradiction, JobState]] = field(default_factory=dict)
    tellings: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.store.holds_events = lambda job_id: any(True for _ in self._held(job_id))

    def keep(self, event: ArrivedEvent) -> bool:
        """As keep_events.sql and replace_events.sql; False if it is a redelivery that says no more."""
        key = (event.lane, event.event_id)
        if key in self.rows:
            first = self.rows[key].event
            if not event.outcome or not _said_nothing(first, event):
                return False
            del self.rows[key]
        self.rows[key] = EventRow(event, "" if event.job_id or event.outcome else "noted")
        return True

    def apply(self, job_id: str) -> bool:
        """Lets held events settle the job, if nobody is working on it; True if it has now ended."""
        row = self.store.get(job_id)
        if row is None or row.claimed_term:
            return False
        ended = False
        for held in self._held(job_id, row.new.lane):
            outcome = self.decode(held.event.outcome)
            differs = self.compare(_task(row), held.event.outcome).differs if outcome else None
            weighed = weigh(row.state, row.provider_reference, outcome, differs)
            if weighed.contradiction:
                self.told[held.event.event_id] = (weighed.contradiction, row.state)
                self.tellings[held.event.event_id] += 1
            self._handle(held, row, weighed.word)
            if weighed.decision:
                self._end(row, weighed.decision)
                ended = True
        return ended

    def held_jobs(self) -> list[tuple[str, str]]:
        """As held_jobs.sql, at once and not after two seconds: what is held though nobody is at work."""
        held = [row.event for row in self.rows.values() if not row.handled and row.event.outcome]
        jobs = [(event, self.store.get(event.job_id)) for event in held]
        fit = [
            (e.job_id, e.lane) for e, job in jobs if job and job.new.lane == e.lane and not job.claimed_term
        ]
        return list(dict.fromkeys(fit))

    def _end(self, row: JobRow, decision: Decision) -> None:
        self.store.leave(row.new.job_id, "confirmed")
        row.reason, row.message = decision.reason, decision.message
        row.provider_reference = decision.provider_reference or row.provider_reference
        if decision.result_type:
            row.result_type, row.result = decision.result_type, decision.result
        self.store.end(row, decision.state)

    def _handle(self, held: EventRow, row: JobRow, handled: str) -> None:
        held.handled = handled
        event = held.event
        if event.confirmation:
            kept = OutboxRow(row.new.lane, event.job_id, event.confirmation)
            self.store.outbox.setdefault(f"confirmation:{event.lane}/{event.event_id}", kept)

    def _held(self, job_id: str, lane: str | None = None) -> list[EventRow]:
        return [
            row
            for row in self.rows.values()
            if row.event.job_id == job_id and not row.handled and lane in (None, row.event.lane)
        ]


def _task(row: JobRow) -> Task:
    work = row.new.work
    return Task(work.operation, row.provider_reference, work.request_type, work.request)


def _said_nothing(first: ArrivedEvent, again: ArrivedEvent) -> bool:
    is_the_same = first.type == again.type and first.job_id in ("", again.job_id)
    return is_the_same and not first.outcome and not first.confirmation
