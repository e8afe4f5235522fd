"""Lanes and dead letters as operators see and move them; every change takes its signed statement along."""

from collections.abc import Mapping, Sequence
from datetime import MAXYEAR, MINYEAR, datetime, timedelta
from typing import Any

from sqlalchemy import RowMapping, TextClause
from sqlalchemy.ext.asyncio import AsyncEngine

from hub.database.engine import single
from hub.jobs.decision import Decision
from hub.jobs.letters import Cause
from hub.jobs.model import JobState, Purpose
from hub.jobs.rows import ending_columns
from hub.jobs.statements import reader
from hub.lanes.breaker import BreakerState
from hub.lanes.model import LaneMode
from hub.lanes.ports import Statement
from hub.operators.model import AttemptView, LaneView, LetterGroup, LetterView, Proposal
from hub.plans.filters import filter_columns
from hub.plans.model import Filter, PlanState, Why

_read = reader(__package__, LaneMode, BreakerState, PlanState)
_END_JOBS = reader("hub.jobs")("end_jobs")

_LANES = _read("lanes")
_LANE = _read("lane_get")
_CLOSED = _read("lanes_closed")
_LANE_MODE = _read("lane_mode")
_BREAKER_ORDER = _read("breaker_order")
_LETTERS = _read("letters_page")
_LETTERS_ANY = _read("letters_any")
_LETTERS_OF = _read("letters_of")
_COUNTS = _read("letters_count")
_COUNTS_OF = _read("letters_count_of")
_LETTER = _read("letter_get")
_ATTEMPTS = _read("attempts_of_job")
_RESOLVE = _read("resolve_job")
_PROPOSE = _read("resolution_propose")
_PROPOSAL = _read("resolution_get")
_ABOUT = _read("state_about_job")
_RECONCILE = _read("alert_reconcile")
_ALERT_LANES = _read("alert_lanes")

CONFIRM_WITHIN = timedelta(minutes=10)
"""How long another person can confirm what one has proposed."""


