"""What people do to lanes, and to jobs that only they can settle."""

from collections.abc import Awaitable, Callable
from enum import IntEnum
from typing import Protocol, assert_never

from hub.errors import JobNotFound, NotResolvable, UnknownLane
from hub.jobs.decide import Decision
from hub.jobs.model import Job, JobState
from hub.jobs.ports import Post
from hub.lanes.breaker import BreakerState
from hub.lanes.model import LaneMode
from hub.lanes.ports import Statement
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

    async def free(self, job_id: str, said: Statement) -> bool:
        """Lets a job that is parked in doubt go on."""
        ...

    async def settle_by_hand(self, job_id: str, decision: Decision, said: Statement) -> bool:
        """Ends a job that is parked in doubt."""
        ...


class Operating:
    """Signs and stores what operators do. `hint` wakes a lane's owner, if it is this replica."""

    def __init__(
        self,
        store: OperatingStore,
        *,
        notary: SignsActions,
        read: Callable[[str], Awaitable[Job | None]],
        post: Post,
        hint: Callable[[str], None],
    ) -> None:
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

    async def resolve(self, job_id: str, resolution: Resolution, reference: str, why: Why) -> Job:
        """Settles a job that is parked in doubt, or lets it go on; raises JobNotFound or NotResolvable."""
        job = await self._found(job_id)
        act = f"job.resolve_{resolution.name.lower()}"
        said = self._notary.action(act, f"job:{job_id}", why, job=job_id, detail=reference)
        parked = job.state is JobState.IN_DOUBT and job.due_at is None
        if not parked or not await self._settle(job_id, resolution, reference, said):
            raise NotResolvable(
                f"job {job_id} is {job.state.name} and not parked in doubt",
                job_id=job_id,
                state=job.state.name,
            )
        self._post(job_id)
        self._hint(f"{job.provider}/{job.account}")
        return await self._found(job_id)

    async def _settle(self, job_id: str, resolution: Resolution, reference: str, said: Statement) -> bool:
        match resolution:
            case Resolution.NOT_DONE:
                return await self._store.free(job_id, said)
            case Resolution.DONE:
                state = JobState.SUCCEEDED
            case Resolution.DECLINED:
                state = JobState.DECLINED
            case _:
                assert_never(resolution)
        decision = Decision(state, reason=BY_HAND, provider_reference=reference)
        return await self._store.settle_by_hand(job_id, decision, said)

    async def _found(self, job_id: str) -> Job:
        job = await self._read(job_id)
        if job is None:
            raise JobNotFound(f"there is no job {job_id}", job_id=job_id)
        return job
