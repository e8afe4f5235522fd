from integration.common.v1 import context_pb2 as _context_pb2
from integration.common.v1 import money_pb2 as _money_pb2
from integration.common.v1 import operation_pb2 as _operation_pb2
from integration.common.v1 import read_pb2 as _read_pb2
from integration.common.v1 import rules_pb2 as _rules_pb2
from integration.jobs.v1 import job_pb2 as _job_pb2
from integration.payments.v1 import payment_pb2 as _payment_pb2
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ChargeRequest(_message.Message):
    __slots__ = ("context", "amount", "payment_method", "customer_id", "return_url")
    CONTEXT_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    PAYMENT_METHOD_FIELD_NUMBER: _ClassVar[int]
    CUSTOMER_ID_FIELD_NUMBER: _ClassVar[int]
    RETURN_URL_FIELD_NUMBER: _ClassVar[int]
    context: _context_pb2.RequestContext
    amount: _money_pb2.Money
    payment_method: str
    customer_id: str
    return_url: str
    def __init__(self, context: _Optional[_Union[_context_pb2.RequestContext, _Mapping]] = ..., amount: _Optional[_Union[_money_pb2.Money, _Mapping]] = ..., payment_method: _Optional[str] = ..., customer_id: _Optional[str] = ..., return_url: _Optional[str] = ...) -> None: ...

class ChargeResponse(_message.Message):
    __slots__ = ("job", "payment")
    JOB_FIELD_NUMBER: _ClassVar[int]
    PAYMENT_FIELD_NUMBER: _ClassVar[int]
    job: _job_pb2.Job
    payment: _payment_pb2.Payment
    def __init__(self, job: _Optional[_Union[_job_pb2.Job, _Mapping]] = ..., payment: _Optional[_Union[_payment_pb2.Payment, _Mapping]] = ...) -> None: ...

class AuthorizeRequest(_message.Message):
    __slots__ = ("context", "amount", "payment_method", "customer_id", "return_url")
    CONTEXT_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    PAYMENT_METHOD_FIELD_NUMBER: _ClassVar[int]
    CUSTOMER_ID_FIELD_NUMBER: _ClassVar[int]
    RETURN_URL_FIELD_NUMBER: _ClassVar[int]
    context: _context_pb2.RequestContext
    amount: _money_pb2.Money
    payment_method: str
    customer_id: str
    return_url: str
    def __init__(self, context: _Optional[_Union[_context_pb2.RequestContext, _Mapping]] = ..., amount: _Optional[_Union[_money_pb2.Money, _Mapping]] = ..., payment_method: _Optional[str] = ..., customer_id: _Optional[str] = ..., return_url: _Optional[str] = ...) -> None: ...

class AuthorizeResponse(_message.Message):
    __slots__ = ("job", "payment")
    JOB_FIELD_NUMBER: _ClassVar[int]
    PAYMENT_FIELD_NUMBER: _ClassVar[int]
    job: _job_pb2.Job
    payment: _payment_pb2.Payment
    def __init__(self, job: _Optional[_Union[_job_pb2.Job, _Mapping]] = ..., payment: _Optional[_Union[_payment_pb2.Payment, _Mapping]] = ...) -> None: ...

class CaptureRequest(_message.Message):
    __slots__ = ("context", "payment_id", "amount")
    CONTEXT_FIELD_NUMBER: _ClassVar[int]
    PAYMENT_ID_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    context: _context_pb2.RequestContext
    payment_id: str
    amount: _money_pb2.Money
    def __init__(self, context: _Optional[_Union[_context_pb2.RequestContext, _Mapping]] = ..., payment_id: _Optional[str] = ..., amount: _Optional[_Union[_money_pb2.Money, _Mapping]] = ...) -> None: ...

class CaptureResponse(_message.Message):
    __slots__ = ("job", "payment")
    JOB_FIELD_NUMBER: _ClassVar[int]
    PAYMENT_FIELD_NUMBER: _ClassVar[int]
    job: _job_pb2.Job
    payment: _payment_pb2.Payment
    def __init__(self, job: _Optional[_Union[_job_pb2.Job, _Mapping]] = ..., payment: _Optional[_Union[_payment_pb2.Payment, _Mapping]] = ...) -> None: ...

class VoidRequest(_message.Message):
    __slots__ = ("context", "payment_id")
    CONTEXT_FIELD_NUMBER: _ClassVar[int]
    PAYMENT_ID_FIELD_NUMBER: _ClassVar[int]
    context: _context_pb2.RequestContext
    payment_id: str
    def __init__(self, context: _Optional[_Union[_context_pb2.RequestContext, _Mapping]] = ..., payment_id: _Optional[str] = ...) -> None: ...

class VoidResponse(_message.Message):
    __slots__ = ("job", "payment")
    JOB_FIELD_NUMBER: _ClassVar[int]
    PAYMENT_FIELD_NUMBER: _ClassVar[int]
    job: _job_pb2.Job
    payment: _payment_pb2.Payment
    def __init__(self, job: _Optional[_Union[_job_pb2.Job, _Mapping]] = ..., payment: _Optional[_Union[_payment_pb2.Payment, _Mapping]] = ...) -> None: ...

class RefundRequest(_message.Message):
    __slots__ = ("context", "payment_id", "amount")
    CONTEXT_FIELD_NUMBER: _ClassVar[int]
    PAYMENT_ID_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    context: _context_pb2.RequestContext
    payment_id: str
    amount: _money_pb2.Money
    def __init__(self, context: _Optional[_Union[_context_pb2.RequestContext, _Mapping]] = ..., payment_id: _Optional[str] = ..., amount: _Optional[_Union[_money_pb2.Money, _Mapping]] = ...) -> None: ...

class RefundResponse(_message.Message):
    __slots__ = ("job", "refund")
    JOB_FIELD_NUMBER: _ClassVar[int]
    REFUND_FIELD_NUMBER: _ClassVar[int]
    job: _job_pb2.Job
    refund: _payment_pb2.Refund
    def __init__(self, job: _Optional[_Union[_job_pb2.Job, _Mapping]] = ..., refund: _Optional[_Union[_payment_pb2.Refund, _Mapping]] = ...) -> None: ...

class GetPaymentRequest(_message.Message):
    __slots__ = ("context", "payment_id")
    CONTEXT_FIELD_NUMBER: _ClassVar[int]
    PAYMENT_ID_FIELD_NUMBER: _ClassVar[int]
    context: _context_pb2.RequestContext
    payment_id: str
    def __init__(self, context: _Optional[_Union[_context_pb2.RequestContext, _Mapping]] = ..., payment_id: _Optional[str] = ...) -> None: ...

class GetPaymentResponse(_message.Message):
    __slots__ = ("job", "payment", "read")
    JOB_FIELD_NUMBER: _ClassVar[int]
    PAYMENT_FIELD_NUMBER: _ClassVar[int]
    READ_FIELD_NUMBER: _ClassVar[int]
    job: _job_pb2.Job
    payment: _payment_pb2.Payment
    read: _read_pb2.Read
    def __init__(self, job: _Optional[_Union[_job_pb2.Job, _Mapping]] = ..., payment: _Optional[_Union[_payment_pb2.Payment, _Mapping]] = ..., read: _Optional[_Union[_read_pb2.Read, _Mapping]] = ...) -> None: ...
