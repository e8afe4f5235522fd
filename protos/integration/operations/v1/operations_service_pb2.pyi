from integration.common.v1 import rules_pb2 as _rules_pb2
from integration.jobs.v1 import job_pb2 as _job_pb2
from integration.operations.v1 import alert_pb2 as _alert_pb2
from integration.operations.v1 import dead_letter_pb2 as _dead_letter_pb2
from integration.operations.v1 import lane_pb2 as _lane_pb2
from integration.operations.v1 import plan_pb2 as _plan_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Resolution(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    RESOLUTION_UNSPECIFIED: _ClassVar[Resolution]
    RESOLUTION_DONE: _ClassVar[Resolution]
    RESOLUTION_DECLINED: _ClassVar[Resolution]
    RESOLUTION_NOT_DONE: _ClassVar[Resolution]
RESOLUTION_UNSPECIFIED: Resolution
RESOLUTION_DONE: Resolution
RESOLUTION_DECLINED: Resolution
RESOLUTION_NOT_DONE: Resolution

class Justification(_message.Message):
    __slots__ = ("reason", "ticket")
    REASON_FIELD_NUMBER: _ClassVar[int]
    TICKET_FIELD_NUMBER: _ClassVar[int]
    reason: str
    ticket: str
    def __init__(self, reason: _Optional[str] = ..., ticket: _Optional[str] = ...) -> None: ...

class ListLanesRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListLanesResponse(_message.Message):
    __slots__ = ("lanes",)
    LANES_FIELD_NUMBER: _ClassVar[int]
    lanes: _containers.RepeatedCompositeFieldContainer[_lane_pb2.Lane]
    def __init__(self, lanes: _Optional[_Iterable[_Union[_lane_pb2.Lane, _Mapping]]] = ...) -> None: ...

class SetLaneModeRequest(_message.Message):
    __slots__ = ("lane", "mode", "why")
    LANE_FIELD_NUMBER: _ClassVar[int]
    MODE_FIELD_NUMBER: _ClassVar[int]
    WHY_FIELD_NUMBER: _ClassVar[int]
    lane: str
    mode: _lane_pb2.LaneMode
    why: Justification
    def __init__(self, lane: _Optional[str] = ..., mode: _Optional[_Union[_lane_pb2.LaneMode, str]] = ..., why: _Optional[_Union[Justification, _Mapping]] = ...) -> None: ...

class SetLaneModeResponse(_message.Message):
    __slots__ = ("lane",)
    LANE_FIELD_NUMBER: _ClassVar[int]
    lane: _lane_pb2.Lane
    def __init__(self, lane: _Optional[_Union[_lane_pb2.Lane, _Mapping]] = ...) -> None: ...

class SetBreakerRequest(_message.Message):
    __slots__ = ("lane", "state", "why")
    LANE_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    WHY_FIELD_NUMBER: _ClassVar[int]
    lane: str
    state: _lane_pb2.BreakerState
    why: Justification
    def __init__(self, lane: _Optional[str] = ..., state: _Optional[_Union[_lane_pb2.BreakerState, str]] = ..., why: _Optional[_Union[Justification, _Mapping]] = ...) -> None: ...

class SetBreakerResponse(_message.Message):
    __slots__ = ("lane",)
    LANE_FIELD_NUMBER: _ClassVar[int]
    lane: _lane_pb2.Lane
    def __init__(self, lane: _Optional[_Union[_lane_pb2.Lane, _Mapping]] = ...) -> None: ...

class ListDeadLettersRequest(_message.Message):
    __slots__ = ("filter", "all", "page_size", "page_token")
    FILTER_FIELD_NUMBER: _ClassVar[int]
    ALL_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    filter: _plan_pb2.PlanFilter
    all: bool
    page_size: int
    page_token: str
    def __init__(self, filter: _Optional[_Union[_plan_pb2.PlanFilter, _Mapping]] = ..., all: _Optional[bool] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListDeadLettersResponse(_message.Message):
    __slots__ = ("dead_letters", "next_page_token")
    DEAD_LETTERS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    dead_letters: _containers.RepeatedCompositeFieldContainer[_dead_letter_pb2.DeadLetter]
    next_page_token: str
    def __init__(self, dead_letters: _Optional[_Iterable[_Union[_dead_letter_pb2.DeadLetter, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class CountDeadLettersRequest(_message.Message):
    __slots__ = ("filter",)
    FILTER_FIELD_NUMBER: _ClassVar[int]
    filter: _plan_pb2.PlanFilter
    def __init__(self, filter: _Optional[_Union[_plan_pb2.PlanFilter, _Mapping]] = ...) -> None: ...

class DeadLetterGroup(_message.Message):
    __slots__ = ("lane", "cause", "reason", "count", "proposal")
    LANE_FIELD_NUMBER: _ClassVar[int]
    CAUSE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    PROPOSAL_FIELD_NUMBER: _ClassVar[int]
    lane: str
    cause: _dead_letter_pb2.DeadLetterCause
    reason: str
    count: int
    proposal: _dead_letter_pb2.Proposal
    def __init__(self, lane: _Optional[str] = ..., cause: _Optional[_Union[_dead_letter_pb2.DeadLetterCause, str]] = ..., reason: _Optional[str] = ..., count: _Optional[int] = ..., proposal: _Optional[_Union[_dead_letter_pb2.Proposal, str]] = ...) -> None: ...

class CountDeadLettersResponse(_message.Message):
    __slots__ = ("groups",)
    GROUPS_FIELD_NUMBER: _ClassVar[int]
    groups: _containers.RepeatedCompositeFieldContainer[DeadLetterGroup]
    def __init__(self, groups: _Optional[_Iterable[_Union[DeadLetterGroup, _Mapping]]] = ...) -> None: ...

class GetDeadLetterRequest(_message.Message):
    __slots__ = ("job_id",)
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    job_id: str
    def __init__(self, job_id: _Optional[str] = ...) -> None: ...

class GetDeadLetterResponse(_message.Message):
    __slots__ = ("dead_letter",)
    DEAD_LETTER_FIELD_NUMBER: _ClassVar[int]
    dead_letter: _dead_letter_pb2.DeadLetter
    def __init__(self, dead_letter: _Optional[_Union[_dead_letter_pb2.DeadLetter, _Mapping]] = ...) -> None: ...

class ResolveJobRequest(_message.Message):
    __slots__ = ("job_id", "resolution", "provider_reference", "why")
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    RESOLUTION_FIELD_NUMBER: _ClassVar[int]
    PROVIDER_REFERENCE_FIELD_NUMBER: _ClassVar[int]
    WHY_FIELD_NUMBER: _ClassVar[int]
    job_id: str
    resolution: Resolution
    provider_reference: str
    why: Justification
    def __init__(self, job_id: _Optional[str] = ..., resolution: _Optional[_Union[Resolution, str]] = ..., provider_reference: _Optional[str] = ..., why: _Optional[_Union[Justification, _Mapping]] = ...) -> None: ...

class ResolveJobResponse(_message.Message):
    __slots__ = ("job", "proposal")
    JOB_FIELD_NUMBER: _ClassVar[int]
    PROPOSAL_FIELD_NUMBER: _ClassVar[int]
    job: _job_pb2.Job
    proposal: _dead_letter_pb2.ResolutionProposal
    def __init__(self, job: _Optional[_Union[_job_pb2.Job, _Mapping]] = ..., proposal: _Optional[_Union[_dead_letter_pb2.ResolutionProposal, _Mapping]] = ...) -> None: ...

class CreatePlanRequest(_message.Message):
    __slots__ = ("kind", "filter", "pace", "why")
    KIND_FIELD_NUMBER: _ClassVar[int]
    FILTER_FIELD_NUMBER: _ClassVar[int]
    PACE_FIELD_NUMBER: _ClassVar[int]
    WHY_FIELD_NUMBER: _ClassVar[int]
    kind: _plan_pb2.PlanKind
    filter: _plan_pb2.PlanFilter
    pace: _plan_pb2.PlanPace
    why: Justification
    def __init__(self, kind: _Optional[_Union[_plan_pb2.PlanKind, str]] = ..., filter: _Optional[_Union[_plan_pb2.PlanFilter, _Mapping]] = ..., pace: _Optional[_Union[_plan_pb2.PlanPace, _Mapping]] = ..., why: _Optional[_Union[Justification, _Mapping]] = ...) -> None: ...

class CreatePlanResponse(_message.Message):
    __slots__ = ("plan",)
    PLAN_FIELD_NUMBER: _ClassVar[int]
    plan: _plan_pb2.Plan
    def __init__(self, plan: _Optional[_Union[_plan_pb2.Plan, _Mapping]] = ...) -> None: ...

class GetPlanRequest(_message.Message):
    __slots__ = ("plan_id",)
    PLAN_ID_FIELD_NUMBER: _ClassVar[int]
    plan_id: str
    def __init__(self, plan_id: _Optional[str] = ...) -> None: ...

class GetPlanResponse(_message.Message):
    __slots__ = ("plan",)
    PLAN_FIELD_NUMBER: _ClassVar[int]
    plan: _plan_pb2.Plan
    def __init__(self, plan: _Optional[_Union[_plan_pb2.Plan, _Mapping]] = ...) -> None: ...

class ListPlansRequest(_message.Message):
    __slots__ = ("page_size", "page_token")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListPlansResponse(_message.Message):
    __slots__ = ("plans", "next_page_token")
    PLANS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    plans: _containers.RepeatedCompositeFieldContainer[_plan_pb2.Plan]
    next_page_token: str
    def __init__(self, plans: _Optional[_Iterable[_Union[_plan_pb2.Plan, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class ListPlanItemsRequest(_message.Message):
    __slots__ = ("plan_id", "states", "page_size", "page_token")
    PLAN_ID_FIELD_NUMBER: _ClassVar[int]
    STATES_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    plan_id: str
    states: _containers.RepeatedScalarFieldContainer[_plan_pb2.PlanItemState]
    page_size: int
    page_token: str
    def __init__(self, plan_id: _Optional[str] = ..., states: _Optional[_Iterable[_Union[_plan_pb2.PlanItemState, str]]] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListPlanItemsResponse(_message.Message):
    __slots__ = ("items", "next_page_token")
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    items: _containers.RepeatedCompositeFieldContainer[_plan_pb2.PlanItem]
    next_page_token: str
    def __init__(self, items: _Optional[_Iterable[_Union[_plan_pb2.PlanItem, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class ApprovePlanRequest(_message.Message):
    __slots__ = ("plan_id", "why")
    PLAN_ID_FIELD_NUMBER: _ClassVar[int]
    WHY_FIELD_NUMBER: _ClassVar[int]
    plan_id: str
    why: Justification
    def __init__(self, plan_id: _Optional[str] = ..., why: _Optional[_Union[Justification, _Mapping]] = ...) -> None: ...

class ApprovePlanResponse(_message.Message):
    __slots__ = ("plan",)
    PLAN_FIELD_NUMBER: _ClassVar[int]
    plan: _plan_pb2.Plan
    def __init__(self, plan: _Optional[_Union[_plan_pb2.Plan, _Mapping]] = ...) -> None: ...

class StopPlanRequest(_message.Message):
    __slots__ = ("plan_id", "why")
    PLAN_ID_FIELD_NUMBER: _ClassVar[int]
    WHY_FIELD_NUMBER: _ClassVar[int]
    plan_id: str
    why: Justification
    def __init__(self, plan_id: _Optional[str] = ..., why: _Optional[_Union[Justification, _Mapping]] = ...) -> None: ...

class StopPlanResponse(_message.Message):
    __slots__ = ("plan",)
    PLAN_FIELD_NUMBER: _ClassVar[int]
    plan: _plan_pb2.Plan
    def __init__(self, plan: _Optional[_Union[_plan_pb2.Plan, _Mapping]] = ...) -> None: ...

class ResumePlanRequest(_message.Message):
    __slots__ = ("plan_id", "why")
    PLAN_ID_FIELD_NUMBER: _ClassVar[int]
    WHY_FIELD_NUMBER: _ClassVar[int]
    plan_id: str
    why: Justification
    def __init__(self, plan_id: _Optional[str] = ..., why: _Optional[_Union[Justification, _Mapping]] = ...) -> None: ...

class ResumePlanResponse(_message.Message):
    __slots__ = ("plan",)
    PLAN_FIELD_NUMBER: _ClassVar[int]
    plan: _plan_pb2.Plan
    def __init__(self, plan: _Optional[_Union[_plan_pb2.Plan, _Mapping]] = ...) -> None: ...

class AbandonPlanRequest(_message.Message):
    __slots__ = ("plan_id", "why")
    PLAN_ID_FIELD_NUMBER: _ClassVar[int]
    WHY_FIELD_NUMBER: _ClassVar[int]
    plan_id: str
    why: Justification
    def __init__(self, plan_id: _Optional[str] = ..., why: _Optional[_Union[Justification, _Mapping]] = ...) -> None: ...

class AbandonPlanResponse(_message.Message):
    __slots__ = ("plan",)
    PLAN_FIELD_NUMBER: _ClassVar[int]
    plan: _plan_pb2.Plan
    def __init__(self, plan: _Optional[_Union[_plan_pb2.Plan, _Mapping]] = ...) -> None: ...

class GoOnPlanRequest(_message.Message):
    __slots__ = ("plan_id", "why")
    PLAN_ID_FIELD_NUMBER: _ClassVar[int]
    WHY_FIELD_NUMBER: _ClassVar[int]
    plan_id: str
    why: Justification
    def __init__(self, plan_id: _Optional[str] = ..., why: _Optional[_Union[Justification, _Mapping]] = ...) -> None: ...

class GoOnPlanResponse(_message.Message):
    __slots__ = ("plan",)
    PLAN_FIELD_NUMBER: _ClassVar[int]
    plan: _plan_pb2.Plan
    def __init__(self, plan: _Optional[_Union[_plan_pb2.Plan, _Mapping]] = ...) -> None: ...

class ListAlertsRequest(_message.Message):
    __slots__ = ("all",)
    ALL_FIELD_NUMBER: _ClassVar[int]
    all: bool
    def __init__(self, all: _Optional[bool] = ...) -> None: ...

class ListAlertsResponse(_message.Message):
    __slots__ = ("alerts",)
    ALERTS_FIELD_NUMBER: _ClassVar[int]
    alerts: _containers.RepeatedCompositeFieldContainer[_alert_pb2.Alert]
    def __init__(self, alerts: _Optional[_Iterable[_Union[_alert_pb2.Alert, _Mapping]]] = ...) -> None: ...
