import datetime

from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class LaneMode(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    LANE_MODE_UNSPECIFIED: _ClassVar[LaneMode]
    LANE_MODE_WORKING: _ClassVar[LaneMode]
    LANE_MODE_PAUSED: _ClassVar[LaneMode]
    LANE_MODE_DRAINING: _ClassVar[LaneMode]

class BreakerState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    BREAKER_STATE_UNSPECIFIED: _ClassVar[BreakerState]
    BREAKER_STATE_CLOSED: _ClassVar[BreakerState]
    BREAKER_STATE_OPEN: _ClassVar[BreakerState]
    BREAKER_STATE_HALF_OPEN: _ClassVar[BreakerState]
LANE_MODE_UNSPECIFIED: LaneMode
LANE_MODE_WORKING: LaneMode
LANE_MODE_PAUSED: LaneMode
LANE_MODE_DRAINING: LaneMode
BREAKER_STATE_UNSPECIFIED: BreakerState
BREAKER_STATE_CLOSED: BreakerState
BREAKER_STATE_OPEN: BreakerState
BREAKER_STATE_HALF_OPEN: BreakerState

class Breaker(_message.Message):
    __slots__ = ("state", "open_until_time", "change_time", "reason", "trips")
    STATE_FIELD_NUMBER: _ClassVar[int]
    OPEN_UNTIL_TIME_FIELD_NUMBER: _ClassVar[int]
    CHANGE_TIME_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    TRIPS_FIELD_NUMBER: _ClassVar[int]
    state: BreakerState
    open_until_time: _timestamp_pb2.Timestamp
    change_time: _timestamp_pb2.Timestamp
    reason: str
    trips: int
    def __init__(self, state: _Optional[_Union[BreakerState, str]] = ..., open_until_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., change_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., reason: _Optional[str] = ..., trips: _Optional[int] = ...) -> None: ...

class Backlog(_message.Message):
    __slots__ = ("waiting", "running", "unconfirmed", "in_doubt", "oldest_age")
    WAITING_FIELD_NUMBER: _ClassVar[int]
    RUNNING_FIELD_NUMBER: _ClassVar[int]
    UNCONFIRMED_FIELD_NUMBER: _ClassVar[int]
    IN_DOUBT_FIELD_NUMBER: _ClassVar[int]
    OLDEST_AGE_FIELD_NUMBER: _ClassVar[int]
    waiting: int
    running: int
    unconfirmed: int
    in_doubt: int
    oldest_age: _duration_pb2.Duration
    def __init__(self, waiting: _Optional[int] = ..., running: _Optional[int] = ..., unconfirmed: _Optional[int] = ..., in_doubt: _Optional[int] = ..., oldest_age: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class LaneLimits(_message.Message):
    __slots__ = ("max_concurrency", "rate_per_second", "burst")
    MAX_CONCURRENCY_FIELD_NUMBER: _ClassVar[int]
    RATE_PER_SECOND_FIELD_NUMBER: _ClassVar[int]
    BURST_FIELD_NUMBER: _ClassVar[int]
    max_concurrency: int
    rate_per_second: float
    burst: int
    def __init__(self, max_concurrency: _Optional[int] = ..., rate_per_second: _Optional[float] = ..., burst: _Optional[int] = ...) -> None: ...

class Lane(_message.Message):
    __slots__ = ("lane", "mode", "mode_actor", "mode_reason", "mode_time", "owner", "term", "lease_until_time", "breaker", "backlog", "limits", "dead_letters", "throttled_until_time")
    LANE_FIELD_NUMBER: _ClassVar[int]
    MODE_FIELD_NUMBER: _ClassVar[int]
    MODE_ACTOR_FIELD_NUMBER: _ClassVar[int]
    MODE_REASON_FIELD_NUMBER: _ClassVar[int]
    MODE_TIME_FIELD_NUMBER: _ClassVar[int]
    OWNER_FIELD_NUMBER: _ClassVar[int]
    TERM_FIELD_NUMBER: _ClassVar[int]
    LEASE_UNTIL_TIME_FIELD_NUMBER: _ClassVar[int]
    BREAKER_FIELD_NUMBER: _ClassVar[int]
    BACKLOG_FIELD_NUMBER: _ClassVar[int]
    LIMITS_FIELD_NUMBER: _ClassVar[int]
    DEAD_LETTERS_FIELD_NUMBER: _ClassVar[int]
    THROTTLED_UNTIL_TIME_FIELD_NUMBER: _ClassVar[int]
    lane: str
    mode: LaneMode
    mode_actor: str
    mode_reason: str
    mode_time: _timestamp_pb2.Timestamp
    owner: str
    term: int
    lease_until_time: _timestamp_pb2.Timestamp
    breaker: Breaker
    backlog: Backlog
    limits: LaneLimits
    dead_letters: int
    throttled_until_time: _timestamp_pb2.Timestamp
    def __init__(self, lane: _Optional[str] = ..., mode: _Optional[_Union[LaneMode, str]] = ..., mode_actor: _Optional[str] = ..., mode_reason: _Optional[str] = ..., mode_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., owner: _Optional[str] = ..., term: _Optional[int] = ..., lease_until_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., breaker: _Optional[_Union[Breaker, _Mapping]] = ..., backlog: _Optional[_Union[Backlog, _Mapping]] = ..., limits: _Optional[_Union[LaneLimits, _Mapping]] = ..., dead_letters: _Optional[int] = ..., throttled_until_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...
