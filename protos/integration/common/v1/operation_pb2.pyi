from google.protobuf import descriptor_pb2 as _descriptor_pb2
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Safety(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SAFETY_UNSPECIFIED: _ClassVar[Safety]
    SAFETY_READ: _ClassVar[Safety]
    SAFETY_EFFECT: _ClassVar[Safety]
    SAFETY_MONEY: _ClassVar[Safety]
SAFETY_UNSPECIFIED: Safety
SAFETY_READ: Safety
SAFETY_EFFECT: Safety
SAFETY_MONEY: Safety
OPERATION_FIELD_NUMBER: _ClassVar[int]
operation: _descriptor.FieldDescriptor
PROVIDER_REFERENCE_FIELD_NUMBER: _ClassVar[int]
provider_reference: _descriptor.FieldDescriptor

class Operation(_message.Message):
    __slots__ = ("safety", "inverse", "confirmed_later", "inverse_field")
    SAFETY_FIELD_NUMBER: _ClassVar[int]
    INVERSE_FIELD_NUMBER: _ClassVar[int]
    CONFIRMED_LATER_FIELD_NUMBER: _ClassVar[int]
    INVERSE_FIELD_FIELD_NUMBER: _ClassVar[int]
    safety: Safety
    inverse: str
    confirmed_later: bool
    inverse_field: str
    def __init__(self, safety: _Optional[_Union[Safety, str]] = ..., inverse: _Optional[str] = ..., confirmed_later: _Optional[bool] = ..., inverse_field: _Optional[str] = ...) -> None: ...
