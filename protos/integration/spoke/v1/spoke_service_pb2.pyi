import datetime

from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from integration.audit.v1 import log_pb2 as _log_pb2
from integration.common.v1 import money_pb2 as _money_pb2
from integration.common.v1 import rules_pb2 as _rules_pb2
from integration.spoke.v1 import outcome_pb2 as _outcome_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ReplayKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    REPLAY_KIND_UNSPECIFIED: _ClassVar[ReplayKind]
    REPLAY_KIND_NATIVE_KEY: _ClassVar[ReplayKind]
    REPLAY_KIND_QUERYABLE: _ClassVar[ReplayKind]
    REPLAY_KIND_BLIND: _ClassVar[ReplayKind]
    REPLAY_KIND_READ: _ClassVar[ReplayKind]

class AttemptPurpose(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ATTEMPT_PURPOSE_UNSPECIFIED: _ClassVar[AttemptPurpose]
    ATTEMPT_PURPOSE_EXECUTE: _ClassVar[AttemptPurpose]
    ATTEMPT_PURPOSE_CANCEL: _ClassVar[AttemptPurpose]

class Knowledge(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    KNOWLEDGE_UNSPECIFIED: _ClassVar[Knowledge]
    KNOWLEDGE_NOT_STARTED: _ClassVar[Knowledge]
    KNOWLEDGE_RUNNING: _ClassVar[Knowledge]
    KNOWLEDGE_FINISHED: _ClassVar[Knowledge]
    KNOWLEDGE_NONE: _ClassVar[Knowledge]

class ConcernKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CONCERN_KIND_UNSPECIFIED: _ClassVar[ConcernKind]
    CONCERN_KIND_DISPUTE: _ClassVar[ConcernKind]
    CONCERN_KIND_REVERSAL: _ClassVar[ConcernKind]
    CONCERN_KIND_BOUNCE: _ClassVar[ConcernKind]
    CONCERN_KIND_INBOUND: _ClassVar[ConcernKind]
    CONCERN_KIND_OTHER: _ClassVar[ConcernKind]

class WebhookVerdict(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    WEBHOOK_VERDICT_UNSPECIFIED: _ClassVar[WebhookVerdict]
    WEBHOOK_VERDICT_VERIFIED: _ClassVar[WebhookVerdict]
    WEBHOOK_VERDICT_REFUSED: _ClassVar[WebhookVerdict]
    WEBHOOK_VERDICT_UNAVAILABLE: _ClassVar[WebhookVerdict]
REPLAY_KIND_UNSPECIFIED: ReplayKind
REPLAY_KIND_NATIVE_KEY: ReplayKind
REPLAY_KIND_QUERYABLE: ReplayKind
REPLAY_KIND_BLIND: ReplayKind
REPLAY_KIND_READ: ReplayKind
ATTEMPT_PURPOSE_UNSPECIFIED: AttemptPurpose
ATTEMPT_PURPOSE_EXECUTE: AttemptPurpose
ATTEMPT_PURPOSE_CANCEL: AttemptPurpose
KNOWLEDGE_UNSPECIFIED: Knowledge
KNOWLEDGE_NOT_STARTED: Knowledge
KNOWLEDGE_RUNNING: Knowledge
KNOWLEDGE_FINISHED: Knowledge
KNOWLEDGE_NONE: Knowledge
CONCERN_KIND_UNSPECIFIED: ConcernKind
CONCERN_KIND_DISPUTE: ConcernKind
CONCERN_KIND_REVERSAL: ConcernKind
CONCERN_KIND_BOUNCE: ConcernKind
CONCERN_KIND_INBOUND: ConcernKind
CONCERN_KIND_OTHER: ConcernKind
WEBHOOK_VERDICT_UNSPECIFIED: WebhookVerdict
WEBHOOK_VERDICT_VERIFIED: WebhookVerdict
WEBHOOK_VERDICT_REFUSED: WebhookVerdict
WEBHOOK_VERDICT_UNAVAILABLE: WebhookVerdict

class DescribeRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class OperationSpec(_message.Message):
    __slots__ = ("operation", "replay", "replay_window", "saves_errors", "look_up_lag", "can_look_up", "timeout", "confirm_within", "max_attempts", "initial_backoff", "max_backoff", "expire_after", "cache_time", "can_cancel")
    OPERATION_FIELD_NUMBER: _ClassVar[int]
    REPLAY_FIELD_NUMBER: _ClassVar[int]
    REPLAY_WINDOW_FIELD_NUMBER: _ClassVar[int]
    SAVES_ERRORS_FIELD_NUMBER: _ClassVar[int]
    LOOK_UP_LAG_FIELD_NUMBER: _ClassVar[int]
    CAN_LOOK_UP_FIELD_NUMBER: _ClassVar[int]
    TIMEOUT_FIELD_NUMBER: _ClassVar[int]
    CONFIRM_WITHIN_FIELD_NUMBER: _ClassVar[int]
    MAX_ATTEMPTS_FIELD_NUMBER: _ClassVar[int]
    INITIAL_BACKOFF_FIELD_NUMBER: _ClassVar[int]
    MAX_BACKOFF_FIELD_NUMBER: _ClassVar[int]
    EXPIRE_AFTER_FIELD_NUMBER: _ClassVar[int]
    CACHE_TIME_FIELD_NUMBER: _ClassVar[int]
    CAN_CANCEL_FIELD_NUMBER: _ClassVar[int]
    operation: str
    replay: ReplayKind
    replay_window: _duration_pb2.Duration
    saves_errors: bool
    look_up_lag: _duration_pb2.Duration
    can_look_up: bool
    timeout: _duration_pb2.Duration
    confirm_within: _duration_pb2.Duration
    max_attempts: int
    initial_backoff: _duration_pb2.Duration
    max_backoff: _duration_pb2.Duration
    expire_after: _duration_pb2.Duration
    cache_time: _duration_pb2.Duration
    can_cancel: bool
    def __init__(self, operation: _Optional[str] = ..., replay: _Optional[_Union[ReplayKind, str]] = ..., replay_window: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., saves_errors: _Optional[bool] = ..., look_up_lag: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., can_look_up: _Optional[bool] = ..., timeout: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., confirm_within: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., max_attempts: _Optional[int] = ..., initial_backoff: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., max_backoff: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., expire_after: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., cache_time: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., can_cancel: _Optional[bool] = ...) -> None: ...

class AccountSpec(_message.Message):
    __slots__ = ("name", "max_concurrency", "rate_per_second", "burst", "read_share")
    NAME_FIELD_NUMBER: _ClassVar[int]
    MAX_CONCURRENCY_FIELD_NUMBER: _ClassVar[int]
    RATE_PER_SECOND_FIELD_NUMBER: _ClassVar[int]
    BURST_FIELD_NUMBER: _ClassVar[int]
    READ_SHARE_FIELD_NUMBER: _ClassVar[int]
    name: str
    max_concurrency: int
    rate_per_second: float
    burst: int
    read_share: float
    def __init__(self, name: _Optional[str] = ..., max_concurrency: _Optional[int] = ..., rate_per_second: _Optional[float] = ..., burst: _Optional[int] = ..., read_share: _Optional[float] = ...) -> None: ...

class WebhookSpec(_message.Message):
    __slots__ = ("methods", "content_types", "max_bytes", "room")
    METHODS_FIELD_NUMBER: _ClassVar[int]
    CONTENT_TYPES_FIELD_NUMBER: _ClassVar[int]
    MAX_BYTES_FIELD_NUMBER: _ClassVar[int]
    ROOM_FIELD_NUMBER: _ClassVar[int]
    methods: _containers.RepeatedScalarFieldContainer[str]
    content_types: _containers.RepeatedScalarFieldContainer[str]
    max_bytes: int
    room: int
    def __init__(self, methods: _Optional[_Iterable[str]] = ..., content_types: _Optional[_Iterable[str]] = ..., max_bytes: _Optional[int] = ..., room: _Optional[int] = ...) -> None: ...

class DescribeResponse(_message.Message):
    __slots__ = ("provider", "title", "version", "instance_id", "start_time", "operations", "accounts", "webhooks")
    PROVIDER_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    INSTANCE_ID_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    OPERATIONS_FIELD_NUMBER: _ClassVar[int]
    ACCOUNTS_FIELD_NUMBER: _ClassVar[int]
    WEBHOOKS_FIELD_NUMBER: _ClassVar[int]
    provider: str
    title: str
    version: str
    instance_id: str
    start_time: _timestamp_pb2.Timestamp
    operations: _containers.RepeatedCompositeFieldContainer[OperationSpec]
    accounts: _containers.RepeatedCompositeFieldContainer[AccountSpec]
    webhooks: WebhookSpec
    def __init__(self, provider: _Optional[str] = ..., title: _Optional[str] = ..., version: _Optional[str] = ..., instance_id: _Optional[str] = ..., start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., operations: _Optional[_Iterable[_Union[OperationSpec, _Mapping]]] = ..., accounts: _Optional[_Iterable[_Union[AccountSpec, _Mapping]]] = ..., webhooks: _Optional[_Union[WebhookSpec, _Mapping]] = ...) -> None: ...

class Warrant(_message.Message):
    __slots__ = ("intent", "receipt")
    INTENT_FIELD_NUMBER: _ClassVar[int]
    RECEIPT_FIELD_NUMBER: _ClassVar[int]
    intent: bytes
    receipt: _log_pb2.Receipt
    def __init__(self, intent: _Optional[bytes] = ..., receipt: _Optional[_Union[_log_pb2.Receipt, _Mapping]] = ...) -> None: ...

class Attempt(_message.Message):
    __slots__ = ("attempt_id", "job_id", "operation", "account", "request", "salt", "provider_key", "provider_reference", "timeout", "warrant", "trace", "job_create_time", "expire_time")
    class TraceEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    ATTEMPT_ID_FIELD_NUMBER: _ClassVar[int]
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    OPERATION_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    REQUEST_FIELD_NUMBER: _ClassVar[int]
    SALT_FIELD_NUMBER: _ClassVar[int]
    PROVIDER_KEY_FIELD_NUMBER: _ClassVar[int]
    PROVIDER_REFERENCE_FIELD_NUMBER: _ClassVar[int]
    TIMEOUT_FIELD_NUMBER: _ClassVar[int]
    WARRANT_FIELD_NUMBER: _ClassVar[int]
    TRACE_FIELD_NUMBER: _ClassVar[int]
    JOB_CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    EXPIRE_TIME_FIELD_NUMBER: _ClassVar[int]
    attempt_id: str
    job_id: str
    operation: str
    account: str
    request: bytes
    salt: bytes
    provider_key: str
    provider_reference: str
    timeout: _duration_pb2.Duration
    warrant: Warrant
    trace: _containers.ScalarMap[str, str]
    job_create_time: _timestamp_pb2.Timestamp
    expire_time: _timestamp_pb2.Timestamp
    def __init__(self, attempt_id: _Optional[str] = ..., job_id: _Optional[str] = ..., operation: _Optional[str] = ..., account: _Optional[str] = ..., request: _Optional[bytes] = ..., salt: _Optional[bytes] = ..., provider_key: _Optional[str] = ..., provider_reference: _Optional[str] = ..., timeout: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., warrant: _Optional[_Union[Warrant, _Mapping]] = ..., trace: _Optional[_Mapping[str, str]] = ..., job_create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., expire_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ExecuteRequest(_message.Message):
    __slots__ = ("lane", "term", "checkpoint", "attempts", "purpose")
    LANE_FIELD_NUMBER: _ClassVar[int]
    TERM_FIELD_NUMBER: _ClassVar[int]
    CHECKPOINT_FIELD_NUMBER: _ClassVar[int]
    ATTEMPTS_FIELD_NUMBER: _ClassVar[int]
    PURPOSE_FIELD_NUMBER: _ClassVar[int]
    lane: str
    term: int
    checkpoint: bytes
    attempts: _containers.RepeatedCompositeFieldContainer[Attempt]
    purpose: AttemptPurpose
    def __init__(self, lane: _Optional[str] = ..., term: _Optional[int] = ..., checkpoint: _Optional[bytes] = ..., attempts: _Optional[_Iterable[_Union[Attempt, _Mapping]]] = ..., purpose: _Optional[_Union[AttemptPurpose, str]] = ...) -> None: ...

class AttemptResult(_message.Message):
    __slots__ = ("attempt_id", "outcome", "evidence")
    ATTEMPT_ID_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    EVIDENCE_FIELD_NUMBER: _ClassVar[int]
    attempt_id: str
    outcome: _outcome_pb2.Outcome
    evidence: bytes
    def __init__(self, attempt_id: _Optional[str] = ..., outcome: _Optional[_Union[_outcome_pb2.Outcome, _Mapping]] = ..., evidence: _Optional[bytes] = ...) -> None: ...

class ExecuteResponse(_message.Message):
    __slots__ = ("results",)
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    results: _containers.RepeatedCompositeFieldContainer[AttemptResult]
    def __init__(self, results: _Optional[_Iterable[_Union[AttemptResult, _Mapping]]] = ...) -> None: ...

class LookUpRequest(_message.Message):
    __slots__ = ("lane", "term", "checkpoint", "attempts")
    LANE_FIELD_NUMBER: _ClassVar[int]
    TERM_FIELD_NUMBER: _ClassVar[int]
    CHECKPOINT_FIELD_NUMBER: _ClassVar[int]
    ATTEMPTS_FIELD_NUMBER: _ClassVar[int]
    lane: str
    term: int
    checkpoint: bytes
    attempts: _containers.RepeatedCompositeFieldContainer[Attempt]
    def __init__(self, lane: _Optional[str] = ..., term: _Optional[int] = ..., checkpoint: _Optional[bytes] = ..., attempts: _Optional[_Iterable[_Union[Attempt, _Mapping]]] = ...) -> None: ...

class LookUpResponse(_message.Message):
    __slots__ = ("results",)
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    results: _containers.RepeatedCompositeFieldContainer[AttemptResult]
    def __init__(self, results: _Optional[_Iterable[_Union[AttemptResult, _Mapping]]] = ...) -> None: ...

class FencedAttempt(_message.Message):
    __slots__ = ("attempt_id", "claim_time")
    ATTEMPT_ID_FIELD_NUMBER: _ClassVar[int]
    CLAIM_TIME_FIELD_NUMBER: _ClassVar[int]
    attempt_id: str
    claim_time: _timestamp_pb2.Timestamp
    def __init__(self, attempt_id: _Optional[str] = ..., claim_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class FenceRequest(_message.Message):
    __slots__ = ("lane", "term", "attempts")
    LANE_FIELD_NUMBER: _ClassVar[int]
    TERM_FIELD_NUMBER: _ClassVar[int]
    ATTEMPTS_FIELD_NUMBER: _ClassVar[int]
    lane: str
    term: int
    attempts: _containers.RepeatedCompositeFieldContainer[FencedAttempt]
    def __init__(self, lane: _Optional[str] = ..., term: _Optional[int] = ..., attempts: _Optional[_Iterable[_Union[FencedAttempt, _Mapping]]] = ...) -> None: ...

class AttemptReport(_message.Message):
    __slots__ = ("attempt_id", "knowledge", "result")
    ATTEMPT_ID_FIELD_NUMBER: _ClassVar[int]
    KNOWLEDGE_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    attempt_id: str
    knowledge: Knowledge
    result: AttemptResult
    def __init__(self, attempt_id: _Optional[str] = ..., knowledge: _Optional[_Union[Knowledge, str]] = ..., result: _Optional[_Union[AttemptResult, _Mapping]] = ...) -> None: ...

class FenceResponse(_message.Message):
    __slots__ = ("instance_id", "reports")
    INSTANCE_ID_FIELD_NUMBER: _ClassVar[int]
    REPORTS_FIELD_NUMBER: _ClassVar[int]
    instance_id: str
    reports: _containers.RepeatedCompositeFieldContainer[AttemptReport]
    def __init__(self, instance_id: _Optional[str] = ..., reports: _Optional[_Iterable[_Union[AttemptReport, _Mapping]]] = ...) -> None: ...

class HttpHeader(_message.Message):
    __slots__ = ("name", "value")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    name: str
    value: str
    def __init__(self, name: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...

class ParseWebhookRequest(_message.Message):
    __slots__ = ("account", "headers", "body", "receive_time", "method", "url", "query")
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    HEADERS_FIELD_NUMBER: _ClassVar[int]
    BODY_FIELD_NUMBER: _ClassVar[int]
    RECEIVE_TIME_FIELD_NUMBER: _ClassVar[int]
    METHOD_FIELD_NUMBER: _ClassVar[int]
    URL_FIELD_NUMBER: _ClassVar[int]
    QUERY_FIELD_NUMBER: _ClassVar[int]
    account: str
    headers: _containers.RepeatedCompositeFieldContainer[HttpHeader]
    body: bytes
    receive_time: _timestamp_pb2.Timestamp
    method: str
    url: str
    query: str
    def __init__(self, account: _Optional[str] = ..., headers: _Optional[_Iterable[_Union[HttpHeader, _Mapping]]] = ..., body: _Optional[bytes] = ..., receive_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., method: _Optional[str] = ..., url: _Optional[str] = ..., query: _Optional[str] = ...) -> None: ...

class WebhookAnswer(_message.Message):
    __slots__ = ("status", "content_type", "body")
    STATUS_FIELD_NUMBER: _ClassVar[int]
    CONTENT_TYPE_FIELD_NUMBER: _ClassVar[int]
    BODY_FIELD_NUMBER: _ClassVar[int]
    status: int
    content_type: str
    body: bytes
    def __init__(self, status: _Optional[int] = ..., content_type: _Optional[str] = ..., body: _Optional[bytes] = ...) -> None: ...

class Concern(_message.Message):
    __slots__ = ("kind", "concerned_reference", "amount")
    KIND_FIELD_NUMBER: _ClassVar[int]
    CONCERNED_REFERENCE_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    kind: ConcernKind
    concerned_reference: str
    amount: _money_pb2.Money
    def __init__(self, kind: _Optional[_Union[ConcernKind, str]] = ..., concerned_reference: _Optional[str] = ..., amount: _Optional[_Union[_money_pb2.Money, _Mapping]] = ...) -> None: ...

class ProviderEvent(_message.Message):
    __slots__ = ("event_id", "type", "job_id", "provider_reference", "outcome", "event_time", "confirmation", "concern")
    EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    PROVIDER_REFERENCE_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    EVENT_TIME_FIELD_NUMBER: _ClassVar[int]
    CONFIRMATION_FIELD_NUMBER: _ClassVar[int]
    CONCERN_FIELD_NUMBER: _ClassVar[int]
    event_id: str
    type: str
    job_id: str
    provider_reference: str
    outcome: _outcome_pb2.Outcome
    event_time: _timestamp_pb2.Timestamp
    confirmation: bytes
    concern: Concern
    def __init__(self, event_id: _Optional[str] = ..., type: _Optional[str] = ..., job_id: _Optional[str] = ..., provider_reference: _Optional[str] = ..., outcome: _Optional[_Union[_outcome_pb2.Outcome, _Mapping]] = ..., event_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., confirmation: _Optional[bytes] = ..., concern: _Optional[_Union[Concern, _Mapping]] = ...) -> None: ...

class ParseWebhookResponse(_message.Message):
    __slots__ = ("events", "answer")
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    ANSWER_FIELD_NUMBER: _ClassVar[int]
    events: _containers.RepeatedCompositeFieldContainer[ProviderEvent]
    answer: WebhookAnswer
    def __init__(self, events: _Optional[_Iterable[_Union[ProviderEvent, _Mapping]]] = ..., answer: _Optional[_Union[WebhookAnswer, _Mapping]] = ...) -> None: ...

class ParseWebhooksRequest(_message.Message):
    __slots__ = ("webhooks",)
    WEBHOOKS_FIELD_NUMBER: _ClassVar[int]
    webhooks: _containers.RepeatedCompositeFieldContainer[ParseWebhookRequest]
    def __init__(self, webhooks: _Optional[_Iterable[_Union[ParseWebhookRequest, _Mapping]]] = ...) -> None: ...

class ParsedWebhook(_message.Message):
    __slots__ = ("verdict", "events", "reason", "answer")
    VERDICT_FIELD_NUMBER: _ClassVar[int]
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    ANSWER_FIELD_NUMBER: _ClassVar[int]
    verdict: WebhookVerdict
    events: _containers.RepeatedCompositeFieldContainer[ProviderEvent]
    reason: str
    answer: WebhookAnswer
    def __init__(self, verdict: _Optional[_Union[WebhookVerdict, str]] = ..., events: _Optional[_Iterable[_Union[ProviderEvent, _Mapping]]] = ..., reason: _Optional[str] = ..., answer: _Optional[_Union[WebhookAnswer, _Mapping]] = ...) -> None: ...

class ParseWebhooksResponse(_message.Message):
    __slots__ = ("results",)
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    results: _containers.RepeatedCompositeFieldContainer[ParsedWebhook]
    def __init__(self, results: _Optional[_Iterable[_Union[ParsedWebhook, _Mapping]]] = ...) -> None: ...

class ListEventsRequest(_message.Message):
    __slots__ = ("account", "start_time", "end_time", "page_token", "checkpoint", "warrant")
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    CHECKPOINT_FIELD_NUMBER: _ClassVar[int]
    WARRANT_FIELD_NUMBER: _ClassVar[int]
    account: str
    start_time: _timestamp_pb2.Timestamp
    end_time: _timestamp_pb2.Timestamp
    page_token: str
    checkpoint: bytes
    warrant: Warrant
    def __init__(self, account: _Optional[str] = ..., start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., page_token: _Optional[str] = ..., checkpoint: _Optional[bytes] = ..., warrant: _Optional[_Union[Warrant, _Mapping]] = ...) -> None: ...

class ListEventsResponse(_message.Message):
    __slots__ = ("events", "next_page_token", "evidence")
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    EVIDENCE_FIELD_NUMBER: _ClassVar[int]
    events: _containers.RepeatedCompositeFieldContainer[ProviderEvent]
    next_page_token: str
    evidence: bytes
    def __init__(self, events: _Optional[_Iterable[_Union[ProviderEvent, _Mapping]]] = ..., next_page_token: _Optional[str] = ..., evidence: _Optional[bytes] = ...) -> None: ...
