"""The business rules of the log: what may stand beside what already stands."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from audit_service.log.entry import Entry, Reason, Refusal
from audit_service.log.keyring import KeyRing
from mesh.evidence.statement import Evidence, Intent, KeyAdd, Operation, Statement

INTENT_PHASE = 1
EVIDENCE_PHASE = 2


@dataclass(frozen=True, slots=True)
class Standing:
    """An entry that the log holds, as far as the rules look at it."""

    index: int
    id: str
    leaf: bytes
    attempt: str
    phase: int | None
    tenant: str
    purpose: str
    op: Operation


@dataclass(frozen=True, slots=True)
class Place:
    """Where a statement stands; `fresh` if it is new."""

    index: int
    leaf: bytes
    fresh: bool


Decision: TypeAlias = Place | Refusal


def phase_of(statement: Statement) -> int | None:
    """Returns the phase of an attempt that the statement speaks of; each attempt has one of each."""
    if isinstance(statement, Intent):
        return INTENT_PHASE
    return EVIDENCE_PHASE if isinstance(statement, Evidence) else None


class Rules:
    """Decides entry by entry, in order; what it places counts for those that follow, `keys` included."""

    def __init__(self, standing: Iterable[Standing], size: int, keys: KeyRing) -> None:
        self.keys = keys
        self._next = size
        self._by_id: dict[str, tuple[int, bytes]] = {}
        self._by_phase: dict[tuple[str, int], Standing | None] = {}
        for entry in standing:
            self._by_id[entry.id] = entry.index, entry.leaf
            if entry.phase is not None:
                self._by_phase[entry.attempt, entry.phase] = entry

    def decide(self, entry: Entry) -> Decision:
        """Places the entry, or says why not."""
        known = self._by_id.get(entry.statement.id)
        if known is not None:
            index, leaf = known
            if leaf == entry.leaf:
                return Place(index, leaf, fresh=False)
            return Refusal(Reason.CONFLICT, f"id: entry {index} has it, with other bytes")
        refusal = self._key_refusal(entry) or self._phase_refusal(entry.statement)
        return refusal or self._place(entry)

    def _key_refusal(self, entry: Entry) -> Refusal | None:
        if not isinstance(entry.statement, KeyAdd):
            return None
        complaint = self.keys.complaint(entry.statement, entry.envelope, self._next)
        return Refusal(Reason.NOT_ENTITLED, complaint) if complaint else None

    def _phase_refusal(self, statement: Statement) -> Refusal | None:
        if not isinstance(statement, Intent | Evidence):
            return None
        phase = phase_of(statement)
        assert phase is not None
        if (statement.attempt, phase) in self._by_phase:
            return Refusal(Reason.ALREADY_STATED, f"attempt: has its {statement.kind} already")
        if isinstance(statement, Evidence):
            return _intent_refusal(statement, self._by_phase.get((statement.attempt, INTENT_PHASE)))
        return None

    def _place(self, entry: Entry) -> Place:
        place = Place(self._next, entry.leaf, fresh=True)
        self._next += 1
        self._by_id[entry.statement.id] = place.index, place.leaf
        if isinstance(entry.statement, KeyAdd):
            self.keys = self.keys.with_key(entry.statement)
        phase = phase_of(entry.statement)
        if phase is not None and isinstance(entry.statement, Intent | Evidence):
            # Not a Standing: evidence can only follow an intent whose receipt its maker has seen.
            self._by_phase[entry.statement.attempt, phase] = None
        return place


def decide_all(
    entries: Sequence[Entry], standing: Iterable[Standing], size: int, keys: KeyRing
) -> tuple[list[Decision], KeyRing]:
    """Decides on a batch; fresh places run on from `size` without a gap. Also the keys there are then."""
    rules = Rules(standing, size, keys)
    return [rules.decide(entry) for entry in entries], rules.keys


def _intent_refusal(evidence: Evidence, intent: Standing | None) -> Refusal | None:
    if intent is None:
        return Refusal(Reason.NO_INTENT, "attempt: its intent is not in the log")
    if (intent.index, intent.leaf.hex()) != (evidence.intent.index, evidence.intent.leaf):
        return Refusal(Reason.NO_INTENT, "intent: not the one of the attempt")
    if evidence.tenant not in ("", intent.tenant):
        return Refusal(Reason.NO_INTENT, "tenant: not that of the intent")
    if intent.purpose != evidence.purpose:
        return Refusal(Reason.NO_INTENT, "purpose: not that of the intent")
    if intent.op != evidence.op:
        return Refusal(Reason.NO_INTENT, "op: not that of the intent")
    return None
