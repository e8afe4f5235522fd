"""A lane in virtual time: the product's gate and decisions before a provider that answers as a test says."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta

from hub.jobs.decide import after_attempt
from hub.jobs.decision import Moment
from hub.jobs.model import SETTLED, Claimed, JobState, Purpose, RetryPolicy
from hub.jobs.outcome import Outcome
from hub.jobs.spec import Limits, OperationSpec
from hub.lanes.breaker import Breaker
from hub.lanes.gate import Gate
from tests.hub.jobs import NOW, claimed, spec

STEP_SECONDS = 0.05
LATENCY_SECONDS = 0.1
SIXTY_FOUR = Limits(64)

Provider = Callable[[Claimed, float], Outcome]
"""What it answers to a job at a time."""


@dataclass(slots=True)
class Row:
    """A job as the store would have it."""

    number: int
    priority: int
    state: JobState = JobState.QUEUED
    due: float = 0.0
    attempts: int = 0
    seq: int = 0
    reason: str = ""
    doubted: bool = False
    letters: list[str] = field(default_factory=list)


class VirtualLane:
    """Jobs 0 to `jobs`; `priorities` of those that are not 0."""

    def __init__(
        self,
        provider: Provider,
        *,
        jobs: int,
        limits: Limits = SIXTY_FOUR,
        priorities: Mapping[int, int] | None = None,
        offered: OperationSpec | None = None,
    ) -> None:
        self.rows = [Row(n, (priorities or {}).get(n, 0)) for n in range(jobs)]
        self.gate = Gate(limits, Breaker())
        self.now = 0.0
        self.asked: list[float] = []
        self._provider = provider
        self._offered = offered or spec()
        self._policy = RetryPolicy(8, timedelta(seconds=0.5), timedelta(seconds=60))
        self._under_way: list[tuple[float, Row, Claimed]] = []

    def run(self, seconds: float) -> None:
        """Lets time pass."""
        end = self.now + seconds
        while self.now < end:
            self.now += STEP_SECONDS
            self._end()
            self._begin()

    def count(self, *states: JobState) -> int:
        """How many jobs stand there."""
        return sum(row.state in states for row in self.rows)

    def _begin(self) -> None:
        due = [r for r in self.rows if r.state not in SETTLED | {JobState.RUNNING} and r.due <= self.now]
        free = self.gate.admits(self.now)
        order = (lambda r: (r.seq, r.priority, r.due)) if self.gate.tries else (lambda r: (r.priority, r.due))
        begun = sorted(due, key=order)[:free]
        self.gate.begun(len(begun), self.now, fresh=True)
        for row in begun:
            self._under_way.append((self.now + LATENCY_SECONDS, row, self._claim(row)))

    def _claim(self, row: Row) -> Claimed:
        row.seq += 1
        looks = row.state is JobState.IN_DOUBT
        if not looks:
            row.state, row.attempts = JobState.RUNNING, row.attempts + 1
        else:
            row.due = float("inf")
        base = claimed(
            purpose=Purpose.LOOK_UP if looks else Purpose.EXECUTE,
            state=row.state,
            attempt_count=row.attempts,
            seq=row.seq,
            reason=row.reason,
            doubted=row.doubted,
        )
        return replace(base, job_id=str(row.number), policy=self._policy, expire_at=NOW + timedelta(days=9))

    def _end(self) -> None:
        over = [each for each in self._under_way if each[0] <= self.now]
        self._under_way = [each for each in self._under_way if each[0] > self.now]
        for _, row, job in over:
            self.asked.append(self.now)
            outcome, on_trial = self._provider(job, self.now), self.gate.is_trial(job.job_id)
            writes = job.purpose is Purpose.EXECUTE
            self.gate.observe(outcome, self.now, job_id=job.job_id, writes=writes)
            self.gate.ended()
            self._settle(row, job, outcome, on_trial=on_trial)

    def _settle(self, row: Row, job: Claimed, outcome: Outcome, *, on_trial: bool) -> None:
        at = NOW + timedelta(seconds=self.now)
        decision = after_attempt(job, outcome, self._offered, Moment(at, 0.5, on_trial))
        row.state, row.reason = decision.state, decision.reason
        row.attempts -= not decision.counts
        row.doubted = row.doubted if decision.doubts is None else decision.doubts
        row.due = float("inf") if decision.wait is None else self.now + decision.wait.total_seconds()
