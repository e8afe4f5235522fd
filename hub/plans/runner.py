"""The duty that carries approved plans out, chunk by chunk; what has begun is in the store."""

import logging
from collections.abc import Mapping, Sequence
from typing import Protocol, assert_never

from hub.clock import Clock
from hub.lanes.ports import Statement
from hub.plans.model import Await, Begin, Finish, Item, Plan, PlanKind, PlanState, Stop, Why, next_step
from hub.plans.planning import SignsActions

POLL_SECONDS = 0.5
IDLE_SECONDS = 2.0
CHUNK_SECONDS = 1.0
REST_SECONDS = 2.0
LONGEST_REST_SECONDS = 60.0

_log = logging.getLogger(__name__)


class RunnerStore(Protocol):
    """The store as the runner uses it."""

    async def lapse(self) -> None:
        """Ends the time for approval of old previews."""
        ...

    async def running(self) -> list[str]:
        """The plans at work, oldest first."""
        ...

    async def refresh(self) -> None:
        """Gives items the results of their jobs, and passes over what is not confirmed in time."""
        ...

    async def get(self, plan_id: str) -> Plan | None:
        """One plan with its counts."""
        ...

    async def pending(self, plan_id: str, limit: int) -> list[Item]:
        """The next items that have not begun."""
        ...

    async def state_step(self, plan_id: str, statement: Statement) -> None:
        """Passes a statement on to the log."""
        ...

    async def end(self, plan_id: str, state: PlanState, note: str, statement: Statement) -> bool:
        """Finishes or stops a running plan."""
        ...


class Carrier(Protocol):
    """What a kind of plan does with its items. Beginning an item twice does no more than once."""

    async def begin(self, plan: Plan, items: Sequence[Item], why: Why) -> None:
        """Begins items."""
        ...


class PlanRunner:
    """One replica runs it at a time. `actor` is the hub itself, for what it does by itself."""

    name = "plans"

    def __init__(
        self,
        store: RunnerStore,
        *,
        carriers: Mapping[PlanKind, Carrier],
        notary: SignsActions,
        clock: Clock,
        actor: str,
    ) -> None:
        self._store = store
        self._carriers = carriers
        self._notary = notary
        self._clock = clock
        self._actor = actor
        self._not_before: dict[str, float] = {}
        self._rests_until: dict[str, float] = {}
        self._rests: dict[str, float] = {}

    async def run_once(self) -> float | None:
        """Moves every running plan on by a step."""
        await self._store.lapse()
        await self._store.refresh()
        running = await self._store.running()
        self._not_before = {p: at for p, at in self._not_before.items() if p in running}
        self._rests_until = {p: at for p, at in self._rests_until.items() if p in running}
        self._rests = {p: seconds for p, seconds in self._rests.items() if p in running}
        for plan_id in running:
            if self._clock.monotonic() >= self._rests_until.get(plan_id, 0.0):
                await self._try(plan_id)
        return POLL_SECONDS if running else IDLE_SECONDS

    async def _try(self, plan_id: str) -> None:
        try:
            await self._advance(plan_id)
        except Exception:  # noqa: BLE001 - one plan's trouble must not hold up the others
            _log.exception("plan does not go on for now", extra={"plan": plan_id})
            # Longer each time: every step is stated in the log before it is taken.
            rest = min(2 * self._rests.get(plan_id, REST_SECONDS / 2), LONGEST_REST_SECONDS)
            self._rests[plan_id] = rest
            self._rests_until[plan_id] = self._clock.monotonic() + rest
        else:
            self._rests.pop(plan_id, None)

    async def _advance(self, plan_id: str) -> None:
        plan = await self._store.get(plan_id)
        if plan is None or plan.state is not PlanState.RUNNING:
            return
        step = next_step(plan)
        match step:
            case Begin():
                await self._begin(plan, step.items)
            case Await():
                return
            case Stop():
                await self._end(plan, PlanState.STOPPED, "plan.autostop", step.note)
            case Finish():
                counts = plan.counts
                note = f"{counts.succeeded} done, {counts.failed} failed, {counts.skipped} skipped"
                note += f", {counts.unconfirmed} not confirmed" if counts.unconfirmed else ""
                await self._end(plan, PlanState.FINISHED, "plan.finish", note)
            case _:
                assert_never(step)

    async def _begin(self, plan: Plan, most: int) -> None:
        now = self._clock.monotonic()
        if now < self._not_before.get(plan.plan_id, 0.0):
            return
        self._not_before[plan.plan_id] = now + CHUNK_SECONDS
        items = await self._store.pending(plan.plan_id, most)
        if not items:
            return
        detail = f"items {items[0].number} to {items[-1].number}"
        await self._store.state_step(plan.plan_id, self._sign("plan.begin", plan, detail))
        _log.info("plan goes on", extra={"plan": plan.plan_id, "step": detail})
        approved = Why(plan.approver, plan.why.reason, plan.why.ticket)
        await self._carriers[plan.kind].begin(plan, items, approved)

    async def _end(self, plan: Plan, state: PlanState, act: str, note: str) -> None:
        await self._store.end(plan.plan_id, state, note, self._sign(act, plan, note))
        _log.warning("plan ended", extra={"plan": plan.plan_id, "state": state.name, "note": note})

    def _sign(self, act: str, plan: Plan, detail: str) -> Statement:
        why = Why(self._actor, plan.why.reason, plan.why.ticket)
        return self._notary.action(
            act, f"plan:{plan.plan_id}", why, job=plan.plan_id, digest=plan.digest, detail=detail
        )
