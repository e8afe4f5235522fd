"""What people do to lanes, and to jobs that only they can settle."""

from collections.abc import Awaitable, Callable
from enum import IntEnum
from typing import Protocol

from hub.errors import JobNotFound, NotResolvable, SecondPersonNeeded, UnknownLane
from hub.jobs.decision import Decision
from hub.jobs.model import Job, JobState
from hub.jobs.ports import Post
from hub.lanes.breaker import BreakerState
from hub.lanes.model import LaneMode
from hub.lanes.ports import Statement
from hub.operators.model import Proposal, Resolved
from hub.plans.model import Why
from hub.plans.planning import SignsActions

BY_HAND = "RESOLVED_BY_HAND"


class Resolution(IntEnum):
    """What a person has found out. The numbers are those of the contract."""

    DONE = 1
    DECLINED = 2
    NOT_DONE = 3


class OperatingStore(Protocol):
    """The store as operators change it; every change takes its signed statement along."""

    async def set_mode(self, lane: str, mode: LaneMode, *, actor: str, reason: str, said: Statement) -> bool:
        """Lets a lane work, pause or drain; False if there is none of that name."""
        ...

    async def order_breaker(self, lane: str, state: BreakerState, said: Statement) -> bool:
        """Moves a breaker by hand; False if there is no lane of that name."""
        ...

    async def free(self, job_id: str, said: Statement, *, actor: str, needs_two: bool) -> bool:
        """Lets a job parked in doubt go on; with `needs_two` only if another person has proposed it."""
        ...

    async def propose(self, job_id: str, why: Why, said: Statement) -> bool:
        """Keeps that a parked job was not done; False if it is not parked, or another proposal stands."""
        ...

    async def proposal(self, job_id: str) -> Proposal | None:
        """The proposal about a parked job that can still be confirmed."""
        ...

    async def settle_by_hand(self, job_id: str, decision: Decision, said: Statement) -> bool:
        """Ends a job that is parked in doubt."""
        ...


class Operating:
    """Signs and stores what operators do. `hint` wakes a lane's owner, if it is this replica; `moves_money`
    says so of an operation.
    """

    def __init__(
        self,
        store: OperatingStore,
        *,
        notary: SignsActions,
        read: Callable[[str], Awaitable[Job | None]],
        post: Post,
        hint: Callable[[str], None],
        moves_money: Callable[[str], bool],
    ) -> None:
        self._moves_money = moves_money
        self._store = store
        self._notary = notary
        self._read = read
        self._post = post
        self._hint = hint

    async def set_mode(self, lane: str, mode: LaneMode, why: Why) -> None:
        """Lets a lane work, pause or drain; raises UnknownLane."""
        said = self._notary.action(f"lane.{mode.name.lower()}", f"lane:{lane}", why)
        if not await self._store.set_mode(lane, mode, actor=why.actor, reason=why.reason, said=said):
            raise UnknownLane(f"there is no lane {lane}", lane=lane)
        self._hint(lane)

    async def move_breaker(self, lane: str, state: BreakerState, why: Why) -> None:
        """Opens a breaker, or lets a few attempts try; raises UnknownLane."""
        said = self._notary.action(f"breaker.{state.name.lower()}", f"lane:{lane}", why)
        if not await self._store.order_breaker(lane, state, said):
            raise UnknownLane(f"there is no lane {lane}", lane=lane)
        self._hint(lane)

    async def resolve(self, job_id: str, resolution: Resolution, reference: str, why: Why) -> Resolved:
        """Settles a job that is parked in doubt, or lets it go on.

        Raises JobNotFound, NotResolvable, or SecondPersonNeeded for a person whose own proposal stands.
        """
        job = await self._found(job_id)
        if job.state is not JobState.IN_DOUBT or job.due_at is not None:
            raise _not_parked(job)
        if resolution is Resolution.NOT_DONE:
            proposal = await self._not_done(job, reference, why)
            if proposal is not None:
                return Resolved(job, proposal)
        else:
            await self._settle(job, resolution, reference, why)
        self._post(job_id)
        self._hint(f"{job.provider}/{job.account}")
        return Resolved(await self._found(job_id))

    async def _not_done(self, job: Job, reference: str, why: Why) -> Proposal | None:
        needs_two, standing = self._moves_money(job.operation), await self._store.proposal(job.job_id)
        if needs_two and standing is not None and standing.actor == why.actor:
            raise SecondPersonNeeded("another person must say that it was not done", job_id=job.job_id)
        if needs_two and standing is None:
            said = self._said("job.propose_not_done", job, reference, why)
            if await self._store.propose(job.job_id, why, said):
                return await self._store.proposal(job.job_id)
        said = self._said("job.resolve_not_done", job, reference, why)
        if not await self._store.free(job.job_id, said, actor=why.actor, needs_two=needs_two):
            raise _not_parked(await self._found(job.job_id))
        return None

    async def _settle(self, job: Job, resolution: Resolution, reference: str, why: Why) -> None:
        said = self._said(f"job.resolve_{resolution.name.lower()}", job, reference, why)
        state = JobState.SUCCEEDED if resolution is Resolution.DONE else JobState.DECLINED
        decision = Decision(state, reason=BY_HAND, provider_reference=reference)
        if not await self._store.settle_by_hand(job.job_id, decision, said):
            raise _not_parked(await self._found(job.job_id))

    def _said(self, act: str, job: Job, reference: str, why: Why) -> Statement:
        return self._notary.action(act, f"job:{job.job_id}", why, job=job.job_id, detail=reference)

    async def _found(self, job_id: str) -> Job:
        job = await self._read(job_id)
        if job is None:
            raise JobNotFound(f"there is no job {job_id}", job_id=job_id)
        return job


def _not_parked(job: Job) -> NotResolvable:
    return NotResolvable(
        f"job {job.job_id} is {job.state.name} and not parked in doubt",
        job_id=job.job_id,
        state=job.state.name,
    )
