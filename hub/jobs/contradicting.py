"""What a provider's later word says against how a job ended, and what is proposed then. Pure."""

from dataclasses import dataclass
from enum import IntEnum

from hub.jobs.decide import after_event
from hub.jobs.decision import Decision
from hub.jobs.model import FINAL, JobState
from hub.jobs.outcome import Declined, Outcome, Succeeded


class Proposal(IntEnum):
    """What is proposed to whom it concerns. The numbers are those of the contract and of the store."""

    NOTHING = 0
    ROLL_BACK = 1
    REPEAT = 2
    INVESTIGATE = 3


@dataclass(frozen=True, slots=True)
class Contradiction:
    """What an event says otherwise than its job: the first thing in which they differ."""

    what: str
    proposal: Proposal


@dataclass(frozen=True, slots=True)
class Weighed:
    """What becomes of an event, in one word, and what it changes or contradicts."""

    word: str
    decision: Decision | None = None
    contradiction: Contradiction | None = None


def weigh(state: JobState, reference: str, outcome: Outcome | None, differs: str | None) -> Weighed:
    """What an event does to a job that stands in `state` and that the provider knows by `reference`.

    `differs`: what the event names otherwise than the job asked for.
    """
    decision = after_event(state, outcome) if outcome else None
    speaks = decision is not None or (state in FINAL and isinstance(outcome, Succeeded | Declined))
    if outcome is None or not speaks:
        return Weighed("late" if state in FINAL else "noted")
    if differs:
        return Weighed("mismatch", contradiction=Contradiction(differs, Proposal.INVESTIGATE))
    if decision:
        return Weighed("applied", decision)
    found = contradiction(state, reference, outcome)
    return Weighed("mismatch" if found else "late", contradiction=found)


def contradiction(state: JobState, reference: str, outcome: Outcome) -> Contradiction | None:
    """What a word says against the final state of a job; None: it says the same, or nothing final.

    What the job does not count as done is there at the provider: it is to be rolled back. What it counts as
    done did not last: it is to be asked for again. Two things done, or another's failure, are a riddle.
    """
    if state not in FINAL or not isinstance(outcome, Succeeded | Declined):
        return None
    if state is JobState.SUCCEEDED:
        if reference and outcome.provider_reference not in ("", reference):
            return Contradiction("provider_reference", Proposal.INVESTIGATE)
        return Contradiction("state", Proposal.REPEAT) if isinstance(outcome, Declined) else None
    return Contradiction("state", Proposal.ROLL_BACK) if isinstance(outcome, Succeeded) else None
