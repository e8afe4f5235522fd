"""Dead letters: why a job waits for a person, what is missing, and what the hub would do. Pure."""

from enum import IntEnum

from hub.jobs.model import JobState
from hub.jobs.outcome import NotSentCause


class Cause(IntEnum):
    """Why a job waits for a person. The numbers are those of the contract and of the store."""

    PROVIDER_DOWN = 1
    MISCONFIGURED = 2
    POISON = 3
    UNRESOLVED_DOUBT = 4
    BUG = 5
    EXPIRED = 6


class MissingProof(IntEnum):
    """What is missing before the job can be called done or undone. The numbers are those of the contract."""

    NONE = 1
    OUTCOME = 2


class Proposal(IntEnum):
    """What the hub would do. The numbers are those of the contract."""

    REPLAY = 1
    MEND_AND_REPLAY = 2
    RESOLVE = 3
    INVESTIGATE = 4


_CAUSES = {
    NotSentCause.PROVIDER_DOWN: Cause.PROVIDER_DOWN,
    NotSentCause.THROTTLED: Cause.PROVIDER_DOWN,
    NotSentCause.OVERLOADED: Cause.PROVIDER_DOWN,
    NotSentCause.ABSENT: Cause.PROVIDER_DOWN,
    NotSentCause.MISCONFIGURED: Cause.MISCONFIGURED,
    NotSentCause.NO_RECEIPT: Cause.BUG,
    NotSentCause.FENCED: Cause.BUG,
    NotSentCause.UNSUPPORTED: Cause.BUG,
}

_PROPOSALS = {
    Cause.PROVIDER_DOWN: Proposal.REPLAY,
    Cause.MISCONFIGURED: Proposal.MEND_AND_REPLAY,
    Cause.POISON: Proposal.INVESTIGATE,
    Cause.UNRESOLVED_DOUBT: Proposal.RESOLVE,
    Cause.BUG: Proposal.INVESTIGATE,
    Cause.EXPIRED: Proposal.REPLAY,
}


def cause_of(not_sent: NotSentCause) -> Cause:
    """Why a job is given up whose last attempt was not sent."""
    return _CAUSES[not_sent]


def missing_proof(cause: Cause, state: JobState) -> MissingProof:
    """What is missing: a job that is not in doubt was certainly not done, but for one cause."""
    unknown = cause is Cause.UNRESOLVED_DOUBT or state is JobState.IN_DOUBT
    return MissingProof.OUTCOME if unknown else MissingProof.NONE


def proposal(cause: Cause) -> Proposal:
    """What the hub would do."""
    return _PROPOSALS[cause]
