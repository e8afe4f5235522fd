"""The statements of housekeeping; each costs what it finds, not what the tables hold."""

import json
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import RowMapping, TextClause
from sqlalchemy.ext.asyncio import AsyncEngine

from hub.alerts.model import Alert
from hub.database.engine import single
from hub.housekeeping.concerns import BACKLOG_FULL, HERE, OLD_OUTBOX, PLAN_AT_A_HALT, LaneAtWork
from hub.jobs.statements import reader
from hub.plans.model import PlanState

SILENCE = timedelta(seconds=30)
"""After this an edge that watched its backlog is not there any more, or has room again."""

_read = reader(__package__, PlanState)
_EXPIRE = _read("expire")
_NEXT_EXPIRY = _read("next_expiry")
_KNOW_LANES = _read("know_lanes")
_LANES_AT_WORK = _read("lanes_at_work")
_PARK_DOUBTS = _read("park_doubts")
_OLD_OUTBOXES = _read("old_outboxes")
_PLANS_AT_A_HALT = _read("plans_at_a_halt")
_AGREE = _read("agree_alerts")
_FOLD = (_read("fold_jobs_counted"), _read("fold_letters_counted"))


class PostgresHousekeepingStore:
    """One method per commit, no policy."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._single = single(engine)

    async def expire(self, limit: int) -> list[str]:
        """Ends up to `limit` jobs whose time ran out before anything was done."""
        return [str(row["job_id"]) for row in await self._rows(_EXPIRE, {"limit": limit})]

    async def next_expiry(self) -> float | None:
        """Seconds until the next job that has not begun expires; None if there is none."""
        (row,) = await self._rows(_NEXT_EXPIRY, {})
        return None if row["seconds"] is None else float(row["seconds"])

    async def fold(self) -> None:
        """Sums the counts of each group up into one row."""
        for statement in _FOLD:
            await self._rows(statement, {})

    async def lanes(self) -> list[LaneAtWork]:
        """The lanes with jobs that go on by themselves, or with statements; also those nobody ever owned."""
        await self._rows(_KNOW_LANES, {})
        return [
            LaneAtWork(
                lane=row["lane_id"],
                term=row["term"],
                is_unowned=row["is_unowned"],
                has_jobs=row["has_waiting"] or row["has_stranded"],
                has_stranded=row["has_stranded"],
                has_statements=row["has_statements"],
            )
            for row in await self._rows(_LANES_AT_WORK, {})
        ]

    async def park_doubts(
        self, lane: str, term: int, limit: int, beyond: timedelta = timedelta()
    ) -> list[str]:
        """Parks up to `limit` jobs that may have been done, were over so long ago, and nobody can look up."""
        wanted = {"lane": lane, "term": term, "limit": limit, "beyond": beyond}
        rows = await self._rows(_PARK_DOUBTS, wanted)
        return [str(row["job_id"]) for row in rows]

    async def old_outboxes(self) -> list[str]:
        """The lanes whose oldest statement has been on its way for too long."""
        return [row["lane_id"] for row in await self._rows(_OLD_OUTBOXES, {"age": OLD_OUTBOX})]

    async def plans_at_a_halt(self) -> list[str]:
        """The plans at work that do not go on."""
        return [str(row["plan_id"]) for row in await self._rows(_PLANS_AT_A_HALT, {"age": PLAN_AT_A_HALT})]

    async def agree(self, still: Sequence[str], alerts: Sequence[Alert]) -> None:
        """Raises alerts, and ends those whose keys are not among those that still hold."""
        columns = {
            "names": list(HERE),
            "seen_elsewhere": [BACKLOG_FULL],
            "silence": SILENCE,
            "still": list(still),
            "keys": [a.key for a in alerts],
            "called": [a.name for a in alerts],
            "severities": [a.severity for a in alerts],
            "labels": [json.dumps(dict(a.labels), sort_keys=True) for a in alerts],
            "summaries": [a.summary for a in alerts],
            "runbooks": [a.runbook for a in alerts],
        }
        await self._rows(_AGREE, columns)

    async def _rows(self, statement: TextClause, values: Mapping[str, Any]) -> Sequence[RowMapping]:
        async with self._single.connect() as connection:
            result = await connection.execute(statement, values)
            return result.mappings().all() if result.returns_rows else []
