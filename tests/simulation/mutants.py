"""Bugs sown on purpose, to show that the simulation would find them. `python -m tests.simulation.mutants`."""

import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from hub.events.reconciling import ApplyHeld
from hub.housekeeping.abandoned import ParkAbandoned
from hub.housekeeping.expiring import Expiring
from hub.jobs import contradicting, decide, looking
from hub.jobs.decision import Decision, Moment
from hub.jobs.letters import Cause
from hub.jobs.model import Claimed, JobState
from hub.jobs.outcome import NotSent, NotSentCause, Outcome, Unknown
from hub.jobs.spec import OperationSpec, Replay
from hub.lanes import breaker, ownership
from hub.lanes.breaker import Breaker
from hub.lanes.dispatch import Dispatch, unreported
from hub.lanes.gate import Gate
from hub.lanes.lane import Lane
from hub.lanes.ports import Knowledge, Orphan, Receipt, Report, Result, Settlement, Warranted
from hub.lanes.relay import Relay
from hub.lanes.turns import Turns
from spokes.kit.attempts import Attempts
from tests.simulation.campaign import campaign
from tests.simulation.patches import Over, Patch
from tests.simulation.spoke import SimulatedSpoke
from tests.simulation.store import MemoryStore

MOST_SEEDS = 1500
"""A sown bug must be found within so many seeds."""

Doubt = Callable[[Claimed, Unknown, OperationSpec, Moment], Decision]

_after_not_sent = decide._after_not_sent
_warrant, _observe, _moment = Dispatch._warrant, Gate.observe, Dispatch._moment


def _owns_always(store: MemoryStore, lane: str, term: int) -> bool:
    return lane in store.lanes


def _held_by_anyone(store: MemoryStore, settlement: Settlement, term: int) -> bool:
    row = store.live.get(settlement.job_id)
    return row is not None and row.seq == settlement.seq and row.claimed_term != 0


def _held_at_any_seq(store: MemoryStore, settlement: Settlement, term: int) -> bool:
    row = store.live.get(settlement.job_id)
    return row is not None and row.claimed_term != 0


def _adopt_nothing(store: MemoryStore, lane: str, term: int) -> list[Orphan]:
    return []


def _resending(replay: Replay) -> Over:
    """An unknown outcome of operations that replay so is sent again without another look."""

    def make(before: Doubt) -> Doubt:
        def doubt(job: Claimed, outcome: Unknown, spec: OperationSpec, moment: Moment) -> Decision:
            if spec.replay is replay:
                return Decision(JobState.RETRY_WAIT, timedelta(), outcome.reason, outcome.message)
            return before(job, outcome, spec, moment)

        return doubt

    return Over(make)


def _dead_when_exhausted(before: Doubt) -> Doubt:
    def doubt(job: Claimed, outcome: Unknown, spec: OperationSpec, moment: Moment) -> Decision:
        if job.attempt_count >= job.policy.max_attempts:
            return Decision(JobState.DEAD, None, outcome.reason, "", letter=Cause.PROVIDER_DOWN)
        return before(job, outcome, spec, moment)

    return doubt


def _absent_at_once(before: Callable[..., Decision]) -> Callable[..., Decision]:
    def found_absent(job: Claimed, outcome: NotSent, spec: OperationSpec, moment: Moment) -> Decision:
        return before(replace(job, reason=decide.ABSENT_ONCE), outcome, spec, moment)

    return found_absent


def _parked_without_letter(reason: str, message: str, reference: str = "") -> Decision:
    return Decision(JobState.IN_DOUBT, None, reason, message, reference)


async def _new_key(dispatch: Dispatch, orphan: Orphan, receipt: Receipt) -> Warranted:
    warranted = await _warrant(dispatch, orphan, receipt)
    claimed = warranted.claimed
    work = replace(claimed.work, provider_key=f"{claimed.work.provider_key}.{claimed.seq}")
    return replace(warranted, claimed=replace(claimed, work=work))


async def _no_intents(dispatch: Dispatch, batch: Sequence[Orphan]) -> list[Warranted]:
    return [await dispatch._warrant(orphan, Receipt(0, b"", (), b"")) for orphan in batch]


async def _ask_nobody(dispatch: Dispatch, attempts: Sequence[Claimed]) -> list[Report]:
    return [Report(a.attempt_id, Knowledge.NOT_STARTED, None) for a in attempts]


def _unreported_is_not_sent(knowledge: Knowledge) -> Outcome:
    return unreported(Knowledge.NOT_STARTED)


def _never_on_trial(dispatch: Dispatch, claimed: Claimed, outcome: Outcome) -> Moment:
    return replace(_moment(dispatch, claimed, outcome), on_trial=False)


def _never_opens(breaker: Breaker, outcome: Outcome, now: float, *, job_id: str, writes: bool) -> Breaker:
    return breaker


def _deaf_to_throttling(gate: Gate, outcome: Outcome, now: float, *, job_id: str, writes: bool) -> None:
    if isinstance(outcome, NotSent):
        outcome = replace(outcome, retry_after=None)
    _observe(gate, outcome, now, job_id=job_id, writes=writes)


def _deaf_to_retry_after(job: Claimed, outcome: NotSent, spec: OperationSpec, moment: Moment) -> Decision:
    return _after_not_sent(job, replace(outcome, retry_after=timedelta()), spec, moment)


def _doubtless(before: Callable[..., Decision]) -> Callable[..., Decision]:
    def after_attempt(job: Claimed, outcome: Outcome, spec: OperationSpec, moment: Moment) -> Decision:
        return replace(before(job, outcome, spec, moment), doubts=False)

    return after_attempt


async def _apply_nothing(duty: ApplyHeld) -> float | None:
    return 1.0


