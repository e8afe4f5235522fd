"""Plans and their items in Postgres."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping, TextClause
from sqlalchemy.ext.asyncio import AsyncEngine

from hub.database.engine import single
from hub.events.model import ArrivedEvent
from hub.events.told import EventKind
from hub.jobs.contradicting import Proposal
from hub.jobs.letters import Cause
from hub.jobs.statements import reader
from hub.lanes.duties import PLANS
from hub.lanes.ports import Statement
from hub.plans.filters import filter_columns
from hub.plans.item_events import event_columns, event_from_row
from hub.plans.model import (
    APPROVE_WITHIN,
    UNDO_KEY,
    Counts,
    Filter,
    Item,
    ItemState,
    NewPlan,
    Pace,
    Plan,
    PlanKind,
    PlanState,
    Why,
)
from hub.plans.planning import Matched

_read = reader(__package__, PlanState, ItemState, EventKind, Proposal)
_CREATE = _read("plan_create")
_GET = _read("plan_get")
_PAGE = _read("plan_page")
_ITEMS = _read("plan_items")
_MOVE = _read("plan_move")
_LAPSE = _read("plan_lapse")
_RUNNING = _read("plan_running")
_REFRESH = _read("plan_refresh")
_GO_ON = _read("plan_go_on")
_STATE = _read("plan_state")
_OPEN_LETTERS = _read("letters_open")
_OPEN_LETTERS_OF = _read("letters_open_of")
_SUCCEEDED = _read("jobs_succeeded")
_SUCCEEDED_OF = _read("jobs_succeeded_of")
_UNKNOWN_EVENTS = _read("events_unknown")


class PostgresPlanStore:
    """One method per statement, no policy."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._single = single(engine)

    async def open_letters(self, wanted: Filter, limit: int) -> list[Matched]:
        """Open dead letters, oldest first."""
        statement = _OPEN_LETTERS_OF if wanted.job_ids else _OPEN_LETTERS
        rows = await self._rows(statement, {**filter_columns(wanted), "limit": limit})
        return [_matched(row, cause=Cause(row["cause"])) for row in rows]

    async def succeeded_jobs(self, wanted: Filter, limit: int) -> list[Matched]:
        """Succeeded jobs, oldest first, with the job that undoes each, if one holds."""
        columns = filter_columns(wanted)
        del columns["cause"]
        statement = _SUCCEEDED_OF if wanted.job_ids else _SUCCEEDED
        rows = await self._rows(statement, {**columns, "undo_key": UNDO_KEY, "limit": limit})
        return [_matched(row, undone_by=str(row["undone_by"] or "")) for row in rows]

    async def unknown_events(self, lane: str, events: Sequence[ArrivedEvent]) -> set[str]:
        """The ids of those of a lane's events that the store does not hold, holds as saying nothing, or about
        which nobody has been told whom they concern."""
        given = {
            "lane": lane,
            "event_ids": [e.event_id for e in events],
            "types": [e.type for e in events],
            "job_ids": [e.job_id or None for e in events],
            "say_something": [bool(e.job_id and e.outcome) for e in events],
            "concerns": [int(e.concern.kind) if e.concern else 0 for e in events],
        }
        rows = await self._rows(_UNKNOWN_EVENTS, given)
        return {row["event_id"] for row in rows}

    async def create(self, plan: NewPlan, statement: Statement) -> None:
        """Keeps a preview."""
        await self._rows(
            _CREATE,
            {
                "plan_id": plan.plan_id,
                "kind": int(plan.kind),
                "filter": plan.filter,
                "chunk_size": plan.pace.chunk_size,
                "canary_size": plan.pace.canary_size,
                "rate_per_second": plan.pace.rate_per_second,
                "stop_error_percent": plan.pace.stop_error_percent,
                "stop_min_results": plan.pace.stop_min_results,
                "confirm_within": plan.pace.confirm_within,
                "creator": plan.why.actor,
                "reason": plan.why.reason,
                "ticket": plan.why.ticket,
                "approve_within": APPROVE_WITHIN,
                "needs_second_person": plan.needs_second_person,
                "ineligible": json.dumps(dict(plan.ineligible)),
                "digest": plan.digest,
                "subjects": [i.subject for i in plan.items],
                "job_ids": [i.job_id for i in plan.items],
                **event_columns([i.event for i in plan.items]),
                **_stated(statement),
            },
        )

    async def get(self, plan_id: str) -> Plan | None:
        """One plan with its counts."""
        rows = await self._rows(_GET, {"plan_id": plan_id})
        return _plan(rows[0]) if rows else None

    async def page(self, *, before: datetime | None, limit: int) -> list[Plan]:
        """Plans, newest first."""
        return [_plan(row) for row in await self._rows(_PAGE, {"before": before, "limit": limit})]

    async def items(
        self, plan_id: str, *, after: int, limit: int, states: Sequence[ItemState] = ()
    ) -> list[Item]:
        """Items of a plan, in order."""
        wanted = {
            "plan_id": plan_id,
            "after": after,
            "limit": limit,
            "states": [int(s) for s in states] or None,
        }
        lane = await self._lane(plan_id)
        return [_item(row, lane) for row in await self._rows(_ITEMS, wanted)]

    async def approve(self, plan_id: str, approver: str, statement: Statement) -> bool:
        """Starts a plan that waits for its approval; False if it does not, or not any more."""
        moves = (PlanState.PREVIEWED, PlanState.RUNNING)
        return await self._move(plan_id, moves, statement, approver=approver)

    async def stop(self, plan_id: str, note: str, statement: Statement) -> bool:
        """Stops a running plan; False if it does not run."""
        return await self._move(plan_id, (PlanState.RUNNING, PlanState.STOPPED), statement, note=note)

    async def resume(self, plan_id: str, statement: Statement) -> bool:
        """Lets a stopped plan run again; False if it is not stopped."""
        return await self._move(plan_id, (PlanState.STOPPED, PlanState.RUNNING), statement, forgives=True)

    async def abandon(self, plan_id: str, note: str, statement: Statement) -> bool:
        """Ends a stopped plan for good; False if it is not stopped."""
        return await self._move(plan_id, (PlanState.STOPPED, PlanState.ABANDONED), statement, note=note)

    async def end(self, plan_id: str, state: PlanState, note: str, statement: Statement) -> bool:
        """Finishes or stops a running plan."""
        return await self._move(plan_id, (PlanState.RUNNING, state), statement, note=note)

    async def lapse(self) -> None:
        """Ends the time for approval of old previews."""
        await self._rows(_LAPSE, {})

    async def running(self) -> list[str]:
        """The plans at work, oldest first."""
        return [str(row["plan_id"]) for row in await self._rows(_RUNNING, {})]

    async def refresh(self) -> None:
        """Gives items the results of their jobs, and passes over what is not confirmed in time."""
        await self._rows(_REFRESH, {})

    async def go_on(self, plan_id: str, statement: Statement) -> bool:
        """Passes over what is under way; False if the plan does not run."""
        return bool(await self._rows(_GO_ON, {"plan_id": plan_id, **_stated(statement)}))

    async def pending(self, plan_id: str, limit: int) -> list[Item]:
        """The next items that have not begun."""
        return await self.items(plan_id, after=0, limit=limit, states=[ItemState.PENDING])

    async def state_step(self, plan_id: str, statement: Statement) -> None:
        """Passes a statement on to the log."""
        await self._rows(_STATE, {"plan_id": plan_id, **_stated(statement)})

    async def _move(
        self,
        plan_id: str,
        states: tuple[PlanState, PlanState],
        statement: Statement,
        *,
        note: str = "",
        approver: str = "",
        forgives: bool = False,
    ) -> bool:
        change = {
            "plan_id": plan_id,
            "from_state": int(states[0]),
            "to_state": int(states[1]),
            "note": note,
            "approver": approver,
            "forgives": forgives,
            **_stated(statement),
        }
        return bool(await self._rows(_MOVE, change))

    async def _lane(self, plan_id: str) -> str:
        plan = await self.get(plan_id)
        wanted = json.loads(plan.filter) if plan else {}
        return f"{wanted.get('provider', '')}/{wanted.get('account', 'default')}"

    async def _rows(self, statement: TextClause, values: Mapping[str, Any]) -> Sequence[RowMapping]:
        async with self._single.connect() as connection:
            result = await connection.execute(statement, values)
            return result.mappings().all() if result.returns_rows else []


