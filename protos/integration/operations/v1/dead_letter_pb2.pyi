import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from integration.jobs.v1 import job_pb2 as _job_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class DeadLetterCause(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DEAD_LETTER_CAUSE_UNSPECIFIED: _ClassVar[DeadLetterCause]
    DEAD_LETTER_CAUSE_PROVIDER_DOWN: _ClassVar[DeadLetterCause]
    DEAD_LETTER_CAUSE_MISCONFIGURED: _ClassVar[DeadLetterCause]
    DEAD_LETTER_CAUSE_POISON: _ClassVar[DeadLetterCause]
    DEAD_LETTER_CAUSE_UNRESOLVED_DOUBT: _ClassVar[DeadLetterCause]
    DEAD_LETTER_CAUSE_BUG: _ClassVar[DeadLetterCause]
    DEAD_LETTER_CAUSE_EXPIRED: _ClassVar[DeadLetterCause]

class MissingProof(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    MISSING_PROOF_UNSPECIFIED: _ClassVar[MissingProof]
    MISSING_PROOF_NONE: _ClassVar[MissingProof]
    MISSING_PROOF_OUTCOME: _ClassVar[MissingProof]

class Proposal(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PROPOSAL_UNSPECIFIED: _ClassVar[Proposal]
    PROPOSAL_REPLAY: _ClassVar[Proposal]
    PROPOSAL_MEND_AND_REPLAY: _ClassVar[Proposal]
    PROPOSAL_RESOLVE: _ClassVar[Proposal]
    PROPOSAL_INVESTIGATE: _ClassVar[Proposal]
DEAD_LETTER_CAUSE_UNSPECIFIED: DeadLetterCause
DEAD_LETTER_CAUSE_PROVIDER_DOWN: DeadLetterCause
DEAD_LETTER_CAUSE_MISCONFIGURED: DeadLetterCause
DEAD_LETTER_CAUSE_POISON: DeadLetterCause
DEAD_LETTER_CAUSE_UNRESOLVED_DOUBT: DeadLetterCause
DEAD_LETTER_CAUSE_BUG: DeadLetterCause
DEAD_LETTER_CAUSE_EXPIRED: DeadLetterCause
MISSING_PROOF_UNSPECIFIED: MissingProof
MISSING_PROOF_NONE: MissingProof
MISSING_PROOF_OUTCOME: MissingProof
PROPOSAL_UNSPECIFIED: Proposal
PROPOSAL_REPLAY: Proposal
PROPOSAL_MEND_AND_REPLAY: Proposal
PROPOSAL_RESOLVE: Proposal
PROPOSAL_INVESTIGATE: Proposal

class AttemptRecord(_message.Message):
    __slots__ = ("attempt_id", "look_up", "outcome", "reason", "claim_time", "settle_time", "cancel")
    ATTEMPT_ID_FIELD_NUMBER: _ClassVar[int]
    LOOK_UP_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    CLAIM_TIME_FIELD_NUMBER: _ClassVar[int]
    SETTLE_TIME_FIELD_NUMBER: _ClassVar[int]
    CANCEL_FIELD_NUMBER: _ClassVar[int]
    attempt_id: str
    look_up: bool
    outcome: str
    reason: str
    claim_time: _timestamp_pb2.Timestamp
    settle_time: _timestamp_pb2.Timestamp
    cancel: bool
    def __init__(self, attempt_id: _Optional[str] = ..., look_up: _Optional[bool] = ..., outcome: _Optional[str] = ..., reason: _Optional[str] = ..., claim_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., settle_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., cancel: _Optional[bool] = ...) -> None: ...

class ResolutionProposal(_message.Message):
    __slots__ = ("actor", "reason", "ticket", "create_time", "expire_time")
    ACTOR_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    TICKET_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    EXPIRE_TIME_FIELD_NUMBER: _ClassVar[int]
    actor: str
    reason: str
    ticket: str
    create_time: _timestamp_pb2.Timestamp
    expire_time: _timestamp_pb2.Timestamp
    def __init__(self, actor: _Optional[str] = ..., reason: _Optional[str] = ..., ticket: _Optional[str] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., expire_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class DeadLetter(_message.Message):
    __slots__ = ("job", "cause", "missing_proof", "proposal", "enter_time", "leave_time", "left_by", "alert_key", "attempts", "not_done")
    JOB_FIELD_NUMBER: _ClassVar[int]
    CAUSE_FIELD_NUMBER: _ClassVar[int]
    MISSING_PROOF_FIELD_NUMBER: _ClassVar[int]
    PROPOSAL_FIELD_NUMBER: _ClassVar[int]
    ENTER_TIME_FIELD_NUMBER: _ClassVar[int]
    LEAVE_TIME_FIELD_NUMBER: _ClassVar[int]
    LEFT_BY_FIELD_NUMBER: _ClassVar[int]
    ALERT_KEY_FIELD_NUMBER: _ClassVar[int]
    ATTEMPTS_FIELD_NUMBER: _ClassVar[int]
    NOT_DONE_FIELD_NUMBER: _ClassVar[int]
    job: _job_pb2.Job
    cause: DeadLetterCause
    missing_proof: MissingProof
    proposal: Proposal
    enter_time: _timestamp_pb2.Timestamp
    leave_time: _timestamp_pb2.Timestamp
    left_by: str
    alert_key: str
    attempts: _containers.RepeatedCompositeFieldContainer[AttemptRecord]
    not_done: ResolutionProposal
    def __init__(self, job: _Optional[_Union[_job_pb2.Job, _Mapping]] = ..., cause: _Optional[_Union[DeadLetterCause, str]] = ..., missing_proof: _Optional[_Union[MissingProof, str]] = ..., proposal: _Optional[_Union[Proposal, str]] = ..., enter_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., leave_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., left_by: _Optional[str] = ..., alert_key: _Optional[str] = ..., attempts: _Optional[_Iterable[_Union[AttemptRecord, _Mapping]]] = ..., not_done: _Optional[_Union[ResolutionProposal, _Mapping]] = ...) -> None: ...
