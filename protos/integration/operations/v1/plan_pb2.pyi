import datetime

from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from integration.common.v1 import rules_pb2 as _rules_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class PlanKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PLAN_KIND_UNSPECIFIED: _ClassVar[PlanKind]
    PLAN_KIND_REPLAY: _ClassVar[PlanKind]
    PLAN_KIND_ROLLBACK: _ClassVar[PlanKind]
    PLAN_KIND_BACKFILL: _ClassVar[PlanKind]
    PLAN_KIND_DISCARD: _ClassVar[PlanKind]

class PlanState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PLAN_STATE_UNSPECIFIED: _ClassVar[PlanState]
    PLAN_STATE_PREVIEWED: _ClassVar[PlanState]
    PLAN_STATE_RUNNING: _ClassVar[PlanState]
    PLAN_STATE_STOPPED: _ClassVar[PlanState]
    PLAN_STATE_FINISHED: _ClassVar[PlanState]
    PLAN_STATE_LAPSED: _ClassVar[PlanState]
    PLAN_STATE_ABANDONED: _ClassVar[PlanState]

class PlanItemState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PLAN_ITEM_STATE_UNSPECIFIED: _ClassVar[PlanItemState]
    PLAN_ITEM_STATE_PENDING: _ClassVar[PlanItemState]
    PLAN_ITEM_STATE_STARTED: _ClassVar[PlanItemState]
    PLAN_ITEM_STATE_SUCCEEDED: _ClassVar[PlanItemState]
    PLAN_ITEM_STATE_FAILED: _ClassVar[PlanItemState]
    PLAN_ITEM_STATE_SKIPPED: _ClassVar[PlanItemState]
    PLAN_ITEM_STATE_UNCONFIRMED: _ClassVar[PlanItemState]
PLAN_KIND_UNSPECIFIED: PlanKind
PLAN_KIND_REPLAY: PlanKind
PLAN_KIND_ROLLBACK: PlanKind
PLAN_KIND_BACKFILL: PlanKind
PLAN_KIND_DISCARD: PlanKind
PLAN_STATE_UNSPECIFIED: PlanState
PLAN_STATE_PREVIEWED: PlanState
PLAN_STATE_RUNNING: PlanState
PLAN_STATE_STOPPED: PlanState
PLAN_STATE_FINISHED: PlanState
PLAN_STATE_LAPSED: PlanState
PLAN_STATE_ABANDONED: PlanState
PLAN_ITEM_STATE_UNSPECIFIED: PlanItemState
PLAN_ITEM_STATE_PENDING: PlanItemState
PLAN_ITEM_STATE_STARTED: PlanItemState
PLAN_ITEM_STATE_SUCCEEDED: PlanItemState
PLAN_ITEM_STATE_FAILED: PlanItemState
PLAN_ITEM_STATE_SKIPPED: PlanItemState
PLAN_ITEM_STATE_UNCONFIRMED: PlanItemState

class PlanFilter(_message.Message):
    __slots__ = ("provider", "account", "tenant", "operation", "cause", "reason", "start_time", "end_time", "job_ids")
    PROVIDER_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    TENANT_FIELD_NUMBER: _ClassVar[int]
    OPERATION_FIELD_NUMBER: _ClassVar[int]
    CAUSE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    JOB_IDS_FIELD_NUMBER: _ClassVar[int]
    provider: str
    account: str
    tenant: str
    operation: str
    cause: str
    reason: str
    start_time: _timestamp_pb2.Timestamp
    end_time: _timestamp_pb2.Timestamp
    job_ids: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, provider: _Optional[str] = ..., account: _Optional[str] = ..., tenant: _Optional[str] = ..., operation: _Optional[str] = ..., cause: _Optional[str] = ..., reason: _Optional[str] = ..., start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., job_ids: _Optional[_Iterable[str]] = ...) -> None: ...

class PlanPace(_message.Message):
    __slots__ = ("chunk_size", "canary_size", "rate_per_second", "stop_error_percent", "stop_min_results", "confirm_within", "stop_at_first_failure")
    CHUNK_SIZE_FIELD_NUMBER: _ClassVar[int]
    CANARY_SIZE_FIELD_NUMBER: _ClassVar[int]
    RATE_PER_SECOND_FIELD_NUMBER: _ClassVar[int]
    STOP_ERROR_PERCENT_FIELD_NUMBER: _ClassVar[int]
    STOP_MIN_RESULTS_FIELD_NUMBER: _ClassVar[int]
    CONFIRM_WITHIN_FIELD_NUMBER: _ClassVar[int]
    STOP_AT_FIRST_FAILURE_FIELD_NUMBER: _ClassVar[int]
    chunk_size: int
    canary_size: int
    rate_per_second: int
    stop_error_percent: int
    stop_min_results: int
    confirm_within: _duration_pb2.Duration
    stop_at_first_failure: bool
    def __init__(self, chunk_size: _Optional[int] = ..., canary_size: _Optional[int] = ..., rate_per_second: _Optional[int] = ..., stop_error_percent: _Optional[int] = ..., stop_min_results: _Optional[int] = ..., confirm_within: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., stop_at_first_failure: _Optional[bool] = ...) -> None: ...

