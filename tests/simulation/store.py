"""A model of the hub's Postgres store in memory: the same answers, which `test_model.py` compares."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from hub.errors import LaneLost
from hub.jobs.decide import purpose_of
from hub.jobs.letters import Cause
from hub.jobs.model import FINAL, NOT_BEGUN, Claimed, Ending, JobState, NewJob, Purpose
from hub.jobs.ports import Withdrawal
from hub.lanes.breaker import Breaker, BreakerState
from hub.lanes.ports import Grant, Orphan, Settled, Settlement, Statement, Survey
from tests.simulation.lanes import LONG_AGO, PAUSED, LaneRow, grant, survey
from tests.simulation.turns import in_turn, trials

NOT_EVEN_BEGUN = ("TIME_OVER", "NEVER_STARTED", "FENCED")

Intents = Callable[[Sequence[Claimed]], list[bytes]]


@dataclass(slots=True)
class JobRow:
    """A row of `job`, where dead letters stay, or of `job_done`, with its `job_body`."""

    new: NewJob
    created_at: datetime
    updated_at: datetime
    due_at: datetime | None
    state: JobState = JobState.QUEUED
    claimed_term: int = 0
    seq: int = 0
    attempt_count: int = 0
    losses: int = 0
    doubted: bool = False
    provider_reference: str = ""
    reason: str = ""
    message: str = ""
    result_type: str = ""
    result: bytes = b""


@dataclass(slots=True)
class AttemptRow:
    """A row of `attempt`."""

    purpose: Purpose
    term: int
    claimed_at: datetime
    intent: bytes
    outcome: str = ""
    reason: str = ""


@dataclass(slots=True)
class LetterRow:
    """A row of `dead_letter`. `left_by` None: a person still has to look."""

    cause: Cause
    reason: str
    left_by: str | None = None


@dataclass(slots=True)
class OutboxRow:
    """A row of `outbox`."""

    lane: str
    job_id: str
    envelope: bytes


@dataclass(slots=True)
class MemoryStore:
    """Jobs, lanes, attempts, letters and the outbox. One call is one commit; `moved` hears of each change."""

    now: Callable[[], datetime]
    moved: Callable[[JobRow, JobState, JobState], None] = lambda row, old, new: None
    holds_events: Callable[[str], bool] = lambda job_id: False
    lanes: dict[str, LaneRow] = field(default_factory=dict)
    replicas: dict[str, tuple[datetime, Sequence[str]]] = field(default_factory=dict)
    live: dict[str, JobRow] = field(default_factory=dict)
    done: dict[str, JobRow] = field(default_factory=dict)
    attempts: dict[tuple[str, int], AttemptRow] = field(default_factory=dict)
    letters: dict[tuple[str, int], LetterRow] = field(default_factory=dict)
    outbox: dict[str, OutboxRow] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)

    def accept(self, new: NewJob) -> None:
        """Makes a job durable."""
        self.live[new.job_id] = JobRow(new, now := self.now(), now, now)

    def get(self, job_id: str) -> JobRow | None:
        """A job, wherever it stands."""
        return self.live.get(job_id) or self.done.get(job_id)

    def seq(self, job_id: str) -> int:
        """The number of the job's newest attempt."""
        row = self.get(job_id)
        return row.seq if row else 0

    def survey(self, owner: str, lanes: Sequence[str], lease: timedelta) -> Survey:
        """As survey.sql."""
        for lane in lanes:
            self.lanes.setdefault(lane, LaneRow())
        self.replicas[owner] = (self.now(), lanes)
        return survey(owner, self.lanes, self.replicas, now=self.now(), lease=lease)

    def acquire(self, owner: str, lanes: Sequence[str], lease: timedelta) -> dict[str, Grant]:
        """As acquire_lanes.sql: a lane seen for the first time is only written down."""
        now, known = self.now(), [lane for lane in lanes if lane in self.lanes]
        for lane in lanes:
            self.lanes.setdefault(lane, LaneRow())
        granted = {}
        for lane in known:
            row = self.lanes[lane]
            if row.owner == owner or row.lease_until < now:
                row.term += row.owner != owner
                row.owner, row.lease_until = owner, now + lease
                granted[lane] = grant(row, now)
        return granted

    def release(self, owner: str, lanes: Sequence[str]) -> None:
        """As release_lanes.sql."""
        for lane in lanes:
            row = self.lanes.get(lane)
            if row and row.owner == owner:
                row.owner, row.lease_until = "", LONG_AGO

    def retire(self, owner: str) -> None:
        """As retire.sql."""
        self.replicas.pop(owner, None)
        self.release(owner, list(self.lanes))

    def claim(
        self,
        lane: str,
        term: int,
        limit: int,
        intents: Intents,
        served: Sequence[str] = (),
        *,
        trial: bool = False,
    ) -> list[Orphan]:
        """As claim.sql or claim_trials.sql, and begin_attempts.sql."""
        if not self.owns(lane, term) or self.lanes[lane].mode == PAUSED:
            return []
        claimed = [self._claim(row, term) for row in self._chosen(lane, limit, served, trial=trial)]
        signed = intents(claimed) if claimed else []
        for one, intent in zip(claimed, signed, strict=True):
            key = (one.job_id, one.seq)
            self.attempts[key] = AttemptRow(one.purpose, term, one.claimed_at, intent)
        return [Orphan(one, intent) for one, intent in zip(claimed, signed, strict=True)]

    def adopt(self, lane: str, term: int) -> list[Orphan]:
        """As adopt.sql."""
        if not self.owns(lane, term):
            return []
        orphans = []
        for row in self._of(lane):
            if row.claimed_term not in (0, term):
                row.claimed_term = term
                attempt = self.attempts[row.new.job_id, row.seq]
                orphans.append(Orphan(_claimed(row, term, attempt.claimed_at), attempt.intent))
        return orphans

    def settle(self, lane: str, term: int, settlements: Sequence[Settlement]) -> list[Settled]:
        """As settle.sql, and what the lane store makes of the rows that it misses."""
        if not self.owns(lane, term):
            raise LaneLost(f"{len(settlements)} attempts of {lane} belong to a newer owner")
        now = self.now()
        found = [self._settle(s, now) for s in settlements if self.is_held(s, term)]
        if len(found) < len(settlements):
            raise LaneLost(f"{len(settlements) - len(found)} attempts of {lane} belong to a newer owner")
        return found

    def expire(self) -> list[str]:
        """As expire.sql."""
        over = [row for row in self._not_begun() if row.new.expire_at <= self.now()]
        for row in over:
            self._expire(row)
        return [row.new.job_id for row in over]

    def next_expiry(self) -> float | None:
        """As next_expiry.sql."""
        moments = [row.new.expire_at for row in self._not_begun()]
        return (min(moments) - self.now()).total_seconds() if moments else None

    def save_breaker(self, lane: str, term: int, breaker: Breaker, *, orders: int, seconds: float) -> None:
        """As save_breaker.sql, without the alert."""
        row = self.lanes[lane]
        if row.term == term and row.breaker_orders == orders:
            row.breaker, row.breaker_reason, row.breaker_trips = breaker.state, breaker.reason, breaker.trips
            row.breaker_by_writes = breaker.by_writes
            is_open = breaker.state is BreakerState.OPEN
            row.breaker_until = self.now() + timedelta(seconds=seconds) if is_open else None

    def save_throttle(self, lane: str, term: int, seconds: float, *, orders: int) -> None:
        """As save_throttle.sql, without the alert."""
        row = self.lanes[lane]
        if row.term == term and row.breaker_orders == orders:
            until = self.now() + timedelta(seconds=seconds)
            row.throttled_until = max(row.throttled_until or until, until)

    def next_due(self, lane: str) -> float | None:
        """As next_due.sql."""
        due = [row.due_at for row in self._of(lane) if not row.claimed_term and row.due_at is not None]
        return (min(due) - self.now()).total_seconds() if due else None

    def read_outbox(self, lane: str, limit: int) -> list[Statement]:
        """As read_outbox.sql."""
        mine = [Statement(key, row.envelope) for key, row in self.outbox.items() if row.lane == lane]
        return mine[:limit]

    def clear_outbox(self, done: Sequence[str], refused: Mapping[str, str]) -> None:
        """As clear_outbox.sql."""
        for statement_id in [*done, *refused]:
            if self.outbox.pop(statement_id, None) and statement_id in refused:
                self.refused[statement_id] = refused[statement_id]

    def cancel(self, job_id: str, withdrawal: Withdrawal) -> bool:
        """As cancel_job.sql."""
        row = self.live.get(job_id)
        if row is None or row.claimed_term or row.doubted or row.state not in NOT_BEGUN:
            return False
        self.leave(job_id, "")
        row.reason, row.message = "CANCELLED", ""
        self.outbox[withdrawal.statement_id] = OutboxRow(row.new.lane, job_id, withdrawal.envelope)
        self.end(row, JobState.CANCELLED)
        return True

    def owns(self, lane: str, term: int) -> bool:
        """The fence of every write: whether the term is the lane's newest."""
        row = self.lanes.get(lane)
        return row is not None and row.term == term

    def is_held(self, settlement: Settlement, term: int) -> bool:
        """Whether the attempt is still the one that its lane's owner has claimed."""
        row = self.live.get(settlement.job_id)
        return row is not None and row.seq == settlement.seq and row.claimed_term == term

    def end(self, row: JobRow, state: JobState) -> None:
        """Moves a job to those that have ended."""
        self._move(row, state)
        if state is not JobState.SUCCEEDED:
            row.result_type, row.result = "", b""
        row.due_at, row.claimed_term = None, 0
        if self.live.pop(row.new.job_id, None):
            self.done[row.new.job_id] = row

    def leave(self, job_id: str, by: str) -> None:
        """Takes the job's open letter off the desk."""
        for (of, _), letter in self.letters.items():
            if of == job_id and letter.left_by is None:
                letter.left_by = by

    def _of(self, lane: str) -> list[JobRow]:
        return [row for row in self.live.values() if row.new.lane == lane]

    def _not_begun(self) -> list[JobRow]:
        return [row for row in self.live.values() if not row.claimed_term and row.state in NOT_BEGUN]

    def due(self, lane: str) -> list[JobRow]:
        """What a claim can take."""
        now = self.now()
        return [
            row
            for row in self._of(lane)
            if not row.claimed_term
            and row.due_at is not None
            and row.due_at <= now
            and (row.state not in NOT_BEGUN or row.new.expire_at > now)
        ]

    def _chosen(self, lane: str, limit: int, served: Sequence[str], *, trial: bool) -> list[JobRow]:
        due = self.due(lane)
        if not trial:
            return in_turn(due, limit, served)
        return trials(sorted(due, key=lambda r: (r.new.priority, r.due_at or LONG_AGO, r.new.job_id)))[:limit]

    def _claim(self, row: JobRow, term: int) -> Claimed:
        row.claimed_term, row.seq, row.updated_at = term, row.seq + 1, self.now()
        if row.state in NOT_BEGUN:
            row.attempt_count += 1
            self._move(row, JobState.RUNNING)
        return _claimed(row, term, row.updated_at)

    def _settle(self, settlement: Settlement, now: datetime) -> Settled:
        decision, row = settlement.decision, self.live[settlement.job_id]
        attempt = self.attempts[settlement.job_id, settlement.seq]
        attempt.outcome, attempt.reason = settlement.outcome, decision.reason
        if decision.letter is not None:
            self.letters[settlement.job_id, settlement.seq] = LetterRow(decision.letter, decision.reason)
        if settlement.evidence:
            kept = OutboxRow(row.new.lane, settlement.job_id, settlement.evidence)
            self.outbox.setdefault(settlement.statement_id, kept)
        row.reason, row.message = decision.reason, decision.message
        row.provider_reference = decision.provider_reference or row.provider_reference
        if decision.result_type or decision.state is JobState.SUCCEEDED:
            row.result_type, row.result = decision.result_type, decision.result
        row.attempt_count -= not decision.counts
        row.updated_at = now
        if decision.state in FINAL:
            self.end(row, decision.state)
        else:
            self._move(row, decision.state)
            row.due_at = None if decision.wait is None else now + decision.wait
            row.claimed_term, row.losses = 0, row.losses + decision.lost
            if decision.doubts is not None:
                row.doubted = decision.doubts
        return Settled(settlement.job_id, _ending(row), self.holds_events(settlement.job_id))

    def _expire(self, row: JobRow) -> None:
        if row.doubted:
            row.due_at = self.now()
            self._move(row, JobState.IN_DOUBT)
            return
        if row.state is JobState.QUEUED or (row.attempt_count == 0 and row.reason in NOT_EVEN_BEGUN):
            row.message, row.reason = row.reason, "EXPIRED"
            self.end(row, JobState.EXPIRED)
            return
        self.letters[row.new.job_id, row.seq] = LetterRow(Cause.EXPIRED, row.reason)
        row.due_at = None
        self._move(row, JobState.DEAD)

    def _move(self, row: JobRow, state: JobState) -> None:
        if row.state is not state:
            old, row.state = row.state, state
            self.moved(row, old, state)


def _claimed(row: JobRow, term: int, claimed_at: datetime) -> Claimed:
    new = row.new
    return Claimed(
        job_id=new.job_id,
        seq=row.seq,
        purpose=purpose_of(row.state, row.reason),
        state=row.state,
        attempt_count=row.attempt_count,
        tenant=new.tenant,
        provider=new.provider,
        account=new.account,
        provider_reference=row.provider_reference,
        created_at=row.created_at,
        claimed_at=claimed_at,
        expire_at=new.expire_at,
        policy=new.policy,
        origin=new.origin,
        work=new.work,
        term=term,
        losses=row.losses,
        reason=row.reason,
        doubted=row.doubted,
    )


def _ending(row: JobRow) -> Ending:
    return Ending(
        row.state,
        row.attempt_count,
        row.updated_at,
        row.reason,
        row.message,
        row.provider_reference,
        row.result_type,
        row.result,
    )