async def _park_nothing(duty: ParkAbandoned) -> float | None:
    return 2.0


def _all_to_the_first(offers: Mapping[str, Collection[str]], owners: Mapping[str, str]) -> dict[str, str]:
    return {lane: min(offers) for lanes in offers.values() for lane in lanes}


async def _expire_nothing(duty: Expiring) -> float | None:
    return 1.0


def _never_older(attempts: Attempts[object], stated_at: datetime) -> bool:
    return False


def _admits_one_more(gate: Gate, now: float) -> int:
    return 3


def _never_counts(gate: Gate, n: int, now: float, *, fresh: bool) -> None:
    gate.in_flight += n


async def _forget_outbox(relay: Relay) -> float | None:
    statements = await relay._store.read_outbox(relay._lane, 8)
    await relay._store.clear_outbox([s.statement_id for s in statements], {})
    return 1.0


def _unattested(dispatch: Dispatch, attempt: Warranted, result: Result) -> Result:
    return result


def _counts_lost_as_absent(job: Claimed, outcome: Outcome, spec: OperationSpec, moment: Moment) -> Decision:
    if isinstance(outcome, Unknown):
        outcome = NotSent(NotSentCause.ABSENT, "ABSENT", "")
    return _after_look_up(job, outcome, spec, moment)


_after_look_up = decide._after_look_up


def _called_off_again(job: Claimed, outcome: Outcome, moment: Moment) -> Decision:
    if isinstance(outcome, Unknown):
        outcome = NotSent(NotSentCause.PROVIDER_DOWN, outcome.reason, outcome.message)
    return _after_cancel(job, outcome, moment)


_after_cancel = decide.after_cancel

_UNCHECKED: Sequence[Patch] = (
    (sys.modules[Dispatch.__module__], "unsent", lambda job, spec, now: None),
    (SimulatedSpoke, "is_over", lambda spoke, attempt: False),
)
"""Nothing is looked at again right before it is sent."""

MUTANTS: Mapping[str, list[Patch]] = {
    "settle without its fences": [
        (MemoryStore, "owns", _owns_always),
        (MemoryStore, "is_held", _held_by_anyone),
    ],
    "settle ignores seq": [(MemoryStore, "owns", _owns_always), (MemoryStore, "is_held", _held_at_any_seq)],
    "adopt takes nothing over": [(MemoryStore, "adopt", _adopt_nothing)],
    "queryable resent without a look-up": [(decide, "_doubt", _resending(Replay.QUERYABLE)), *_UNCHECKED],
    "blind resent": [(decide, "_doubt", _resending(Replay.BLIND)), *_UNCHECKED],
    "absent believed at once": [(decide, "_found_absent", Over(_absent_at_once))],
    "a failed look-up is absent": [(decide, "_after_look_up", _counts_lost_as_absent)],
    "called off again when unknown": [(decide, "after_cancel", _called_off_again)],
    "unknown is dead when exhausted": [(decide, "_doubt", Over(_dead_when_exhausted))],
    "parked without a letter": [
        (decide, "parked", _parked_without_letter),
        (looking, "parked", _parked_without_letter),
    ],
    "a new provider key per attempt": [(Dispatch, "_warrant", _new_key)],
    "intent skipped": [(Dispatch, "_state_intents", _no_intents)],
    "adopted without a fence": [(Dispatch, "_ask", _ask_nobody)],
    "lost is never started": [(sys.modules[Dispatch.__module__], "unreported", _unreported_is_not_sent)],
    "no evidence by the hub": [(Dispatch, "_attested", _unattested)],
    "attempts counted while open": [(Dispatch, "_moment", _never_on_trial)],
    "the breaker never opens": [(breaker, "after", _never_opens)],
    "throttling ignored": [(Gate, "observe", _deaf_to_throttling)],
    "Retry-After ignored": [(decide, "_after_not_sent", _deaf_to_retry_after)],
    "concurrency ignored": [(Gate, "admits", _admits_one_more)],
    "rate ignored": [(Gate, "begun", _never_counts)],
    "an unseen claim is left alone": [(Lane, "run_once", Lane._claim)],
    "a doubt is forgotten": [(sys.modules[Dispatch.__module__], "after_attempt", Over(_doubtless))],
    "suspects in company": [(sys.modules[Dispatch.__module__], "must_be_alone", lambda job: False)],
    "what is over is left alone": [(Expiring, "run_once", _expire_nothing)],
    "held events are left alone": [(ApplyHeld, "run_once", _apply_nothing)],
    "a restarted spoke begins what is older": [(Attempts, "is_older", _never_older)],
    "outbox cleared unread": [(Relay, "run_once", _forget_outbox)],
    "sent when its time is over": [*_UNCHECKED],
    "turns are forgotten": [(Turns, "order", lambda turns: [])],
    "all lanes are one's share": [(ownership, "homes", _all_to_the_first)],
    "an event overwrites an end": [(decide, "UNSETTLED", frozenset(JobState))],
    "a contradiction is swallowed": [
        (contradicting, "contradiction", lambda state, reference, outcome: None)
    ],
    "the abandoned are left alone": [(ParkAbandoned, "run_once", _park_nothing)],
}


def found_at(name: str) -> tuple[int, str] | None:
    """How many seeds it took to find a sown bug, and what gave it away."""
    tally = campaign(range(MOST_SEEDS), sown=MUTANTS[name], until_found=True)
    return (tally.runs, str(tally.violations[0][1])) if tally.violations else None


def row(name: str, found: tuple[int, str] | None) -> str:
    """A line of the table."""
    after, what = found or (MOST_SEEDS, "NOT FOUND")
    return f"{name:36} {after:5} seeds  {what}"


if __name__ == "__main__":
    for each in MUTANTS:
        print(row(each, found_at(each)), flush=True)
