"""Lanes that nobody works on: their statements still reach the log, and what they had under way is parked."""

import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from uuid import NAMESPACE_OID, uuid5

from hub.clock import Clock
from hub.housekeeping.concerns import LaneAtWork
from hub.housekeeping.lasting import Lasting
from hub.jobs.decision import Decision
from hub.jobs.letters import Cause
from hub.jobs.looking import OVERTIME
from hub.jobs.model import Claimed, JobState, Purpose
from hub.jobs.outcome import WORDS, Unknown
from hub.jobs.ports import Post
from hub.lanes.ports import AuditLog, LaneLeases, LaneStore, Notary, Orphan, Receipt, Refused, Settlement

ABANDONED_SECONDS = 300.0
LOOK_SECONDS = 2.0
LEASE = timedelta(seconds=30)
BATCH = 64
DOUBTS = 1000

UNKNOWN = Unknown(
    "LANE_ABANDONED", "nobody works on the lane of the attempt, so nobody can say what it came to"
)

LanesAtWork = Callable[[], Awaitable[Sequence[LaneAtWork]]]

_log = logging.getLogger(__name__)


def after_abandoned(attempt: Claimed, now: datetime, *, is_stated: bool) -> Decision:
    """What follows for an attempt that was under way when its lane lost its last owner.

    `is_stated`: the log holds its intent. One that the log refuses was never sent.
    """
    if attempt.purpose is Purpose.LOOK_UP and now < attempt.expire_at:
        return Decision(attempt.state, timedelta(), attempt.reason, UNKNOWN.message)
    if attempt.purpose is Purpose.EXECUTE and not is_stated and not attempt.doubted:
        return Decision(JobState.DEAD, None, "INTENT_REFUSED", "the log refused the intent", letter=Cause.BUG)
    return Decision(
        JobState.IN_DOUBT,
        None,
        UNKNOWN.reason,
        UNKNOWN.message,
        letter=Cause.UNRESOLVED_DOUBT,
        doubts=True,
    )


class RelayUnowned:
    """The duty that relays the outboxes of lanes that have no owner to do it.

    `relay` relays one batch of a lane, and returns 0 if there may be more.
    """

    name = "relay for unowned lanes"

    def __init__(self, lanes: LanesAtWork, relay: Callable[[str], Awaitable[float | None]]) -> None:
        self._lanes = lanes
        self._relay = relay

    async def run_once(self) -> float | None:
        """Relays all that lies there."""
        for lane in await self._lanes():
            if lane.is_unowned and lane.has_statements:
                while await self._relay(lane.lane) == 0:
                    pass
        return LOOK_SECONDS


class ParkAbandoned:
    """The duty that takes lanes nobody has owned for a while, to park what only an owner could settle.

    It sends nothing, and gives a lane back at once. `park_doubts` parks what is over and cannot be looked up,
    in a lane under a term, up to so many, if it has been over for so long. The owner of a lane whose spoke
    `is_silent` can do nothing with it: there it parks what an owner would have given up.
    """

    name = "park what is abandoned"

    def __init__(
        self,
        owner: str,
        *,
        lanes: LanesAtWork,
        leases: LaneLeases,
        store: LaneStore,
        park_doubts: Callable[[str, int, int, timedelta], Awaitable[Sequence[str]]],
        is_silent: Callable[[str], bool],
        notary: Notary,
        log: AuditLog,
        clock: Clock,
        post: Post,
    ) -> None:
        self._owner = owner
        self._lanes = lanes
        self._leases = leases
        self._store = store
        self._park_doubts = park_doubts
        self._is_silent = is_silent
        self._notary = notary
        self._log = log
        self._clock = clock
        self._post = post
        self._unowned, self._silent = Lasting(), Lasting()

    async def run_once(self) -> float | None:
        """Parks what lies in lanes that have long been abandoned, or whose spoke has long been silent."""
        lanes = await self._lanes()
        for lane in self._for_long(self._unowned, [lane for lane in lanes if lane.is_unowned]):
            await self._park(lane.lane)
        owned = [lane for lane in lanes if not lane.is_unowned and self._is_silent(lane.provider)]
        for lane in self._for_long(self._silent, owned):
            self._tell(lane.lane, await self._park_doubts(lane.lane, lane.term, DOUBTS, OVERTIME), [])
        return LOOK_SECONDS

    def _for_long(self, lasting: Lasting, lanes: Sequence[LaneAtWork]) -> list[LaneAtWork]:
        ages = lasting.seen((lane.lane for lane in lanes), self._clock.monotonic())
        return [lane for lane in lanes if lane.has_stranded and ages[lane.lane] >= ABANDONED_SECONDS]

    async def _park(self, lane: str) -> None:
        # A lane is only written down when it is first asked for; whoever owns it by now keeps it.
        grant = (await self._leases.acquire(self._owner, [lane], LEASE)).get(lane)
        if grant is None:
            return
        try:
            over = await self._park_doubts(lane, grant.term, DOUBTS, timedelta())
            orphans = await self._store.adopt(lane, grant.term)
            for start in range(0, len(orphans), BATCH):
                await self._settle(lane, grant.term, orphans[start : start + BATCH], grant.at)
        finally:
            await self._leases.release(self._owner, [lane])
        self._tell(lane, over, orphans)

    def _tell(self, lane: str, over: Sequence[str], orphans: Sequence[Orphan]) -> None:
        for job_id in [*over, *(orphan.claimed.job_id for orphan in orphans)]:
            self._post(job_id)
        if over or orphans:
            _log.warning("parked", extra={"lane": lane, "doubts": len(over), "attempts": len(orphans)})

    async def _settle(self, lane: str, term: int, orphans: Sequence[Orphan], now: datetime) -> None:
        # The log gives the same receipt for an intent that it holds already.
        answers = await self._log.append([orphan.intent for orphan in orphans], {})
        settlements = [
            self._settlement(orphan.claimed, answer, now)
            for orphan, answer in zip(orphans, answers, strict=True)
        ]
        await self._store.settle(lane, term, settlements)

    def _settlement(self, attempt: Claimed, answer: Receipt | Refused, now: datetime) -> Settlement:
        receipt = answer if isinstance(answer, Receipt) else None
        return Settlement(
            job_id=attempt.job_id,
            seq=attempt.seq,
            decision=after_abandoned(attempt, now, is_stated=receipt is not None),
            outcome=WORDS[Unknown],
            statement_id=str(uuid5(NAMESPACE_OID, f"evidence:{attempt.attempt_id}")),
            evidence=self._notary.evidence(attempt, UNKNOWN, receipt) if receipt else b"",
        )