class PostgresOperationsStore:
    """One method per commit, no policy."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._single = single(engine)

    async def lanes(self) -> list[LaneView]:
        """All lanes."""
        return [_lane(row) for row in await self._rows(_LANES, {})]

    async def lane(self, lane: str) -> LaneView:
        """One lane that there is."""
        (row,) = await self._rows(_LANE, {"lane": lane})
        return _lane(row)

    async def closed_lanes(self) -> frozenset[str]:
        """The lanes that take no new jobs."""
        return frozenset(row["lane_id"] for row in await self._rows(_CLOSED, {}))

    async def set_mode(self, lane: str, mode: LaneMode, *, actor: str, reason: str, said: Statement) -> bool:
        """Lets a lane work, pause or drain; False if there is none of that name."""
        change = {"lane": lane, "mode": int(mode), "actor": actor, "reason": reason, **_stated(said)}
        return bool(await self._rows(_LANE_MODE, change))

    async def order_breaker(self, lane: str, state: BreakerState, said: Statement) -> bool:
        """Moves a breaker by hand; False if there is no lane of that name."""
        return bool(await self._rows(_BREAKER_ORDER, {"lane": lane, "state": int(state), **_stated(said)}))

    async def letters(
        self, wanted: Filter, *, also_left: bool, before: tuple[datetime, str] | None, limit: int
    ) -> list[LetterView]:
        """Dead letters, newest first."""
        values = {
            **filter_columns(wanted),
            "all": also_left,
            "before": before[0] if before else None,
            "before_job": before[1] if before else None,
            "limit": limit,
        }
        named = _LETTERS_ANY if also_left else _LETTERS
        statement = _LETTERS_OF if wanted.job_ids else named
        return [_letter(row) for row in await self._rows(statement, values)]

    async def letter_groups(self, wanted: Filter) -> list[LetterGroup]:
        """Open dead letters by lane, cause and reason."""
        statement = _COUNTS_OF if wanted.job_ids else _COUNTS
        rows = await self._rows(statement, filter_columns(wanted))
        return [LetterGroup(r["lane_id"], Cause(r["cause"]), r["reason"], r["letters"]) for r in rows]

    async def letter(self, job_id: str) -> LetterView | None:
        """The newest dead letter of a job."""
        rows = await self._rows(_LETTER, {"job_id": job_id})
        return _letter(rows[0]) if rows else None

    async def attempts(self, job_id: str) -> list[AttemptView]:
        """The tries of a job, oldest first."""
        return [_attempt(row) for row in await self._rows(_ATTEMPTS, {"job_id": job_id})]

    async def free(self, job_id: str, said: Statement, *, actor: str, needs_two: bool) -> bool:
        """Lets a job parked in doubt go on; with `needs_two` only if another person has proposed it."""
        given = {"job_id": job_id, "actor": actor, "needs_two": needs_two, **_stated(said)}
        return bool(await self._rows(_RESOLVE, given))

    async def propose(self, job_id: str, why: Why, said: Statement) -> bool:
        """Keeps that a parked job was not done; False if it is not parked, or another proposal stands."""
        given = {"job_id": job_id, "actor": why.actor, "reason": why.reason, "ticket": why.ticket}
        return bool(await self._rows(_PROPOSE, {**given, "within": CONFIRM_WITHIN, **_stated(said)}))

    async def proposal(self, job_id: str) -> Proposal | None:
        """The proposal about a parked job that can still be confirmed."""
        rows = await self._rows(_PROPOSAL, {"job_id": job_id})
        return Proposal(**rows[0]) if rows else None

    async def settle_by_hand(self, job_id: str, decision: Decision, said: Statement) -> bool:
        """Ends a job that is parked in doubt, as a person says."""
        change = ending_columns({job_id: decision}, left=[JobState.IN_DOUBT], by="resolved")
        async with self._engine.begin() as connection:
            await connection.execute(_ABOUT, {"job_id": job_id, **_stated(said)})
            if (await connection.execute(_END_JOBS, change)).first() is None:
                await connection.rollback()
                return False
        return True

    async def reconcile_alerts(self, patience: timedelta) -> None:
        """Ends alerts whose cause is gone, and raises those for events that nobody has claimed in time."""
        await self._rows(_RECONCILE, {"patience": patience})

    async def reconcile_lanes(self, lanes: Sequence[str], unheard: Sequence[str]) -> None:
        """Ends the alerts of lanes that are no more. `unheard`: spokes that have not said what they offer."""
        await self._rows(_ALERT_LANES, {"lanes": list(lanes), "unheard": list(unheard)})

    async def _rows(self, statement: TextClause, values: Mapping[str, Any]) -> Sequence[RowMapping]:
        async with self._single.connect() as connection:
            result = await connection.execute(statement, values)
            return result.mappings().all() if result.returns_rows else []


def _stated(statement: Statement) -> dict[str, Any]:
    return {"statement_id": statement.statement_id, "envelope": statement.envelope}


def _lane(row: RowMapping) -> LaneView:
    return LaneView(
        lane=row["lane_id"],
        mode=LaneMode(row["mode"]),
        mode_actor=row["mode_actor"],
        mode_reason=row["mode_reason"],
        mode_at=row["mode_at"],
        owner=row["owner"],
        term=row["term"],
        lease_until=_finite(row["lease_until"]),
        breaker_state=BreakerState(row["breaker_state"]),
        breaker_until=_finite(row["breaker_until"]),
        breaker_at=row["breaker_at"],
        breaker_reason=row["breaker_reason"],
        breaker_trips=row["breaker_trips"],
        throttled_until=row["throttled_until"],
        waiting=row["waiting"],
        running=row["running"],
        unconfirmed=row["unconfirmed"],
        in_doubt=row["in_doubt"],
        oldest_seconds=None if row["oldest"] is None else float(row["oldest"]),
        letters=row["letters"],
    )


def _finite(moment: datetime | None) -> datetime | None:
    # The driver reads an infinite time as the greatest or least there is.
    if moment is None or moment.year in (MINYEAR, MAXYEAR):
        return None
    return moment


def _letter(row: RowMapping) -> LetterView:
    return LetterView(
        job_id=str(row["job_id"]),
        cause=Cause(row["cause"]),
        entered_at=row["entered_at"],
        left_at=row["left_at"],
        left_by=row["left_by"],
        alert_key=row["alert_key"],
    )


def _attempt(row: RowMapping) -> AttemptView:
    return AttemptView(
        attempt_id=f"{row['job_id']}.{row['seq']}",
        purpose=Purpose(row["purpose"]),
        outcome=row["outcome"],
        reason=row["reason"],
        claimed_at=row["claimed_at"],
        settled_at=row["settled_at"],
    )
