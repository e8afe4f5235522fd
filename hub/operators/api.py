"""OperationsService: lanes, breakers, dead letters, plans and alerts, for the people on call."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Protocol

import grpc

from hub.alerts.model import AlertState, Told
from hub.errors import LetterNotFound, UnknownAccount, UnknownProvider
from hub.jobs.convert import is_uuid, job_without_result, text_from_proto
from hub.jobs.model import Job
from hub.jobs.spec import Limits
from hub.lanes.breaker import BreakerState
from hub.lanes.model import LaneMode
from hub.operators.convert import (
    alert_to_proto,
    filter_from_proto,
    group_to_proto,
    item_to_proto,
    lane_to_proto,
    letter_to_proto,
    pace_from_proto,
    plan_to_proto,
    proposal_to_proto,
    why_from_proto,
)
from hub.operators.model import AttemptView, LaneView, LetterGroup, LetterView, Proposal
from hub.operators.orders import Operating, Resolution
from hub.plans.model import MOST_ITEMS, Filter, Item, ItemState, Plan, PlanKind
from hub.plans.planning import Planning
from integration.operations.v1 import lane_pb2, operations_service_pb2_grpc
from integration.operations.v1 import operations_service_pb2 as operations
from mesh.errors import InvalidRequest, Violation

DEFAULT_PAGE = 50
DEFAULT_ITEMS = 100
MOST_ALERTS = 500
NOT_A_TOKEN = Violation("page_token", "is not a token of this service")

Context = grpc.aio.ServicerContext[Any, Any]


class Reads(Protocol):
    """The store of lanes and dead letters, as far as it is only read."""

    async def lanes(self) -> list[LaneView]:
        """All lanes."""
        ...

    async def lane(self, lane: str) -> LaneView:
        """One lane that there is."""
        ...

    async def letters(
        self, wanted: Filter, *, also_left: bool, before: tuple[datetime, str] | None, limit: int
    ) -> list[LetterView]:
        """Dead letters, newest first."""
        ...

    async def letter_groups(self, wanted: Filter) -> list[LetterGroup]:
        """Open dead letters by lane, cause and reason."""
        ...

    async def letter(self, job_id: str) -> LetterView | None:
        """The newest dead letter of a job."""
        ...

    async def attempts(self, job_id: str) -> list[AttemptView]:
        """The tries of a job, oldest first."""
        ...

    async def proposal(self, job_id: str) -> Proposal | None:
        """The proposal about a parked job that can still be confirmed."""
        ...


class JobReads(Protocol):
    """The store of jobs, as far as it is only read."""

    async def get(self, job_id: str) -> Job | None:
        """One job."""
        ...

    async def get_all(self, job_ids: Sequence[str]) -> Mapping[str, Job]:
        """Those of some jobs that there are, by id."""
        ...


class PlanReads(Protocol):
    """The store of plans, as far as it is only read."""

    async def page(self, *, before: datetime | None, limit: int) -> list[Plan]:
        """Plans, newest first."""
        ...

    async def items(self, plan_id: str, *, after: int, limit: int, states: list[ItemState]) -> list[Item]:
        """Items of a plan, in order."""
        ...


class AlertReads(Protocol):
    """The store of alerts, as far as it is only read."""

    async def firing(self) -> list[AlertState]:
        """What fires."""
        ...

    async def all(self) -> list[AlertState]:
        """What fires and what has ended."""
        ...

    async def deliveries(self, keys: Sequence[str]) -> Mapping[str, Mapping[str, Told]]:
        """What each sink has taken of some alerts, by key and by the sink's name."""
        ...


