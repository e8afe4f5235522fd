"""Previewing, approving, stopping, resuming and abandoning plans: what people do with them."""

import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Protocol, assert_never

from hub.errors import PlanNotApprovable, PlanNotFound, PlanRefused, PlanTooLarge, SecondPersonNeeded
from hub.events.model import ArrivedEvent
from hub.jobs.letters import Cause
from hub.lanes.ports import Statement
from hub.plans.model import MOST_ITEMS, Filter, Frozen, NewPlan, Pace, Plan, PlanKind, Why


@dataclass(frozen=True, slots=True)
class Matched:
    """A job that a filter matches; `cause`: of its open dead letter."""

    job_id: str
    operation: str
    provider: str
    tenant: str
    provider_reference: str
    cause: Cause | None = None
    undone_by: str = ""


class PlanStore(Protocol):
    """The store as planning uses it. Every change takes its signed statement along, in the same commit."""

    async def open_letters(self, wanted: Filter, limit: int) -> list[Matched]:
        """Open dead letters, oldest first."""
        ...

    async def succeeded_jobs(self, wanted: Filter, limit: int) -> list[Matched]:
        """Succeeded jobs, oldest first, with the job that undoes each, if one holds."""
        ...

    async def unknown_events(self, lane: str, events: Sequence[ArrivedEvent]) -> set[str]:
        """The ids of those of a lane's events that the store does not hold, holds as saying nothing, or about
        which nobody has been told whom they concern."""
        ...

    async def create(self, plan: NewPlan, statement: Statement) -> None:
        """Keeps a preview."""
        ...

    async def get(self, plan_id: str) -> Plan | None:
        """One plan with its counts."""
        ...

    async def approve(self, plan_id: str, approver: str, statement: Statement) -> bool:
        """Starts a plan that waits for its approval; False if it does not, or not any more."""
        ...

    async def stop(self, plan_id: str, note: str, statement: Statement) -> bool:
        """Stops a running plan; False if it does not run."""
        ...

    async def resume(self, plan_id: str, statement: Statement) -> bool:
        """Lets a stopped plan run again; False if it is not stopped."""
        ...

    async def go_on(self, plan_id: str, statement: Statement) -> bool:
        """Passes over what is under way; False if the plan does not run."""
        ...

    async def abandon(self, plan_id: str, note: str, statement: Statement) -> bool:
        """Ends a stopped plan for good; False if it is not stopped."""
        ...


class Catalogue(Protocol):
    """What is known of operations, from the contracts and the spokes."""

    def moves_money(self, operation: str) -> bool:
        """Whether it moves money or a claim to money."""
        ...

    def has_inverse(self, operation: str) -> bool:
        """Whether the contract says what undoes it."""
        ...

    def can_look_up(self, provider: str, operation: str) -> bool:
        """Whether the provider can be asked what became of it; ProviderNotReady: nobody knows yet."""
        ...


class EventLists(Protocol):
    """The providers' own lists of events."""

    async def list_events(
        self, lane: str, plan_id: str, *, start: datetime, end: datetime, most: int
    ) -> list[ArrivedEvent]:
        """The events of a time range; each page is an outside call with its own intent and evidence. Raises
        UnknownProvider or UnknownAccount before that, PlanRefused if the provider lists none."""
        ...


class SignsActions(Protocol):
    """Signs what a person does."""

    def action(
        self, act: str, subject: str, why: Why, *, job: str = "", digest: str = "", detail: str = ""
    ) -> Statement:
        """A signed statement."""
        ...


