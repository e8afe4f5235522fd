"""Whether there is room for one more job: per lane, per tenant, and per second. Nothing is awaited here."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TypeAlias

from hub.errors import BacklogFull, JobError, LaneClosed, QuotaExceeded
from hub.lanes.token_bucket import TokenBucket

Key: TypeAlias = tuple[str, str]
"""A lane and a tenant."""

LEAST_WAIT = timedelta(milliseconds=50)


@dataclass(frozen=True, slots=True)
class Quota:
    """What one tenant may have: unfinished jobs over all lanes, and submissions a second at each replica.

    A rate of zero sets no limit.
    """

    unfinished: int = 50_000
    per_second: float = 2_000.0
    burst: int = 4_000


@dataclass(frozen=True, slots=True)
class AdmissionLimits:
    """The greatest number of unfinished jobs in a lane, and the tenants' quotas."""

    lane_backlog: int = 100_000
    default: Quota = field(default_factory=Quota)
    tenants: Mapping[str, Quota] = field(default_factory=dict)

    def of(self, tenant: str) -> Quota:
        """A tenant's quota."""
        return self.tenants.get(tenant, self.default)


class Admission:
    """Counts: the last snapshot of the store, what has been stored since, and what is on its way there.

    So it counts too many rather than too few: a job that ends stays counted until the next snapshot.
    Jobs that other replicas accept are seen with the next snapshot.
    """

    def __init__(
        self, limits: AdmissionLimits, *, closed: Callable[[str], bool] = lambda lane: False
    ) -> None:
        self._limits = limits
        self._closed = closed
        self._buckets: dict[str, TokenBucket] = {}
        self._stored: Counter[Key] = Counter()
        self._on_the_way: Counter[Key] = Counter()
        self._lanes: Counter[str] = Counter()
        self._tenants: Counter[str] = Counter()
        self._used = False
        self.is_stale = True

    def take_turn(self, tenant: str, now: float) -> None:
        """Counts a submission, a repeated one too; raises QuotaExceeded if there are too many a second."""
        quota = self._limits.of(tenant)
        bucket = self._buckets.get(tenant)
        if bucket is None:
            bucket = self._buckets[tenant] = TokenBucket(quota.per_second, quota.burst)
        if bucket.is_limited and bucket.available(now) < 1:
            wait = timedelta(seconds=bucket.seconds_until(1, now))
            raise QuotaExceeded(
                f"tenant {tenant} may submit {quota.per_second:g} requests a second",
                retry_after=max(wait, LEAST_WAIT),
                tenant=tenant,
                quota="per_second",
            )
        bucket.take(1, now)

    def refusal(self, lane: str, tenant: str) -> JobError | None:
        """Why there is no room for a new job; None: there is."""
        self._used = self.is_stale = True
        if self._closed(lane):
            return LaneClosed(f"lane {lane} takes no new jobs for now", lane=lane)
        if self._lanes[lane] >= self._limits.lane_backlog:
            return BacklogFull(f"lane {lane} holds as many unfinished jobs as it may", lane=lane)
        if self._tenants[tenant] >= self._limits.of(tenant).unfinished:
            return QuotaExceeded(
                f"tenant {tenant} has as many unfinished jobs as it may", tenant=tenant, quota="unfinished"
            )
        return None

    def full(self) -> list[tuple[str, str]]:
        """What holds as many unfinished jobs as it may: "lane" or "tenant", and its name."""
        most = self._limits
        lanes = [("lane", lane) for lane, n in self._lanes.items() if n and n >= most.lane_backlog]
        return lanes + [("tenant", t) for t, n in self._tenants.items() if n and n >= most.of(t).unfinished]

    def enter(self, lane: str, tenant: str) -> None:
        """A job goes on its way into the store."""
        self._on_the_way[lane, tenant] += 1
        self._add(lane, tenant, 1)

    def leave(self, lane: str, tenant: str, *, stored: bool) -> None:
        """It has arrived there, or not: it was a repetition, or the store failed."""
        self._on_the_way[lane, tenant] -= 1
        if not self._on_the_way[lane, tenant]:
            del self._on_the_way[lane, tenant]
        if stored:
            self._stored[lane, tenant] += 1
        else:
            self._add(lane, tenant, -1)

    def begin_count(self) -> Mapping[Key, int]:
        """To be called before the store is counted: what the count will hold. For `end_count`."""
        self._used = False
        return dict(self._stored)

    def end_count(self, counted: Mapping[Key, int], covered: Mapping[Key, int], now: float) -> None:
        """Takes over a count of the store; `covered` is what `begin_count` returned."""
        self._stored = self._stored - Counter(covered)
        self._lanes, self._tenants = Counter(), Counter()
        for part in (counted, self._stored, self._on_the_way):
            for (lane, tenant), n in part.items():
                self._add(lane, tenant, n)
        self.is_stale = self._used or bool(counted)
        burst = {t: self._limits.of(t).burst for t in self._buckets}
        self._buckets = {t: b for t, b in self._buckets.items() if b.available(now) < burst[t]}

    def _add(self, lane: str, tenant: str, n: int) -> None:
        self._lanes[lane] += n
        self._tenants[tenant] += n