class OperationsApi(operations_service_pb2_grpc.OperationsServiceServicer):
    """Converts, calls, converts."""

    def __init__(
        self,
        *,
        operating: Operating,
        planning: Planning,
        reads: Reads,
        plans: PlanReads,
        alerts: AlertReads,
        jobs: JobReads,
        limits: Callable[[], Mapping[str, Limits]],
    ) -> None:
        self._operating = operating
        self._planning = planning
        self._reads = reads
        self._plans = plans
        self._alerts = alerts
        self._jobs = jobs
        self._limits = limits

    async def ListLanes(
        self, request: operations.ListLanesRequest, context: Context
    ) -> operations.ListLanesResponse:
        """All lanes."""
        return operations.ListLanesResponse(lanes=[self._lane(v) for v in await self._reads.lanes()])

    async def SetLaneMode(
        self, request: operations.SetLaneModeRequest, context: Context
    ) -> operations.SetLaneModeResponse:
        """The lane, in its new mode."""
        lane = text_from_proto(request, "lane")
        await self._operating.set_mode(lane, LaneMode(request.mode), why_from_proto(request.why))
        return operations.SetLaneModeResponse(lane=await self._one_lane(lane))

    async def SetBreaker(
        self, request: operations.SetBreakerRequest, context: Context
    ) -> operations.SetBreakerResponse:
        """The lane, with its breaker moved."""
        if request.state == lane_pb2.BREAKER_STATE_CLOSED:
            raise InvalidRequest([Violation("state", "must be OPEN or HALF_OPEN: only successes close it")])
        lane = text_from_proto(request, "lane")
        await self._operating.move_breaker(lane, BreakerState(request.state), why_from_proto(request.why))
        return operations.SetBreakerResponse(lane=await self._one_lane(lane))

    async def ListDeadLetters(
        self, request: operations.ListDeadLettersRequest, context: Context
    ) -> operations.ListDeadLettersResponse:
        """Dead letters, newest first."""
        size = request.page_size or DEFAULT_PAGE
        found = await self._reads.letters(
            filter_from_proto(request.filter),
            also_left=request.all,
            before=_letter_token(request.page_token),
            limit=size + 1,
        )
        page = found[:size]
        jobs = await self._jobs.get_all([letter.job_id for letter in page])
        return operations.ListDeadLettersResponse(
            dead_letters=[letter_to_proto(v, jobs[v.job_id], []) for v in page if v.job_id in jobs],
            next_page_token=f"{page[-1].entered_at.isoformat()}/{page[-1].job_id}"
            if len(found) > size
            else "",
        )

    async def CountDeadLetters(
        self, request: operations.CountDeadLettersRequest, context: Context
    ) -> operations.CountDeadLettersResponse:
        """Open dead letters in groups."""
        groups = await self._reads.letter_groups(filter_from_proto(request.filter))
        return operations.CountDeadLettersResponse(groups=[group_to_proto(g) for g in groups])

    async def GetDeadLetter(
        self, request: operations.GetDeadLetterRequest, context: Context
    ) -> operations.GetDeadLetterResponse:
        """One, with its history."""
        job_id = _job_id(request.job_id)
        letter, job = await self._reads.letter(job_id), await self._jobs.get(job_id)
        if letter is None or job is None:
            raise LetterNotFound(f"job {job_id} has never been a dead letter", job_id=job_id)
        attempts = await self._reads.attempts(job_id)
        answer = operations.GetDeadLetterResponse(dead_letter=letter_to_proto(letter, job, attempts))
        if proposal := await self._reads.proposal(job_id):
            answer.dead_letter.not_done.CopyFrom(proposal_to_proto(proposal))
        return answer

    async def ResolveJob(
        self, request: operations.ResolveJobRequest, context: Context
    ) -> operations.ResolveJobResponse:
        """The job, as a person has resolved it, or as it stands until another one has said the same."""
        resolved = await self._operating.resolve(
            _job_id(request.job_id),
            Resolution(request.resolution),
            text_from_proto(request, "provider_reference"),
            why_from_proto(request.why),
        )
        return operations.ResolveJobResponse(
            job=job_without_result(resolved.job),
            proposal=proposal_to_proto(resolved.proposal) if resolved.proposal else None,
        )

    async def CreatePlan(
        self, request: operations.CreatePlanRequest, context: Context
    ) -> operations.CreatePlanResponse:
        """A preview."""
        try:
            plan = await self._planning.preview(
                PlanKind(request.kind),
                filter_from_proto(request.filter),
                pace_from_proto(request.pace),
                why_from_proto(request.why),
            )
        except UnknownProvider as error:
            raise InvalidRequest([Violation("filter.provider", str(error))]) from error
        except UnknownAccount as error:
            raise InvalidRequest([Violation("filter.account", str(error))]) from error
        return operations.CreatePlanResponse(plan=plan_to_proto(plan))

    async def GetPlan(
        self, request: operations.GetPlanRequest, context: Context
    ) -> operations.GetPlanResponse:
        """One plan."""
        return operations.GetPlanResponse(
            plan=plan_to_proto(await self._planning.get(_plan_id(request.plan_id)))
        )

    async def ListPlans(
        self, request: operations.ListPlansRequest, context: Context
    ) -> operations.ListPlansResponse:
        """Plans, newest first."""
        size = request.page_size or DEFAULT_PAGE
        found = await self._plans.page(before=_time_token(request.page_token), limit=size + 1)
        return operations.ListPlansResponse(
            plans=[plan_to_proto(p) for p in found[:size]],
            next_page_token=found[size - 1].created_at.isoformat() if len(found) > size else "",
        )

    async def ListPlanItems(
        self, request: operations.ListPlanItemsRequest, context: Context
    ) -> operations.ListPlanItemsResponse:
        """Items of a plan, in order."""
        plan_id, after = _plan_id(request.plan_id), _number_token(request.page_token)
        states = _item_states(request.states)
        await self._planning.get(plan_id)
        size = request.page_size or DEFAULT_ITEMS
        found = await self._plans.items(plan_id, after=after, limit=size + 1, states=states)
        return operations.ListPlanItemsResponse(
            items=[item_to_proto(i) for i in found[:size]],
            next_page_token=str(found[size - 1].number) if len(found) > size else "",
        )

    async def ApprovePlan(
        self, request: operations.ApprovePlanRequest, context: Context
    ) -> operations.ApprovePlanResponse:
        """The plan, at work."""
        plan = await self._planning.approve(_plan_id(request.plan_id), why_from_proto(request.why))
        return operations.ApprovePlanResponse(plan=plan_to_proto(plan))

    async def StopPlan(
        self, request: operations.StopPlanRequest, context: Context
    ) -> operations.StopPlanResponse:
        """The plan, stopped."""
        plan = await self._planning.stop(_plan_id(request.plan_id), why_from_proto(request.why))
        return operations.StopPlanResponse(plan=plan_to_proto(plan))

    async def ResumePlan(
        self, request: operations.ResumePlanRequest, context: Context
    ) -> operations.ResumePlanResponse:
        """The plan, at work again."""
        plan = await self._planning.resume(_plan_id(request.plan_id), why_from_proto(request.why))
        return operations.ResumePlanResponse(plan=plan_to_proto(plan))

    async def GoOnPlan(
        self, request: operations.GoOnPlanRequest, context: Context
    ) -> operations.GoOnPlanResponse:
        """The plan, past what was under way."""
        plan = await self._planning.go_on(_plan_id(request.plan_id), why_from_proto(request.why))
        return operations.GoOnPlanResponse(plan=plan_to_proto(plan))

    async def AbandonPlan(
        self, request: operations.AbandonPlanRequest, context: Context
    ) -> operations.AbandonPlanResponse:
        """The plan, ended for good."""
        plan = await self._planning.abandon(_plan_id(request.plan_id), why_from_proto(request.why))
        return operations.AbandonPlanResponse(plan=plan_to_proto(plan))

    async def ListAlerts(
        self, request: operations.ListAlertsRequest, context: Context
    ) -> operations.ListAlertsResponse:
        """Alerts, newest first."""
        found = await (self._alerts.all() if request.all else self._alerts.firing())
        shown = found[:MOST_ALERTS]
        told = await self._alerts.deliveries([a.alert.key for a in shown])
        return operations.ListAlertsResponse(
            alerts=[alert_to_proto(a, told.get(a.alert.key, {})) for a in shown]
        )

    async def _one_lane(self, name: str) -> lane_pb2.Lane:
        return self._lane(await self._reads.lane(name))

    def _lane(self, view: LaneView) -> lane_pb2.Lane:
        return lane_to_proto(view, self._limits().get(view.lane))


