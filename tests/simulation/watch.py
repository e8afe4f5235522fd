"""The invariants, checked at every effect of a run. Breaking one is written down, never raised."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from hub.jobs.decide import POISON_AFTER
from hub.jobs.looking import CALLED_OFF
from hub.jobs.model import TRANSITIONS, Claimed, JobState, Purpose
from hub.jobs.outcome import Declined, NotSent, NotSentCause, Outcome, Unknown
from hub.jobs.spec import Replay
from hub.lanes.breaker import FAILURES_TO_OPEN, FIRST_OPEN_SECONDS, Verdict, verdict
from hub.lanes.ports import Orphan, Result, Settlement
from tests.simulation.cases import LANE, SPECS
from tests.simulation.fairness import Fairness
from tests.simulation.rate import Spending
from tests.simulation.store import JobRow
from tests.simulation.world import World

SLACK = 0.01
"""Seconds from a lane's look at its limits to its claim: the time it waits for company, and a little."""

TOGETHER = 0.2
"""Seconds within which results come together."""

BEGINNING = timedelta(seconds=0.05)
"""Longer than it takes from the spoke's look at the time until the request leaves."""

ENDED_WITHOUT = frozenset({JobState.DEAD, JobState.EXPIRED, JobState.CANCELLED})


@dataclass(frozen=True, slots=True)
class Violation:
    """An invariant that does not hold, for which job or attempt, and when."""

    invariant: str
    subject: str
    what: str
    at: float

    def __str__(self) -> str:
        return f"{self.at:8.3f} {self.invariant} {self.subject}: {self.what}"


@dataclass(slots=True)
class Quiet:
    """A span in which a lane's owner begins nothing: known to it from `since`, over at `until`."""

    since: float
    until: float
    why: str

    def covers(self, at: float) -> bool:
        """Whether a moment lies within."""
        return self.since < at < self.until


