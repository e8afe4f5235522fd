"""What a running plan writes; everything is fenced by the term of the replica that runs plans."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import RowMapping, TextClause
from sqlalchemy.ext.asyncio import AsyncEngine

from hub.database.engine import single
from hub.events.told import EventKind
from hub.jobs.contradicting import Proposal
from hub.jobs.model import Job
from hub.jobs.statements import reader
from hub.lanes.duties import PLANS
from hub.lanes.ports import Statement
from hub.plans.model import UNDO_KEY, Item, ItemState, Offers, PlanState, Replayed

_read = reader(__package__, PlanState, ItemState, EventKind, Proposal)
_REPLAY = _read("plan_replay")
_DISCARD = _read("plan_discard")
_GOES_ON = _read("plan_goes_on")
_MARK = _read("plan_mark")
_UNDO_NUMBER = _read("undo_number")


class PostgresCarrierStore:
    """The writes of plans under one term."""

    def __init__(self, engine: AsyncEngine, term: int) -> None:
        self._single = single(engine)
        self._term = term

    async def replay(
        self, plan_id: str, items: Sequence[Item], statements: Sequence[Statement], offers: Offers
    ) -> Replayed:
        """Puts dead letters back, but none in doubt of which nobody knows yet whether it can be looked up."""
        known = {
            "lookable": list(offers.lookable),
            "others": list(offers.others),
            "unheard": list(offers.unheard),
        }
        rows = await self._rows(_REPLAY, {**self._given(plan_id, items, statements), **known})
        back = [(str(row["job_id"]), row["lane_id"]) for row in rows if row["lane_id"]]
        return Replayed(back, sorted({row["awaited"] for row in rows if row["awaited"]}))

    async def discard(
        self, plan_id: str, items: Sequence[Item], statements: Sequence[Statement]
    ) -> list[str]:
        """Gives dead letters up; the jobs that ended."""
        rows = await self._rows(_DISCARD, self._given(plan_id, items, statements))
        return [str(row["job_id"]) for row in rows if row["lane_id"]]

    async def goes_on(self, plan_id: str) -> bool:
        """Whether nobody has stopped the plan."""
        return bool(await self._rows(_GOES_ON, {"plan_id": plan_id}))

    async def undo_number(self, job: Job) -> int:
        """The number of the attempt that undoes a job: of the one that holds, or of the next."""
        (row,) = await self._rows(
            _UNDO_NUMBER, {"job_id": job.job_id, "tenant": job.tenant, "undo_key": UNDO_KEY}
        )
        return int(row["number"])

    async def mark(
        self,
        plan_id: str,
        number: int,
        state: ItemState,
        *,
        detail: str = "",
        job_id: str = "",
        statement: Statement | None = None,
    ) -> None:
        """Notes what became of an item."""
        await self._rows(
            _MARK,
            {
                "plan_id": plan_id,
                "number": number,
                "state": int(state),
                "detail": detail,
                "job_id": job_id,
                "about": plan_id,
                "statement_id": statement.statement_id if statement else plan_id,
                "envelope": statement.envelope if statement else b"",
                "outbox": PLANS,
                "term": self._term,
            },
        )

    def _given(self, plan_id: str, items: Sequence[Item], statements: Sequence[Statement]) -> dict[str, Any]:
        return {
            "plan_id": plan_id,
            "numbers": [i.number for i in items],
            "statement_ids": [s.statement_id for s in statements],
            "envelopes": [s.envelope for s in statements],
            "outbox": PLANS,
            "term": self._term,
        }

    async def _rows(self, statement: TextClause, values: Mapping[str, Any]) -> Sequence[RowMapping]:
        async with self._single.connect() as connection:
            result = await connection.execute(statement, values)
            return result.mappings().all() if result.returns_rows else []
