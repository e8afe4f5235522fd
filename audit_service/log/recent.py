"""What this writer has appended itself, in memory, so that most batches need no question to the store."""

from collections import OrderedDict
from collections.abc import Sequence
from typing import Final

from audit_service.log.entry import Entry
from audit_service.log.rules import EVIDENCE_PHASE, INTENT_PHASE, Standing, phase_of
from mesh.evidence.statement import Evidence, Intent, Operation

MOST_ENTRIES: Final = 10_000
_NO_OPERATION: Final = Operation("", "")


class Recent:
    """The newest entries of one opening of the log, as the rules look at them; the oldest are forgotten."""

    def __init__(self, most: int = MOST_ENTRIES) -> None:
        self._most = most
        self._by_id: OrderedDict[str, Standing] = OrderedDict()
        self._by_phase: dict[tuple[str, int], Standing] = {}

    def add(self, entries: Sequence[Entry], start: int) -> None:
        """Notes entries that are durable, the first of them at `start`."""
        for index, entry in enumerate(entries, start):
            standing = _standing(index, entry)
            self._by_id[standing.id] = standing
            if standing.phase is not None:
                self._by_phase[standing.attempt, standing.phase] = standing
        while len(self._by_id) > self._most:
            _, oldest = self._by_id.popitem(last=False)
            if oldest.phase is not None:
                del self._by_phase[oldest.attempt, oldest.phase]

    def standing(self, entries: Sequence[Entry]) -> list[Standing] | None:
        """What the rules look at; None: an intent is older than this, so only the store knows.

        That an id or an attempt is not here says little: the store refuses to take either a second time.
        """
        found: dict[str, Standing] = {}
        for entry in entries:
            said = entry.statement
            if (known := self._by_id.get(said.id)) is not None:
                found[known.id] = known
            if isinstance(said, Intent | Evidence):
                of_attempt = [self._by_phase.get((said.attempt, phase)) for phase in _PHASES]
                if isinstance(said, Evidence) and of_attempt[0] is None:
                    return None
                found |= {standing.id: standing for standing in of_attempt if standing is not None}
        return list(found.values())


_PHASES: Final = (INTENT_PHASE, EVIDENCE_PHASE)


def _standing(index: int, entry: Entry) -> Standing:
    said = entry.statement
    if isinstance(said, Intent | Evidence):
        return Standing(
            index, said.id, entry.leaf, said.attempt, phase_of(said), said.tenant, said.purpose, said.op
        )
    return Standing(index, said.id, entry.leaf, "", None, "", "", _NO_OPERATION)
