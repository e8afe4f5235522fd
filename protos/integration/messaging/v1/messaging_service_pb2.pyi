from integration.common.v1 import context_pb2 as _context_pb2
from integration.common.v1 import operation_pb2 as _operation_pb2
from integration.common.v1 import rules_pb2 as _rules_pb2
from integration.jobs.v1 import job_pb2 as _job_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class SendEmailRequest(_message.Message):
    __slots__ = ("context", "from_address", "to_addresses", "subject", "text_body", "html_body")
    CONTEXT_FIELD_NUMBER: _ClassVar[int]
    FROM_ADDRESS_FIELD_NUMBER: _ClassVar[int]
    TO_ADDRESSES_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    TEXT_BODY_FIELD_NUMBER: _ClassVar[int]
    HTML_BODY_FIELD_NUMBER: _ClassVar[int]
    context: _context_pb2.RequestContext
    from_address: str
    to_addresses: _containers.RepeatedScalarFieldContainer[str]
    subject: str
    text_body: str
    html_body: str
    def __init__(self, context: _Optional[_Union[_context_pb2.RequestContext, _Mapping]] = ..., from_address: _Optional[str] = ..., to_addresses: _Optional[_Iterable[str]] = ..., subject: _Optional[str] = ..., text_body: _Optional[str] = ..., html_body: _Optional[str] = ...) -> None: ...

class SendEmailResponse(_message.Message):
    __slots__ = ("job", "receipt")
    JOB_FIELD_NUMBER: _ClassVar[int]
    RECEIPT_FIELD_NUMBER: _ClassVar[int]
    job: _job_pb2.Job
    receipt: EmailReceipt
    def __init__(self, job: _Optional[_Union[_job_pb2.Job, _Mapping]] = ..., receipt: _Optional[_Union[EmailReceipt, _Mapping]] = ...) -> None: ...

class EmailReceipt(_message.Message):
    __slots__ = ("message_id", "accepted_count", "refused_count")
    MESSAGE_ID_FIELD_NUMBER: _ClassVar[int]
    ACCEPTED_COUNT_FIELD_NUMBER: _ClassVar[int]
    REFUSED_COUNT_FIELD_NUMBER: _ClassVar[int]
    message_id: str
    accepted_count: int
    refused_count: int
    def __init__(self, message_id: _Optional[str] = ..., accepted_count: _Optional[int] = ..., refused_count: _Optional[int] = ...) -> None: ...
