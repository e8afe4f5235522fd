"""What a lane may begin now: its concurrency, then its rate, then its breaker."""

from hub.jobs.outcome import NotSent, NotSentCause, Outcome
from hub.jobs.spec import Limits
from hub.lanes import breaker as breakers
from hub.lanes.breaker import Breaker, BreakerState
from hub.lanes.token_bucket import TokenBucket

LONGEST_THROTTLE_SECONDS = 3600.0


class Gate:
    """The limits of one lane, exact because one owner keeps them. Times are monotonic seconds."""

    def __init__(self, limits: Limits, breaker: Breaker, *, throttled_until: float = 0.0) -> None:
        self.breaker = breaker
        self._concurrency = limits.concurrency
        self._bucket = TokenBucket(limits.rate_per_second, limits.burst)
        self._throttled_until = throttled_until
        self.in_flight = 0

    @property
    def throttled_until(self) -> float:
        """When the provider's wait is over; it never shrinks."""
        return self._throttled_until

    @property
    def is_full(self) -> bool:
        """True if only the end of an attempt makes room."""
        return self.in_flight >= self._concurrency

    def admits(self, now: float) -> int:
        """How many attempts may begin now."""
        self.breaker = breakers.at(self.breaker, now)
        bounds = [self._concurrency - self.in_flight]
        if self._bucket.is_limited:
            bounds.append(self._admitted_by_rate(now))
        if (probes := breakers.admits(self.breaker, self.in_flight)) is not None:
            bounds.append(probes)
        return 0 if now < self._throttled_until else max(min(bounds), 0)

    def seconds(self, now: float) -> float | None:
        """How long until it may admit again; None: when an attempt ends, or an operator says so."""
        until = max(self._throttled_until, self._breaker_until())
        if until > now:
            return None if until == breakers.FOREVER else until - now
        if self.is_full or breakers.admits(self.breaker, self.in_flight) == 0:
            return None
        return self._bucket.seconds_until(self._bucket.worth_waiting_for, now)

    def begun(self, n: int, now: float, *, fresh: bool) -> None:
        """Counts attempts that begin; those taken over from an older owner cost no rate."""
        self.in_flight += n
        if fresh and self._bucket.is_limited:
            self._bucket.take(n, now)

    def ended(self) -> None:
        """Counts an attempt that has ended."""
        self.in_flight -= 1

    def observe(self, outcome: Outcome, now: float) -> None:
        """Learns from an outcome."""
        self.breaker = breakers.after(breakers.at(self.breaker, now), outcome, now)
        if isinstance(outcome, NotSent) and outcome.cause is NotSentCause.THROTTLED and outcome.retry_after:
            wait = min(outcome.retry_after.total_seconds(), LONGEST_THROTTLE_SECONDS)
            self._throttled_until = max(self._throttled_until, now + wait)

    def close(self) -> None:
        """Admits nothing more."""
        self._concurrency = 0

    def _admitted_by_rate(self, now: float) -> int:
        # A busy lane takes its tokens in groups: each claim costs a commit, a receipt and a call.
        tokens = self._bucket.available(now)
        return tokens if not self.in_flight or tokens >= self._bucket.worth_waiting_for else 0

    def _breaker_until(self) -> float:
        return self.breaker.open_until if self.breaker.state is BreakerState.OPEN else 0.0
