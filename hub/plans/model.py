"""Plans: bulk operations that are previewed, approved, run in chunks, stopped and resumed. Pure."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum

from hub.events.model import ArrivedEvent
from hub.jobs.letters import Cause

MOST_ITEMS = 10_000
APPROVE_WITHIN = timedelta(minutes=10)
UNDO_KEY = "~rollback:"
"""Begins the request id of the job that undoes another; the contract lets none of Core's begin like this."""


def undo_key(job_id: str, number: int) -> str:
    """The request id of the attempt to undo a job that has this number, from 1."""
    return f"{UNDO_KEY}{job_id}:{number}"


class PlanKind(IntEnum):
    """What a plan does with its items. The numbers are those of the contract and of the store."""

    REPLAY = 1
    ROLLBACK = 2
    BACKFILL = 3
    DISCARD = 4


class PlanState(IntEnum):
    """Where a plan stands. The numbers are those of the contract and of the store."""

    PREVIEWED = 1
    RUNNING = 2
    STOPPED = 3
    FINISHED = 4
    LAPSED = 5
    ABANDONED = 6


class ItemState(IntEnum):
    """What became of an item. The numbers are those of the contract and of the store."""

    PENDING = 1
    STARTED = 2
    SUCCEEDED = 3
    FAILED = 4
    SKIPPED = 5
    UNCONFIRMED = 6


@dataclass(frozen=True, slots=True)
class Filter:
    """Which jobs or events; what is empty does not filter. Times are aware UTC, `end` is exclusive."""

    provider: str = ""
    account: str = ""
    tenant: str = ""
    operation: str = ""
    cause: Cause | None = None
    reason: str = ""
    start: datetime | None = None
    end: datetime | None = None
    job_ids: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        """True if it would match everything."""
        return self == Filter()


@dataclass(frozen=True, slots=True)
class Pace:
    """How a plan runs: items in a chunk, in the first chunk, per second, and the errors that stop it.

    `stop_min_results`: fewer results than this are judged as if they were so many. `confirm_within`: how long
    an item that waits for its confirmation holds up the others.
    """

    chunk_size: int = 50
    canary_size: int = 1
    rate_per_second: int = 10
    stop_error_percent: int = 10
    stop_min_results: int = 20
    confirm_within: timedelta = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Why:
    """Who does something, why, and under which ticket."""

    actor: str
    reason: str
    ticket: str


@dataclass(frozen=True, slots=True)
class Frozen:
    """An item of a preview: a job, or the id of an event that a backfill takes in."""

    subject: str
    job_id: str = ""
    event: ArrivedEvent | None = None


@dataclass(frozen=True, slots=True)
class NewPlan:
    """A preview on its way into the store."""

    plan_id: str
    kind: PlanKind
    filter: str
    pace: Pace
    why: Why
    needs_second_person: bool
    ineligible: Mapping[str, int]
    items: Sequence[Frozen]

    @property
    def digest(self) -> str:
        """SHA-256 of the frozen ids, hex."""
        return hashlib.sha256("\n".join(i.subject for i in self.items).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Counts:
    """How many items stand where."""

    pending: int = 0
    started: int = 0
    succeeded: int = 0
    failed: int = 0
    skipped: int = 0
    unconfirmed: int = 0

    @property
    def total(self) -> int:
        """All of them."""
        return self.pending + self.begun

    @property
    def results(self) -> int:
        """Those that have succeeded or failed."""
        return self.succeeded + self.failed

    @property
    def begun(self) -> int:
        """Those that have been looked at."""
        return self.started + self.results + self.skipped + self.unconfirmed


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan as it stands. `forgiven`: results (done, failed) that no longer count towards a stop."""

    plan_id: str
    kind: PlanKind
    state: PlanState
    filter: str
    pace: Pace
    why: Why
    created_at: datetime
    expire_at: datetime
    needs_second_person: bool
    approver: str
    approved_at: datetime | None
    ineligible: Mapping[str, int]
    digest: str
    note: str
    counts: Counts
    forgiven: tuple[int, int] = (0, 0)


@dataclass(frozen=True, slots=True)
class Item:
    """One item of a plan as it stands."""

    number: int
    subject: str
    state: ItemState
    detail: str
    job_id: str
    event: ArrivedEvent | None
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Offers:
    """What spokes offer, each as "lane|operation"; `unheard`: the spokes that have not said so yet."""

    lookable: Sequence[str]
    others: Sequence[str]
    unheard: Sequence[str]


@dataclass(frozen=True, slots=True)
class Replayed:
    """(job, lane) of the dead letters that went back, and the spokes that others wait for."""

    back: Sequence[tuple[str, str]]
    awaited: Sequence[str]


@dataclass(frozen=True, slots=True)
class Begin:
    """Begin so many items, then look again after a second: the rate is per second."""

    items: int


@dataclass(frozen=True, slots=True)
class Await:
    """The chunk is under way: look again soon."""


@dataclass(frozen=True, slots=True)
class Stop:
    """Too much fails."""

    note: str


@dataclass(frozen=True, slots=True)
class Finish:
    """Every item has its result, or was passed over without one."""


Step = Begin | Await | Stop | Finish


def next_step(plan: Plan) -> Step:
    """What a running plan does next."""
    counts, pace = plan.counts, plan.pace
    if too_much_fails(plan):
        return Stop(f"{counts.failed} of {counts.results} items with a result have failed")
    if not counts.pending and not counts.started:
        return Finish()
    room = _chunk_end(counts.begun, pace, at_boundary_next=not counts.started) - counts.begun
    if room <= 0 or not counts.pending:
        return Await()
    return Begin(min(room, pace.rate_per_second, counts.pending))


def too_much_fails(plan: Plan) -> bool:
    """True if the share of failures since the plan was last resumed is beyond its pace.

    The first chunk is judged by its own size; after it a few results are no share of a long plan.
    """
    counts, pace = plan.counts, plan.pace
    done_before, failed_before = plan.forgiven
    failed = counts.failed - failed_before
    least = 0 if counts.begun <= pace.canary_size else pace.stop_min_results
    return failed > 0 and failed * 100 > pace.stop_error_percent * max(counts.results - done_before, least)


def _chunk_end(begun: int, pace: Pace, *, at_boundary_next: bool) -> int:
    """The number of the last item of the chunk; at a boundary, of the next one only once this one is done."""
    if begun < pace.canary_size:
        return pace.canary_size
    into = (begun - pace.canary_size) % pace.chunk_size
    if into == 0:
        return begun + (pace.chunk_size if at_boundary_next else 0)
    return begun - into + pace.chunk_size
