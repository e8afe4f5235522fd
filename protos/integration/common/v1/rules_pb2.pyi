from google.protobuf import descriptor_pb2 as _descriptor_pb2
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor
RULES_FIELD_NUMBER: _ClassVar[int]
rules: _descriptor.FieldDescriptor

class FieldRules(_message.Message):
    __slots__ = ("required", "min_len", "max_len", "pattern", "gte", "lte", "items", "keys", "multiline", "gte_ms", "lte_ms", "ahead_lte_days")
    REQUIRED_FIELD_NUMBER: _ClassVar[int]
    MIN_LEN_FIELD_NUMBER: _ClassVar[int]
    MAX_LEN_FIELD_NUMBER: _ClassVar[int]
    PATTERN_FIELD_NUMBER: _ClassVar[int]
    GTE_FIELD_NUMBER: _ClassVar[int]
    LTE_FIELD_NUMBER: _ClassVar[int]
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    KEYS_FIELD_NUMBER: _ClassVar[int]
    MULTILINE_FIELD_NUMBER: _ClassVar[int]
    GTE_MS_FIELD_NUMBER: _ClassVar[int]
    LTE_MS_FIELD_NUMBER: _ClassVar[int]
    AHEAD_LTE_DAYS_FIELD_NUMBER: _ClassVar[int]
    required: bool
    min_len: int
    max_len: int
    pattern: str
    gte: int
    lte: int
    items: FieldRules
    keys: FieldRules
    multiline: bool
    gte_ms: int
    lte_ms: int
    ahead_lte_days: int
    def __init__(self, required: _Optional[bool] = ..., min_len: _Optional[int] = ..., max_len: _Optional[int] = ..., pattern: _Optional[str] = ..., gte: _Optional[int] = ..., lte: _Optional[int] = ..., items: _Optional[_Union[FieldRules, _Mapping]] = ..., keys: _Optional[_Union[FieldRules, _Mapping]] = ..., multiline: _Optional[bool] = ..., gte_ms: _Optional[int] = ..., lte_ms: _Optional[int] = ..., ahead_lte_days: _Optional[int] = ...) -> None: ...