def _stated(statement: Statement) -> dict[str, Any]:
    return {"statement_id": statement.statement_id, "envelope": statement.envelope, "outbox": PLANS}


def _matched(row: RowMapping, *, cause: Cause | None = None, undone_by: str = "") -> Matched:
    return Matched(
        job_id=str(row["job_id"]),
        operation=row["operation"],
        provider=row["lane_id"].split("/", 1)[0],
        tenant=row["tenant"],
        provider_reference=row["provider_reference"],
        cause=cause,
        undone_by=undone_by,
    )


def _plan(row: RowMapping) -> Plan:
    return Plan(
        plan_id=str(row["plan_id"]),
        kind=PlanKind(row["kind"]),
        state=PlanState(row["state"]),
        filter=row["filter"],
        pace=Pace(
            row["chunk_size"],
            row["canary_size"],
            row["rate_per_second"],
            row["stop_error_percent"],
            row["stop_min_results"],
            row["confirm_within"],
        ),
        why=Why(row["creator"], row["reason"], row["ticket"]),
        created_at=row["created_at"],
        expire_at=row["expire_at"],
        needs_second_person=row["needs_second_person"],
        approver=row["approver"],
        approved_at=row["approved_at"],
        ineligible=json.loads(row["ineligible"]),
        digest=row["digest"],
        note=row["note"],
        counts=Counts(**{f.name: row[f.name] for f in fields(Counts)}),
        forgiven=(row["forgiven_done"], row["forgiven_failed"]),
    )


def _item(row: RowMapping, lane: str) -> Item:
    job_id = str(row["job_id"] or "")
    return Item(
        number=row["number"],
        subject=row["subject"],
        state=ItemState(row["state"]),
        detail=row["detail"],
        job_id=job_id,
        event=event_from_row(row, lane, job_id),
        updated_at=row["updated_at"],
    )