class Planning:
    """What people do with plans. `new_id` makes a plan's id."""

    def __init__(
        self,
        store: PlanStore,
        *,
        catalogue: Catalogue,
        lists: EventLists,
        notary: SignsActions,
        new_id: Callable[[], str],
    ) -> None:
        self._store = store
        self._catalogue = catalogue
        self._lists = lists
        self._notary = notary
        self._new_id = new_id

    async def preview(self, kind: PlanKind, wanted: Filter, pace: Pace, why: Why) -> Plan:
        """Freezes what the filter matches; raises PlanRefused or PlanTooLarge."""
        if wanted.is_empty:
            raise PlanRefused("an empty filter would match everything")
        plan_id = self._new_id()
        items, ineligible, needs_two = await self._match(kind, wanted, plan_id)
        plan = NewPlan(
            plan_id=plan_id,
            kind=kind,
            filter=filter_text(wanted),
            pace=pace,
            why=why,
            needs_second_person=needs_two,
            ineligible=ineligible,
            items=items,
        )
        await self._store.create(plan, self._sign("plan.preview", plan_id, why, digest=plan.digest))
        return await self.get(plan_id)

    async def get(self, plan_id: str) -> Plan:
        """One plan; raises PlanNotFound."""
        plan = await self._store.get(plan_id)
        if plan is None:
            raise PlanNotFound(f"there is no plan {plan_id}", plan_id=plan_id)
        return plan

    async def approve(self, plan_id: str, why: Why) -> Plan:
        """Starts the plan; raises SecondPersonNeeded or PlanNotApprovable."""
        plan = await self.get(plan_id)
        if plan.needs_second_person and why.actor == plan.why.actor:
            raise SecondPersonNeeded("another person than its creator must approve this plan")
        statement = self._sign("plan.approve", plan_id, why, digest=plan.digest)
        return await self._changed(plan_id, await self._store.approve(plan_id, why.actor, statement))

    async def stop(self, plan_id: str, why: Why) -> Plan:
        """Stops the plan; what it has begun ends."""
        await self.get(plan_id)
        note = f"stopped by {why.actor}"
        return await self._changed(
            plan_id, await self._store.stop(plan_id, note, self._sign("plan.stop", plan_id, why))
        )

    async def resume(self, plan_id: str, why: Why) -> Plan:
        """Lets the plan run again; failures until now no longer stop it."""
        await self.get(plan_id)
        return await self._changed(
            plan_id, await self._store.resume(plan_id, self._sign("plan.resume", plan_id, why))
        )

    async def go_on(self, plan_id: str, why: Why) -> Plan:
        """Lets the plan go on past what is under way; raises PlanNotApprovable if it does not run."""
        await self.get(plan_id)
        return await self._changed(
            plan_id, await self._store.go_on(plan_id, self._sign("plan.go_on", plan_id, why))
        )

    async def abandon(self, plan_id: str, why: Why) -> Plan:
        """Ends the stopped plan for good; raises PlanNotApprovable for any other."""
        await self.get(plan_id)
        note = f"abandoned by {why.actor}"
        return await self._changed(
            plan_id, await self._store.abandon(plan_id, note, self._sign("plan.abandon", plan_id, why))
        )

    async def _changed(self, plan_id: str, changed: bool) -> Plan:
        plan = await self.get(plan_id)
        if not changed:
            raise PlanNotApprovable(f"the plan is {plan.state.name}", plan_id=plan_id, state=plan.state.name)
        return plan

    async def _match(
        self, kind: PlanKind, wanted: Filter, plan_id: str
    ) -> tuple[list[Frozen], dict[str, int], bool]:
        if kind is PlanKind.BACKFILL:
            return await self._missing_events(wanted, plan_id)
        reads = self._store.succeeded_jobs if kind is PlanKind.ROLLBACK else self._store.open_letters
        matched = await reads(wanted, MOST_ITEMS + 1)
        if len(matched) > MOST_ITEMS:
            raise PlanTooLarge(f"more than {MOST_ITEMS} jobs match: narrow the filter")
        judged = [(job, ineligibility(kind, job, self._catalogue)) for job in matched]
        fit = [job for job, why_not in judged if not why_not]
        two = kind is PlanKind.DISCARD or any(self._catalogue.moves_money(j.operation) for j in fit)
        return [Frozen(j.job_id) for j in fit], dict(Counter(w for _, w in judged if w)), two

    async def _missing_events(
        self, wanted: Filter, plan_id: str
    ) -> tuple[list[Frozen], dict[str, int], bool]:
        if not (wanted.provider and wanted.start and wanted.end):
            raise PlanRefused("a backfill needs a provider, a start and an end")
        lane = f"{wanted.provider}/{wanted.account or 'default'}"
        events = await self._lists.list_events(
            lane, plan_id, start=wanted.start, end=wanted.end, most=MOST_ITEMS
        )
        missing = await self._store.unknown_events(lane, events)
        useful = [
            e for e in events if e.event_id in missing and ((e.job_id and e.outcome) or e.concern is not None)
        ]
        left_out = Counter(
            {"ALREADY_HERE": len(events) - len(missing), "SAYS_NOTHING": len(missing) - len(useful)}
        )
        items = [Frozen(e.event_id, e.job_id, e) for e in useful]
        return items, {cause: n for cause, n in left_out.items() if n}, False

    def _sign(self, act: str, plan_id: str, why: Why, *, digest: str = "") -> Statement:
        return self._notary.action(act, f"plan:{plan_id}", why, job=plan_id, digest=digest)


def ineligibility(kind: PlanKind, job: Matched, catalogue: Catalogue) -> str:
    """Why a plan leaves a job out that its filter matches; empty if it does not."""
    match kind:
        case PlanKind.REPLAY:
            parked = job.cause is Cause.UNRESOLVED_DOUBT
            return (
                "NEEDS_A_PERSON" if parked and not catalogue.can_look_up(job.provider, job.operation) else ""
            )
        case PlanKind.DISCARD:
            return "NEEDS_A_PERSON" if job.cause is Cause.UNRESOLVED_DOUBT else ""
        case PlanKind.ROLLBACK:
            return _irreversible(job, catalogue)
        case PlanKind.BACKFILL:
            return ""
    assert_never(kind)


def _irreversible(job: Matched, catalogue: Catalogue) -> str:
    if not catalogue.has_inverse(job.operation):
        return "NO_INVERSE"
    if not job.provider_reference:
        return "NO_REFERENCE"
    return "UNDO_EXISTS" if job.undone_by else ""


def filter_text(wanted: Filter) -> str:
    """The filter as it is kept: a JSON object of what is set."""
    members = {f.name: getattr(wanted, f.name) for f in fields(wanted)}
    return json.dumps({name: _plain(value) for name, value in members.items() if value})


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Cause):
        return value.name.lower()
    return list(value) if isinstance(value, tuple) else value
