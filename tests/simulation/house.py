"""What the hub's housekeeping reads and parks, in memory, over the model of its store."""

from datetime import timedelta

from hub.housekeeping.concerns import LaneAtWork
from hub.jobs.letters import Cause
from hub.jobs.model import JobState
from tests.simulation.lanes import LaneRow
from tests.simulation.store import JobRow, LetterRow, MemoryStore

OWN = "hub-duty/"
"""How the lanes and the owners begin that are the hub's own duties."""


class MemoryHouse:
    """As the housekeeping store. One call is one commit."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store

    def lanes(self) -> list[LaneAtWork]:
        """As know_lanes.sql and lanes_at_work.sql."""
        store = self._store
        for row in store.live.values():
            if _waits(row) and row.state is not JobState.IN_DOUBT:
                store.lanes.setdefault(row.new.lane, LaneRow())
        found = [self._at_work(lane) for lane in sorted(store.lanes) if not lane.startswith(OWN)]
        return [lane for lane in found if lane.has_jobs or lane.has_statements]

    def park_doubts(self, lane: str, term: int, limit: int, beyond: timedelta = timedelta()) -> list[str]:
        """As park_doubts.sql."""
        if not self._store.owns(lane, term):
            return []
        over = [
            row for row in self._store.live.values() if row.new.lane == lane and self._is_over(row, beyond)
        ]
        over = sorted(over, key=lambda row: row.new.expire_at)[:limit]
        for row in over:
            self._park(row)
        return [row.new.job_id for row in over]

    def _at_work(self, lane: str) -> LaneAtWork:
        held = self._store.lanes[lane]
        rows = [row for row in self._store.live.values() if row.new.lane == lane]
        stranded = any(row.claimed_term or self._is_over(row) for row in rows)
        return LaneAtWork(
            lane=lane,
            term=held.term,
            is_unowned=held.lease_until < self._store.now() or held.owner.startswith(OWN),
            has_jobs=stranded or any(_waits(row) for row in rows),
            has_stranded=stranded,
            has_statements=any(row.lane == lane for row in self._store.outbox.values()),
        )

    def _is_over(self, row: JobRow, beyond: timedelta = timedelta()) -> bool:
        now = self._store.now()
        if row.state not in (JobState.WAITING_CONFIRMATION, JobState.IN_DOUBT) or row.claimed_term:
            return False
        if row.due_at is None or row.new.expire_at > now - beyond:
            return False
        return row.state is JobState.IN_DOUBT or row.due_at <= now

    def _park(self, row: JobRow) -> None:
        waited = row.state is JobState.WAITING_CONFIRMATION
        row.reason = "CONFIRMATION_OVERDUE" if waited else "NOBODY_TO_ASK"
        row.message = "its time is over, and no spoke is there to look it up"
        row.due_at, row.doubted = None, True
        self._store.letters[row.new.job_id, row.seq] = LetterRow(Cause.UNRESOLVED_DOUBT, row.reason)
        if waited:
            row.state = JobState.IN_DOUBT
            self._store.moved(row, JobState.WAITING_CONFIRMATION, row.state)


def _waits(row: JobRow) -> bool:
    return not row.claimed_term and row.due_at is not None