class PlanCounts(_message.Message):
    __slots__ = ("total", "pending", "started", "succeeded", "failed", "skipped", "unconfirmed")
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    PENDING_FIELD_NUMBER: _ClassVar[int]
    STARTED_FIELD_NUMBER: _ClassVar[int]
    SUCCEEDED_FIELD_NUMBER: _ClassVar[int]
    FAILED_FIELD_NUMBER: _ClassVar[int]
    SKIPPED_FIELD_NUMBER: _ClassVar[int]
    UNCONFIRMED_FIELD_NUMBER: _ClassVar[int]
    total: int
    pending: int
    started: int
    succeeded: int
    failed: int
    skipped: int
    unconfirmed: int
    def __init__(self, total: _Optional[int] = ..., pending: _Optional[int] = ..., started: _Optional[int] = ..., succeeded: _Optional[int] = ..., failed: _Optional[int] = ..., skipped: _Optional[int] = ..., unconfirmed: _Optional[int] = ...) -> None: ...

class Ineligible(_message.Message):
    __slots__ = ("cause", "count")
    CAUSE_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    cause: str
    count: int
    def __init__(self, cause: _Optional[str] = ..., count: _Optional[int] = ...) -> None: ...

class Plan(_message.Message):
    __slots__ = ("plan_id", "kind", "state", "filter", "pace", "creator", "reason", "ticket", "create_time", "expire_time", "needs_second_person", "approver", "approve_time", "counts", "ineligible", "digest", "note")
    PLAN_ID_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    FILTER_FIELD_NUMBER: _ClassVar[int]
    PACE_FIELD_NUMBER: _ClassVar[int]
    CREATOR_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    TICKET_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    EXPIRE_TIME_FIELD_NUMBER: _ClassVar[int]
    NEEDS_SECOND_PERSON_FIELD_NUMBER: _ClassVar[int]
    APPROVER_FIELD_NUMBER: _ClassVar[int]
    APPROVE_TIME_FIELD_NUMBER: _ClassVar[int]
    COUNTS_FIELD_NUMBER: _ClassVar[int]
    INELIGIBLE_FIELD_NUMBER: _ClassVar[int]
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    NOTE_FIELD_NUMBER: _ClassVar[int]
    plan_id: str
    kind: PlanKind
    state: PlanState
    filter: PlanFilter
    pace: PlanPace
    creator: str
    reason: str
    ticket: str
    create_time: _timestamp_pb2.Timestamp
    expire_time: _timestamp_pb2.Timestamp
    needs_second_person: bool
    approver: str
    approve_time: _timestamp_pb2.Timestamp
    counts: PlanCounts
    ineligible: _containers.RepeatedCompositeFieldContainer[Ineligible]
    digest: str
    note: str
    def __init__(self, plan_id: _Optional[str] = ..., kind: _Optional[_Union[PlanKind, str]] = ..., state: _Optional[_Union[PlanState, str]] = ..., filter: _Optional[_Union[PlanFilter, _Mapping]] = ..., pace: _Optional[_Union[PlanPace, _Mapping]] = ..., creator: _Optional[str] = ..., reason: _Optional[str] = ..., ticket: _Optional[str] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., expire_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., needs_second_person: _Optional[bool] = ..., approver: _Optional[str] = ..., approve_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., counts: _Optional[_Union[PlanCounts, _Mapping]] = ..., ineligible: _Optional[_Iterable[_Union[Ineligible, _Mapping]]] = ..., digest: _Optional[str] = ..., note: _Optional[str] = ...) -> None: ...

class PlanItem(_message.Message):
    __slots__ = ("number", "subject", "state", "detail", "job_id", "update_time")
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    UPDATE_TIME_FIELD_NUMBER: _ClassVar[int]
    number: int
    subject: str
    state: PlanItemState
    detail: str
    job_id: str
    update_time: _timestamp_pb2.Timestamp
    def __init__(self, number: _Optional[int] = ..., subject: _Optional[str] = ..., state: _Optional[_Union[PlanItemState, str]] = ..., detail: _Optional[str] = ..., job_id: _Optional[str] = ..., update_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...