class Watch:
    """Sees all that happens in one run."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.violations: list[Violation] = []
        self.effects: Counter[str] = Counter()
        self.outcomes: dict[str, Outcome] = {}
        self.turns = Fairness(self.wrong)
        self._spending = Spending(world.limits.rate_per_second, float(max(world.limits.burst, 1)))
        self.taken_back: set[str] = set()
        """Jobs of which the provider says the contrary after all."""
        self.begun_jobs: set[str] = set()
        """Jobs that a spoke has begun to work on."""
        self._owners: dict[tuple[str, int], str] = {}
        self._newest = 0
        self.attempts = 0
        self.outlived: set[str] = set()
        """Jobs of requests that are on their way for longer than the hub waits for them."""
        self._heard_at: dict[str, float] = {}
        self._running: set[str] = set()
        self._alone = ""
        self._possible: dict[str, str] = {}
        self._doubted: dict[str, str] = {}
        self._calling_off: dict[str, str] = {}
        self._job_quiet: dict[str, Quiet] = {}
        self._lane_quiet: defaultdict[int, list[Quiet]] = defaultdict(list)
        self._opened: dict[int, Quiet] = {}
        self._failures: Counter[int] = Counter()
        self._unasked: Counter[int] = Counter()
        self._untold: set[int] = set()
        self._claimed_under: dict[str, int] = {}

    def wrong(self, invariant: str, subject: str, what: str) -> None:
        """Writes a violation down."""
        self.violations.append(Violation(invariant, subject, what, self._world.loop.time()))

    def granted(self, owner: str, lane: str, term: int) -> None:
        """An owner has a lane."""
        first = self._owners.setdefault((lane, term), owner)
        if first != owner:
            self.wrong("one owner", lane, f"{owner} has it under term {term}, as {first} had")
        if lane == LANE:
            self._newest = max(self._newest, term)

    def claimed(self, term: int, orphans: Sequence[Orphan], asked_at: float) -> None:
        """Attempts begin: their claim is committed. The owner asked for them at `asked_at`."""
        self.attempts += len(orphans)
        if excess := self._spending.excess(len(orphans), self._world.loop.time(), term):
            self.wrong("rate", f"term {term}", f"{len(orphans)} attempts are {excess:.2f} too many")
        for orphan in orphans:
            claimed = orphan.claimed
            self._world.note("claimed", claimed.attempt_id, int(claimed.purpose), term)
            self._claimed_under[claimed.attempt_id] = term
            for quiet in self._lane_quiet[term]:
                if quiet.covers(asked_at):
                    self.wrong("quiet lane", claimed.attempt_id, f"began although {quiet.why}")
            job_quiet = self._job_quiet.get(claimed.job_id)
            if claimed.purpose is Purpose.EXECUTE and job_quiet and job_quiet.covers(self._world.loop.time()):
                self.wrong("Retry-After", claimed.attempt_id, "the job was tried again too early")

    def begun(self, claimed: Claimed) -> None:
        """A spoke begins an attempt."""
        self.begun_jobs.add(claimed.job_id)
        if self._running and (_is_suspect(claimed) or self._alone in self._running):
            self.wrong("alone", claimed.attempt_id, f"beside {', '.join(sorted(self._running))}")
        self._running.add(claimed.attempt_id)
        self._alone = claimed.attempt_id if _is_suspect(claimed) else self._alone
        most = self._world.limits.concurrency
        if len(self._running) > most:
            self.wrong(
                "concurrency", claimed.attempt_id, f"{len(self._running)} attempts at once, not {most}"
            )

    def finished(self, attempt_id: str) -> None:
        """A spoke has ended an attempt."""
        self._running.discard(attempt_id)

    def spoke_gone(self) -> None:
        """The spoke's process is gone, with all that ran in it."""
        self._running.clear()

    def unwarranted(self, claimed: Claimed) -> None:
        """A spoke had to refuse an attempt whose intent is not in the log."""
        self.wrong("intent first", claimed.attempt_id, "sent to the spoke without an intent in the log")

    def sent(self, claimed: Claimed) -> None:
        """A request leaves that may have an effect."""
        self._world.note("sent", claimed.attempt_id)
        if self._world.now() >= claimed.expire_at + BEGINNING:
            self.wrong("expiry", claimed.attempt_id, "sent after its time was over")
        if SPECS[claimed.work.operation].replay is Replay.BLIND:
            earlier = self._possible.setdefault(claimed.job_id, claimed.attempt_id)
            if earlier != claimed.attempt_id:
                self.wrong(
                    "blind once", claimed.attempt_id, f"sent although {earlier} may have been performed"
                )

    def acted(self, claimed: Claimed) -> None:
        """The provider did what an attempt asked for."""
        self.effects[claimed.job_id] += 1
        self._world.note("acted", claimed.attempt_id)
        if claimed.attempt_id not in self._world.log.intents:
            self.wrong("intent first", claimed.attempt_id, "the provider acted without an intent in the log")
        if claimed.purpose is not Purpose.EXECUTE:
            self.wrong("intent first", claimed.attempt_id, "a look-up had an effect")
        if self.effects[claimed.job_id] > 1:
            self.wrong("one effect", claimed.job_id, f"{self.effects[claimed.job_id]} effects")

    def calls_off(self, claimed: Claimed) -> None:
        """A request leaves that may call a job's work off."""
        earlier = self._calling_off.setdefault(claimed.job_id, claimed.attempt_id)
        if earlier != claimed.attempt_id:
            self.wrong(
                "called off once", claimed.attempt_id, f"sent although {earlier} may have been performed"
            )

    def called_off(self, job_id: str) -> None:
        """The provider has called off what it had not done yet."""
        self.effects[job_id] -= 1
        self._world.note("called off", job_id)

    def heard(self, result: Result) -> None:
        """A hub gets a spoke's result."""
        self.outcomes[result.attempt_id] = result.outcome
        self._heard_at[result.attempt_id] = self._world.loop.time()

    def concluded(self, term: int, settlements: Sequence[Settlement]) -> None:
        """A lane's owner is about to settle: what it has learnt binds it from now on."""
        now = self._world.loop.time()
        for settlement in settlements:
            attempt_id = f"{settlement.job_id}.{settlement.seq}"
            outcome = self.outcomes.get(attempt_id)
            if outcome is None:
                continue
            heard = self._heard_at[attempt_id]
            if isinstance(outcome, NotSent) and outcome.retry_after:
                until = heard + outcome.retry_after.total_seconds()
                if outcome.cause is NotSentCause.THROTTLED:
                    self._lane_quiet[term].append(Quiet(now + SLACK, until, "the provider is throttling"))
            self._follow_breaker(term, settlement, outcome, attempt_id)

    def settling(self, lane: str, term: int, settlements: Sequence[Settlement]) -> None:
        """Settlements reach the store."""
        for settlement in settlements:
            attempt_id = f"{settlement.job_id}.{settlement.seq}"
            self._world.note("settling", attempt_id, settlement.decision.state.name, settlement.outcome)
            store = self._world.store
            row = store.live.get(settlement.job_id)
            if store.owns(lane, term) and store.is_held(settlement, term) and row is not None:
                self._check_decision(settlement, row, attempt_id)

    def settled(self, term: int, outdated: Sequence[Settlement]) -> None:
        """The store has taken settlements; `outdated`: those of attempts that were not the newest."""
        if term < self._newest:
            self.wrong("fence", f"term {term}", f"settled although the lane's term is {self._newest}")
        for settlement in outdated:
            self.wrong("fence", f"{settlement.job_id}.{settlement.seq}", "settled after a newer attempt")

    def moved(self, row: JobRow, old: JobState, new: JobState) -> None:
        """A job changes its state."""
        job_id = row.new.job_id
        self._world.note("moved", job_id, old.name, new.name, row.reason)
        if new not in TRANSITIONS[old]:
            self.wrong("transitions", job_id, f"{old.name} to {new.name}")
        doubted = self._doubted.get(job_id)
        if new in ENDED_WITHOUT and doubted:
            self.wrong("no lost doubt", job_id, f"{new.name} although {doubted} may have been performed")

    def is_quiet(self) -> bool:
        """Whether no attempt runs at the spoke any more."""
        return not self._running

    def _check_decision(self, settlement: Settlement, row: JobRow, attempt_id: str) -> None:
        looks_up = self._world.store.attempts[settlement.job_id, settlement.seq].purpose is Purpose.LOOK_UP
        outcome = self.outcomes.get(attempt_id)
        if isinstance(outcome, Declined) and outcome.reason == CALLED_OFF:
            self._doubted.pop(settlement.job_id, None)
        if settlement.decision.lost and row.losses >= 3 * POISON_AFTER:
            self.wrong("poison", attempt_id, f"{row.losses + 1} workers died of it")
        if isinstance(outcome, NotSent) and outcome.retry_after and not looks_up:
            until = self._heard_at[attempt_id] + outcome.retry_after.total_seconds()
            self._job_quiet[settlement.job_id] = Quiet(self._world.loop.time(), until, "Retry-After")
        if settlement.outcome == Unknown.__name__.lower() and not looks_up:
            self._doubted[settlement.job_id] = attempt_id
        elif looks_up and isinstance(outcome, NotSent) and outcome.cause is NotSentCause.ABSENT:
            self._doubted.pop(settlement.job_id, None)

    def _follow_breaker(self, term: int, settlement: Settlement, outcome: Outcome, attempt_id: str) -> None:
        """A second, simpler breaker: after so many failures in a row nothing begins for the shortest time."""
        now, heard, said = self._world.loop.time(), self._heard_at[attempt_id], verdict(outcome)
        if self._claimed_under.get(attempt_id) != term:
            # Attempts taken over may open the breaker too, at a moment that cannot be told from here.
            self._untold |= {term} if said is Verdict.DOWN else set()
            self._note(term, said, attempt_id)
        if self._claimed_under.get(attempt_id) != term or term in self._untold:
            return
        opened = self._opened.get(term)
        if opened is not None and heard < opened.until:
            is_down = isinstance(outcome, NotSent) and outcome.cause is NotSentCause.PROVIDER_DOWN
            if is_down and settlement.decision.counts and opened.since < heard and now < opened.until:
                self._check_counts(settlement, attempt_id)
            return
        self._note(term, said, attempt_id)
        if self._failures[term] + self._unasked[term] == FAILURES_TO_OPEN:
            self._failures[term] = self._unasked[term] = 0
            # Results that come together may be looked at in another order than they are settled in.
            until = heard + FIRST_OPEN_SECONDS - TOGETHER
            self._opened[term] = Quiet(now, until, "the breaker must be open")
            self._lane_quiet[term].append(Quiet(now + SLACK, until, "the breaker must be open"))

    def _note(self, term: int, said: Verdict, attempt_id: str) -> None:
        """Failures in a row; questions that are answered say nothing of work."""
        job_id, _, seq = attempt_id.partition(".")
        asks = self._world.store.attempts[job_id, int(seq)].purpose is Purpose.LOOK_UP
        if said is Verdict.DOWN:
            (self._unasked if asks else self._failures)[term] += 1
        elif said is Verdict.UP:
            self._unasked[term] = 0
            self._failures[term] *= asks

    def _check_counts(self, settlement: Settlement, attempt_id: str) -> None:
        row = self._world.store.live.get(settlement.job_id)
        attempt = self._world.store.attempts[settlement.job_id, settlement.seq]
        if row is not None and attempt.purpose is Purpose.EXECUTE:
            self.wrong("open counts nothing", attempt_id, "counted although the breaker is open")


def _is_suspect(claimed: Claimed) -> bool:
    """Whether one more lost worker makes a job poison, so that it must not be another's doing."""
    return claimed.purpose is Purpose.EXECUTE and claimed.losses + 1 >= POISON_AFTER
