import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from integration.common.v1 import money_pb2 as _money_pb2
from integration.jobs.v1 import job_pb2 as _job_pb2
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class EventKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    EVENT_KIND_UNSPECIFIED: _ClassVar[EventKind]
    EVENT_KIND_CONTRADICTION: _ClassVar[EventKind]
    EVENT_KIND_DISPUTE: _ClassVar[EventKind]
    EVENT_KIND_REVERSAL: _ClassVar[EventKind]
    EVENT_KIND_BOUNCE: _ClassVar[EventKind]
    EVENT_KIND_INBOUND: _ClassVar[EventKind]
    EVENT_KIND_OTHER: _ClassVar[EventKind]

class ProposedAction(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PROPOSED_ACTION_UNSPECIFIED: _ClassVar[ProposedAction]
    PROPOSED_ACTION_ROLL_BACK: _ClassVar[ProposedAction]
    PROPOSED_ACTION_REPEAT: _ClassVar[ProposedAction]
    PROPOSED_ACTION_INVESTIGATE: _ClassVar[ProposedAction]
EVENT_KIND_UNSPECIFIED: EventKind
EVENT_KIND_CONTRADICTION: EventKind
EVENT_KIND_DISPUTE: EventKind
EVENT_KIND_REVERSAL: EventKind
EVENT_KIND_BOUNCE: EventKind
EVENT_KIND_INBOUND: EventKind
EVENT_KIND_OTHER: EventKind
PROPOSED_ACTION_UNSPECIFIED: ProposedAction
PROPOSED_ACTION_ROLL_BACK: ProposedAction
PROPOSED_ACTION_REPEAT: ProposedAction
PROPOSED_ACTION_INVESTIGATE: ProposedAction

class JobSide(_message.Message):
    __slots__ = ("job_id", "operation", "state", "provider_reference", "amount")
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    OPERATION_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    PROVIDER_REFERENCE_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    job_id: str
    operation: str
    state: _job_pb2.JobState
    provider_reference: str
    amount: _money_pb2.Money
    def __init__(self, job_id: _Optional[str] = ..., operation: _Optional[str] = ..., state: _Optional[_Union[_job_pb2.JobState, str]] = ..., provider_reference: _Optional[str] = ..., amount: _Optional[_Union[_money_pb2.Money, _Mapping]] = ...) -> None: ...

class ProviderSide(_message.Message):
    __slots__ = ("outcome", "provider_reference", "amount")
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    PROVIDER_REFERENCE_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    outcome: str
    provider_reference: str
    amount: _money_pb2.Money
    def __init__(self, outcome: _Optional[str] = ..., provider_reference: _Optional[str] = ..., amount: _Optional[_Union[_money_pb2.Money, _Mapping]] = ...) -> None: ...

class Event(_message.Message):
    __slots__ = ("cursor", "create_time", "event_time", "tenant", "provider", "account", "event_id", "type", "kind", "job", "provider_said", "differs", "proposed_action")
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    EVENT_TIME_FIELD_NUMBER: _ClassVar[int]
    TENANT_FIELD_NUMBER: _ClassVar[int]
    PROVIDER_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    JOB_FIELD_NUMBER: _ClassVar[int]
    PROVIDER_SAID_FIELD_NUMBER: _ClassVar[int]
    DIFFERS_FIELD_NUMBER: _ClassVar[int]
    PROPOSED_ACTION_FIELD_NUMBER: _ClassVar[int]
    cursor: int
    create_time: _timestamp_pb2.Timestamp
    event_time: _timestamp_pb2.Timestamp
    tenant: str
    provider: str
    account: str
    event_id: str
    type: str
    kind: EventKind
    job: JobSide
    provider_said: ProviderSide
    differs: str
    proposed_action: ProposedAction
    def __init__(self, cursor: _Optional[int] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., event_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., tenant: _Optional[str] = ..., provider: _Optional[str] = ..., account: _Optional[str] = ..., event_id: _Optional[str] = ..., type: _Optional[str] = ..., kind: _Optional[_Union[EventKind, str]] = ..., job: _Optional[_Union[JobSide, _Mapping]] = ..., provider_said: _Optional[_Union[ProviderSide, _Mapping]] = ..., differs: _Optional[str] = ..., proposed_action: _Optional[_Union[ProposedAction, str]] = ...) -> None: ...
