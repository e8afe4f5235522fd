"""What each kind of plan does with its items."""

from collections.abc import Awaitable, Callable, Mapping, Sequence, Set
from typing import Protocol

from hub.errors import JobError, ProviderNotReady
from hub.events.model import ArrivedEvent
from hub.jobs.model import Job, JobState, NewJob
from hub.jobs.ports import Accepted
from hub.lanes.ports import Statement
from hub.plans.model import Item, ItemState, Offers, Plan, Replayed, Why
from hub.plans.planning import SignsActions


class CarrierStore(Protocol):
    """The store as the carriers use it; every write is fenced by the runner's term."""

    async def replay(
        self, plan_id: str, items: Sequence[Item], statements: Sequence[Statement], offers: Offers
    ) -> Replayed:
        """Puts dead letters back, but none in doubt of which nobody knows yet whether it can be looked up."""
        ...

    async def discard(
        self, plan_id: str, items: Sequence[Item], statements: Sequence[Statement]
    ) -> list[str]:
        """Gives dead letters up; the jobs that ended."""
        ...

    async def goes_on(self, plan_id: str) -> bool:
        """Whether nobody has stopped the plan."""
        ...

    async def undo_number(self, job: Job) -> int:
        """The number of the attempt that undoes a job: of the one that holds, or of the next."""
        ...

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
        ...


class Spokes(Protocol):
    """What is known of the spokes."""

    def offered(self) -> Mapping[str, bool]:
        """ "lane|operation" for everything that spokes offer: whether the provider can be asked about it."""
        ...

    def unheard(self) -> Set[str]:
        """The spokes that have never said what they offer."""
        ...


class Replay:
    """Puts dead letters back into their lanes."""

    def __init__(
        self,
        store: CarrierStore,
        *,
        notary: SignsActions,
        spokes: Spokes,
        changed: Callable[[str, str], None],
    ) -> None:
        self._store = store
        self._notary = notary
        self._spokes = spokes
        self._changed = changed

    async def begin(self, plan: Plan, items: Sequence[Item], why: Why) -> None:
        """Begins items, in one commit; raises ProviderNotReady if some must wait for their spoke."""
        statements = [_about(self._notary, "job.replay", plan, i.subject, why) for i in items]
        replayed = await self._store.replay(plan.plan_id, items, statements, self._offers())
        for job_id, lane in replayed.back:
            self._changed(job_id, lane)
        if replayed.awaited:
            names = ", ".join(replayed.awaited)
            raise ProviderNotReady("spokes have not said yet what they offer", provider=names)

    def _offers(self) -> Offers:
        # What is unheard is asked first: a spoke that is heard in between only waits for the next round.
        unheard, offered = self._spokes.unheard(), self._spokes.offered()
        lookable = [name for name, can_look_up in offered.items() if can_look_up]
        return Offers(lookable, [name for name in offered if not offered[name]], sorted(unheard))


class Discard:
    """Gives dead letters up."""

    def __init__(
        self, store: CarrierStore, *, notary: SignsActions, changed: Callable[[str, str], None]
    ) -> None:
        self._store = store
        self._notary = notary
        self._changed = changed

    async def begin(self, plan: Plan, items: Sequence[Item], why: Why) -> None:
        """Ends items, in one commit."""
        statements = [_about(self._notary, "job.discard", plan, i.subject, why) for i in items]
        for job_id in await self._store.discard(plan.plan_id, items, statements):
            self._changed(job_id, "")


class Rollback:
    """Submits the inverse of succeeded jobs: once more only when the last attempt has come to nothing."""

    def __init__(
        self,
        store: CarrierStore,
        *,
        notary: SignsActions,
        read: Callable[[str], Awaitable[Job | None]],
        undo: Callable[[Job, int, str], NewJob],
        submit: Callable[[NewJob], Awaitable[Accepted]],
    ) -> None:
        self._store = store
        self._notary = notary
        self._read = read
        self._undo = undo
        self._submit = submit

    async def begin(self, plan: Plan, items: Sequence[Item], why: Why) -> None:
        """Begins items one by one: each is a durable job of its own."""
        for item in items:
            if not await self._store.goes_on(plan.plan_id):
                return
            await self._begin(plan, item, why)

    async def _begin(self, plan: Plan, item: Item, why: Why) -> None:
        job = await self._read(item.subject)
        if job is None or job.state is not JobState.SUCCEEDED:
            await self._store.mark(plan.plan_id, item.number, ItemState.SKIPPED, detail="NOT_SUCCEEDED")
            return
        try:
            number = await self._store.undo_number(job)
            accepted = await self._submit(self._undo(job, number, why.actor))
        except JobError as error:
            if error.retry_after is not None:
                # It passes, and what was asked may even have been stored: the item's key finds out.
                raise
            await self._store.mark(plan.plan_id, item.number, ItemState.FAILED, detail=error.reason)
            return
        statement = _about(self._notary, "job.rollback", plan, item.subject, why, detail=accepted.job_id)
        await self._store.mark(
            plan.plan_id, item.number, ItemState.STARTED, job_id=accepted.job_id, statement=statement
        )


class Backfill:
    """Takes in events as if their webhooks had come."""

    def __init__(
        self,
        store: CarrierStore,
        *,
        notary: SignsActions,
        keep: Callable[[ArrivedEvent], Awaitable[bool]],
        apply: Callable[[str, str], Awaitable[None]],
    ) -> None:
        self._store = store
        self._notary = notary
        self._keep = keep
        self._apply = apply

    async def begin(self, plan: Plan, items: Sequence[Item], why: Why) -> None:
        """Takes items in, one by one."""
        for item in items:
            if not await self._store.goes_on(plan.plan_id):
                return
            await self._begin(plan, item, why)

    async def _begin(self, plan: Plan, item: Item, why: Why) -> None:
        if item.event is None:
            await self._store.mark(plan.plan_id, item.number, ItemState.FAILED, detail="NO_EVENT")
            return
        is_new = await self._keep(item.event)
        if item.event.job_id:
            # Also for one that is here already: it may have died between keeping and applying.
            await self._apply(item.event.job_id, item.event.lane)
        statement = _about(
            self._notary, "event.backfill", plan, item.event.job_id, why, detail=item.event.event_id
        )
        await self._store.mark(
            plan.plan_id,
            item.number,
            ItemState.SUCCEEDED if is_new else ItemState.SKIPPED,
            detail="" if is_new else "ALREADY_HERE",
            statement=statement if is_new else None,
        )


def _about(
    notary: SignsActions, act: str, plan: Plan, job_id: str, why: Why, *, detail: str = ""
) -> Statement:
    return notary.action(act, f"plan:{plan.plan_id}", why, job=job_id, digest=plan.digest, detail=detail)
