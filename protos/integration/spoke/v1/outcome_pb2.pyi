import datetime

from google.protobuf import any_pb2 as _any_pb2
from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from integration.common.v1 import money_pb2 as _money_pb2
from integration.common.v1 import rules_pb2 as _rules_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class SendProgress(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SEND_PROGRESS_UNSPECIFIED: _ClassVar[SendProgress]
    SEND_PROGRESS_NOT_STARTED: _ClassVar[SendProgress]
    SEND_PROGRESS_CONNECTING: _ClassVar[SendProgress]
    SEND_PROGRESS_WRITING: _ClassVar[SendProgress]
    SEND_PROGRESS_WRITTEN: _ClassVar[SendProgress]
    SEND_PROGRESS_REPLY_BEGUN: _ClassVar[SendProgress]
    SEND_PROGRESS_REPLY_READ: _ClassVar[SendProgress]

class NotSentCause(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    NOT_SENT_CAUSE_UNSPECIFIED: _ClassVar[NotSentCause]
    NOT_SENT_CAUSE_PROVIDER_DOWN: _ClassVar[NotSentCause]
    NOT_SENT_CAUSE_THROTTLED: _ClassVar[NotSentCause]
    NOT_SENT_CAUSE_MISCONFIGURED: _ClassVar[NotSentCause]
    NOT_SENT_CAUSE_OVERLOADED: _ClassVar[NotSentCause]
    NOT_SENT_CAUSE_NO_RECEIPT: _ClassVar[NotSentCause]
    NOT_SENT_CAUSE_FENCED: _ClassVar[NotSentCause]
    NOT_SENT_CAUSE_ABSENT: _ClassVar[NotSentCause]
    NOT_SENT_CAUSE_UNSUPPORTED: _ClassVar[NotSentCause]

class UnknownCause(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    UNKNOWN_CAUSE_UNSPECIFIED: _ClassVar[UnknownCause]
    UNKNOWN_CAUSE_PROVIDER: _ClassVar[UnknownCause]
    UNKNOWN_CAUSE_WORKER_LOST: _ClassVar[UnknownCause]
SEND_PROGRESS_UNSPECIFIED: SendProgress
SEND_PROGRESS_NOT_STARTED: SendProgress
SEND_PROGRESS_CONNECTING: SendProgress
SEND_PROGRESS_WRITING: SendProgress
SEND_PROGRESS_WRITTEN: SendProgress
SEND_PROGRESS_REPLY_BEGUN: SendProgress
SEND_PROGRESS_REPLY_READ: SendProgress
NOT_SENT_CAUSE_UNSPECIFIED: NotSentCause
NOT_SENT_CAUSE_PROVIDER_DOWN: NotSentCause
NOT_SENT_CAUSE_THROTTLED: NotSentCause
NOT_SENT_CAUSE_MISCONFIGURED: NotSentCause
NOT_SENT_CAUSE_OVERLOADED: NotSentCause
NOT_SENT_CAUSE_NO_RECEIPT: NotSentCause
NOT_SENT_CAUSE_FENCED: NotSentCause
NOT_SENT_CAUSE_ABSENT: NotSentCause
NOT_SENT_CAUSE_UNSUPPORTED: NotSentCause
UNKNOWN_CAUSE_UNSPECIFIED: UnknownCause
UNKNOWN_CAUSE_PROVIDER: UnknownCause
UNKNOWN_CAUSE_WORKER_LOST: UnknownCause

class Succeeded(_message.Message):
    __slots__ = ("result",)
    RESULT_FIELD_NUMBER: _ClassVar[int]
    result: _any_pb2.Any
    def __init__(self, result: _Optional[_Union[_any_pb2.Any, _Mapping]] = ...) -> None: ...

class Pending(_message.Message):
    __slots__ = ("result", "confirm_by_time")
    RESULT_FIELD_NUMBER: _ClassVar[int]
    CONFIRM_BY_TIME_FIELD_NUMBER: _ClassVar[int]
    result: _any_pb2.Any
    confirm_by_time: _timestamp_pb2.Timestamp
    def __init__(self, result: _Optional[_Union[_any_pb2.Any, _Mapping]] = ..., confirm_by_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class Declined(_message.Message):
    __slots__ = ("reason", "message")
    REASON_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    reason: str
    message: str
    def __init__(self, reason: _Optional[str] = ..., message: _Optional[str] = ...) -> None: ...

class NotSent(_message.Message):
    __slots__ = ("cause", "reason", "message", "retry_after")
    CAUSE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    RETRY_AFTER_FIELD_NUMBER: _ClassVar[int]
    cause: NotSentCause
    reason: str
    message: str
    retry_after: _duration_pb2.Duration
    def __init__(self, cause: _Optional[_Union[NotSentCause, str]] = ..., reason: _Optional[str] = ..., message: _Optional[str] = ..., retry_after: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class Unknown(_message.Message):
    __slots__ = ("reason", "message", "cause")
    REASON_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    CAUSE_FIELD_NUMBER: _ClassVar[int]
    reason: str
    message: str
    cause: UnknownCause
    def __init__(self, reason: _Optional[str] = ..., message: _Optional[str] = ..., cause: _Optional[_Union[UnknownCause, str]] = ...) -> None: ...

class Subject(_message.Message):
    __slots__ = ("operations", "amount", "request_fields")
    class RequestFieldsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    OPERATIONS_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    REQUEST_FIELDS_FIELD_NUMBER: _ClassVar[int]
    operations: _containers.RepeatedScalarFieldContainer[str]
    amount: _money_pb2.Money
    request_fields: _containers.ScalarMap[str, str]
    def __init__(self, operations: _Optional[_Iterable[str]] = ..., amount: _Optional[_Union[_money_pb2.Money, _Mapping]] = ..., request_fields: _Optional[_Mapping[str, str]] = ...) -> None: ...

class Outcome(_message.Message):
    __slots__ = ("succeeded", "pending", "declined", "not_sent", "unknown", "progress", "provider_reference", "sent_time", "done_time", "subject")
    SUCCEEDED_FIELD_NUMBER: _ClassVar[int]
    PENDING_FIELD_NUMBER: _ClassVar[int]
    DECLINED_FIELD_NUMBER: _ClassVar[int]
    NOT_SENT_FIELD_NUMBER: _ClassVar[int]
    UNKNOWN_FIELD_NUMBER: _ClassVar[int]
    PROGRESS_FIELD_NUMBER: _ClassVar[int]
    PROVIDER_REFERENCE_FIELD_NUMBER: _ClassVar[int]
    SENT_TIME_FIELD_NUMBER: _ClassVar[int]
    DONE_TIME_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    succeeded: Succeeded
    pending: Pending
    declined: Declined
    not_sent: NotSent
    unknown: Unknown
    progress: SendProgress
    provider_reference: str
    sent_time: _timestamp_pb2.Timestamp
    done_time: _timestamp_pb2.Timestamp
    subject: Subject
    def __init__(self, succeeded: _Optional[_Union[Succeeded, _Mapping]] = ..., pending: _Optional[_Union[Pending, _Mapping]] = ..., declined: _Optional[_Union[Declined, _Mapping]] = ..., not_sent: _Optional[_Union[NotSent, _Mapping]] = ..., unknown: _Optional[_Union[Unknown, _Mapping]] = ..., progress: _Optional[_Union[SendProgress, str]] = ..., provider_reference: _Optional[str] = ..., sent_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., done_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., subject: _Optional[_Union[Subject, _Mapping]] = ...) -> None: ...
