"""What to do about dead letters, and the command to type for it."""

from hubctl.filters import CAUSES, filter_words
from hubctl.words import TO_FILL_IN, typed
from integration.operations.v1 import dead_letter_pb2 as letters
from integration.operations.v1.operations_service_pb2 import DeadLetterGroup
from integration.operations.v1.plan_pb2 import PlanFilter

_REPLAYED = {letters.PROPOSAL_REPLAY, letters.PROPOSAL_MEND_AND_REPLAY}
_ADVICE = {
    letters.PROPOSAL_REPLAY: "replay once the provider is back",
    letters.PROPOSAL_MEND_AND_REPLAY: "mend the settings, then replay",
    letters.PROPOSAL_RESOLVE: "ask the provider, then say what happened",
    letters.PROPOSAL_INVESTIGATE: "mend our code or discard; replaying alone changes nothing",
}


def advice(proposal: int) -> str:
    """A proposal as a person reads it."""
    return _ADVICE.get(proposal, "look at one of them")  # type: ignore[call-overload,no-any-return]


def for_group(group: DeadLetterGroup, wanted: PlanFilter) -> str:
    """The next command for a group that was found with a filter."""
    words = filter_words(narrowed(group, wanted))
    if group.proposal in _REPLAYED:
        return typed("plan", "replay", *words, *TO_FILL_IN)
    return typed("dlq", "list", *words)


def for_letter(letter: letters.DeadLetter) -> str:
    """The next command for one dead letter; empty if it has left."""
    job_id = letter.job.job_id
    if letter.left_by:
        return ""
    if letter.proposal == letters.PROPOSAL_RESOLVE:
        return typed("jobs", "resolve", job_id, "--outcome", "<done|declined|not-done>", *TO_FILL_IN)
    kind = "replay" if letter.proposal in _REPLAYED else "discard"
    return typed("plan", kind, "--job", job_id, *TO_FILL_IN)


def narrowed(group: DeadLetterGroup, wanted: PlanFilter) -> PlanFilter:
    """The filter of just the group."""
    only = PlanFilter()
    only.CopyFrom(wanted)
    only.provider, _, only.account = group.lane.partition("/")
    only.reason = group.reason
    if 0 < group.cause <= len(CAUSES):
        only.cause = CAUSES[group.cause - 1]
    return only
