from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class RefusalReason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    REFUSAL_REASON_UNSPECIFIED: _ClassVar[RefusalReason]
    REFUSAL_REASON_MALFORMED: _ClassVar[RefusalReason]
    REFUSAL_REASON_BAD_SIGNATURE: _ClassVar[RefusalReason]
    REFUSAL_REASON_NOT_ENTITLED: _ClassVar[RefusalReason]
    REFUSAL_REASON_CONFLICT: _ClassVar[RefusalReason]
    REFUSAL_REASON_NO_INTENT: _ClassVar[RefusalReason]
    REFUSAL_REASON_ALREADY_STATED: _ClassVar[RefusalReason]
REFUSAL_REASON_UNSPECIFIED: RefusalReason
REFUSAL_REASON_MALFORMED: RefusalReason
REFUSAL_REASON_BAD_SIGNATURE: RefusalReason
REFUSAL_REASON_NOT_ENTITLED: RefusalReason
REFUSAL_REASON_CONFLICT: RefusalReason
REFUSAL_REASON_NO_INTENT: RefusalReason
REFUSAL_REASON_ALREADY_STATED: RefusalReason

class Receipt(_message.Message):
    __slots__ = ("index", "leaf_hash", "path")
    INDEX_FIELD_NUMBER: _ClassVar[int]
    LEAF_HASH_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    index: int
    leaf_hash: bytes
    path: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, index: _Optional[int] = ..., leaf_hash: _Optional[bytes] = ..., path: _Optional[_Iterable[bytes]] = ...) -> None: ...

class Refusal(_message.Message):
    __slots__ = ("reason", "message")
    REASON_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    reason: RefusalReason
    message: str
    def __init__(self, reason: _Optional[_Union[RefusalReason, str]] = ..., message: _Optional[str] = ...) -> None: ...

class Entry(_message.Message):
    __slots__ = ("index", "envelope", "entry_id", "kind", "job_id", "attempt_id")
    INDEX_FIELD_NUMBER: _ClassVar[int]
    ENVELOPE_FIELD_NUMBER: _ClassVar[int]
    ENTRY_ID_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_ID_FIELD_NUMBER: _ClassVar[int]
    index: int
    envelope: bytes
    entry_id: str
    kind: str
    job_id: str
    attempt_id: str
    def __init__(self, index: _Optional[int] = ..., envelope: _Optional[bytes] = ..., entry_id: _Optional[str] = ..., kind: _Optional[str] = ..., job_id: _Optional[str] = ..., attempt_id: _Optional[str] = ...) -> None: ...
