"""What the hub knows of a spoke: its operations, their replay safety, its accounts."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import IntEnum

from hub.jobs.model import RetryPolicy


class Replay(IntEnum):
    """What a resend can do. The numbers are those of the contract."""

    NATIVE_KEY = 1
    QUERYABLE = 2
    BLIND = 3
    READ = 4


@dataclass(frozen=True, slots=True)
class OperationSpec:
    """One operation of one spoke, as its manifest has it.

    `can_cancel`: the provider can call off what it has accepted and not done yet.
    `saves_errors`: a provider that knows the key answers an error again that it gave under it.
    """

    replay: Replay
    replay_window: timedelta
    can_look_up: bool
    look_up_lag: timedelta
    timeout: timedelta
    confirm_within: timedelta
    expire_after: timedelta
    policy: RetryPolicy
    saves_errors: bool = False
    can_cancel: bool = False


NOT_OFFERED = OperationSpec(
    replay=Replay.BLIND,
    replay_window=timedelta(),
    can_look_up=False,
    look_up_lag=timedelta(),
    timeout=timedelta(),
    confirm_within=timedelta(),
    expire_after=timedelta(),
    policy=RetryPolicy(1, timedelta(), timedelta()),
)
"""What holds for an operation that its spoke has ceased to offer: nothing is known of it."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of an account. A rate of zero: none."""

    concurrency: int
    rate_per_second: float = 0.0
    burst: int = 0


@dataclass(frozen=True, slots=True)
class SpokeSpec:
    """One spoke: its operations by full name, and the limits of its accounts by name."""

    provider: str
    operations: Mapping[str, OperationSpec]
    accounts: Mapping[str, Limits]
