"""What the hub knows of a spoke: its operations, their replay safety, its accounts."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
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
    `cache`: for how long the answer to a read may be given again.
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
    cache: timedelta = timedelta()


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
    """The limits of an account. A rate of zero: none.

    `read_share`: the part of all of them that reads have, and jobs have not. Zero: there are no reads.
    """

    concurrency: int
    rate_per_second: float = 0.0
    burst: int = 0
    read_share: float = 0.0

    def of_jobs(self) -> "Limits":
        """What is left for jobs, all of it at the lane's owner."""
        if not self.read_share:
            return self
        return replace(
            self,
            concurrency=max(1, self.concurrency - max(1, int(self.concurrency * self.read_share))),
            rate_per_second=self.rate_per_second * (1 - self.read_share),
            burst=max(1, self.burst - int(self.burst * self.read_share)),
        )

    def of_reads(self, replicas: int) -> "Limits":
        """What each of some replicas may spend on reads; at least one at a time."""
        share = self.read_share / max(replicas, 1)
        return replace(
            self,
            concurrency=max(1, int(self.concurrency * share)),
            rate_per_second=self.rate_per_second * share,
            burst=max(1, int(self.burst * share)),
        )


@dataclass(frozen=True, slots=True)
class SpokeSpec:
    """One spoke: its operations by full name, and the limits of its accounts by name."""

    provider: str
    operations: Mapping[str, OperationSpec]
    accounts: Mapping[str, Limits]