def _job_id(job_id: str) -> str:
    if not is_uuid(job_id):
        raise InvalidRequest([Violation("job_id", "is not the id of a job")])
    return job_id


def _plan_id(plan_id: str) -> str:
    if not is_uuid(plan_id):
        raise InvalidRequest([Violation("plan_id", "is not the id of a plan")])
    return plan_id


def _item_states(states: Sequence[int]) -> list[ItemState]:
    unset = [number for number, state in enumerate(states) if not state]
    if unset:
        raise InvalidRequest([Violation(f"states[{n}]", "is not a state of an item") for n in unset])
    return [ItemState(s) for s in states]


def _letter_token(token: str) -> tuple[datetime, str] | None:
    if not token:
        return None
    moment, _, job_id = token.partition("/")
    if not is_uuid(job_id):
        raise InvalidRequest([NOT_A_TOKEN])
    return _moment(moment), job_id


def _time_token(token: str) -> datetime | None:
    return _moment(token) if token else None


def _moment(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise InvalidRequest([NOT_A_TOKEN]) from error


def _number_token(token: str) -> int:
    if not token:
        return 0
    # So short that it is not work to read it.
    if len(token) > len(str(MOST_ITEMS)) or not token.isdecimal() or (number := int(token)) > MOST_ITEMS:
        raise InvalidRequest([NOT_A_TOKEN])
    return number
