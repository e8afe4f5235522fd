"""What a lane may begin now: its concurrency, then its rate, then its breaker."""

from hub.jobs.outcome import NotSent, NotSentCause, Outcome
from hub.jobs.spec import Limits
from hub.lanes import breaker as breakers
from hub.lanes.breaker import Breaker, BreakerState, Trials
from hub.lanes.pace import Pace
from hub.lanes.token_bucket import TokenBucket

LONGEST_THROTTLE_SECONDS = 3600.0
UNTOLD_THROTTLE_SECONDS = 1.0


class Gate:
    """The limits of one lane, exact because one owner keeps them. Times are monotonic seconds."""

    def __init__(
        self, limits: Limits, breaker: Breaker, *, throttled_until: float = 0.0, grouped: bool = True
    ) -> None:
        """`grouped`: while it is busy, what it admits is worth a claim."""
        self.breaker = breaker
        self._grouped = grouped
        self._limits = limits
        self._closed = False
        # Nobody knows what the owner before has spent.
        self._bucket = TokenBucket(limits.rate_per_second, limits.burst, tokens=1.0)
        self._pace = Pace(limits.rate_per_second)
        self._trials = Trials()
        self._throttled_until = throttled_until
        self.in_flight = 0

    @property
    def throttled_until(self) -> float:
        """When the provider's wait is over; only an operator shortens it."""
        return self._throttled_until

    @property
    def is_full(self) -> bool:
        """True if only the end of an attempt makes room."""
        return self.in_flight >= self._concurrency

    @property
    def tries(self) -> bool:
        """True while attempts are trials of the provider."""
        return self.breaker.state is BreakerState.HALF_OPEN

    @property
    def _concurrency(self) -> int:
        return 0 if self._closed else self._limits.concurrency

    def follow(self, limits: Limits, now: float) -> None:
        """Holds to other limits from now on."""
        if limits != self._limits:
            self._limits = limits
            self._pace.limit(limits.rate_per_second)
            self._bucket.limit(limits.rate_per_second, limits.burst, now)

    def admits(self, now: float) -> int:
        """How many attempts may begin now."""
        self.breaker = breakers.at(self.breaker, now)
        self._keep_pace(now)
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
        if not fresh:
            return
        self._pace.begun(n, now)
        if self._bucket.is_limited:
            self._bucket.take(n, now)

    def ended(self) -> None:
        """Counts an attempt that has ended."""
        self.in_flight -= 1

    def is_trial(self, job_id: str) -> bool:
        """Whether an attempt of the job that ends now was the lane's try, and not the job's own."""
        return not self.breaker.is_closed and not self._trials.speaks_against(job_id)

    def observe(self, outcome: Outcome, now: float, *, job_id: str, writes: bool) -> None:
        """Learns from an outcome; `writes`: of work that may have an effect, not of a look-up."""
        before = breakers.at(self.breaker, now)
        self.breaker = breakers.after(before, outcome, now, job_id=job_id, writes=writes)
        self._trials = self._trials.after(before, self.breaker, outcome, job_id=job_id)
        if isinstance(outcome, NotSent) and outcome.cause is NotSentCause.THROTTLED:
            asked = outcome.retry_after.total_seconds() if outcome.retry_after else UNTOLD_THROTTLE_SECONDS
            until = now + min(asked, LONGEST_THROTTLE_SECONDS)
            self._throttled_until = max(self._throttled_until, until)
            self._pace.throttled(now, until)

    def release(self, breaker: Breaker, throttled_until: float) -> None:
        """An operator has said how the breaker stands, and may have ended the provider's wait."""
        self.breaker, self._throttled_until = breaker, throttled_until
        self._trials = Trials()

    def close(self) -> None:
        """Admits nothing more."""
        self._closed = True

    def _keep_pace(self, now: float) -> None:
        rate, most = self._pace.rate(now), self._limits.rate_per_second
        burst = self._limits.burst if rate == most else min(self._limits.burst or rate, rate)
        self._bucket.limit(rate, burst, now)

    def _admitted_by_rate(self, now: float) -> int:
        # A busy lane takes its tokens in groups: each claim costs a commit, a receipt and a call.
        tokens = self._bucket.available(now)
        is_worth_it = not self._grouped or not self.in_flight or tokens >= self._bucket.worth_waiting_for
        return tokens if is_worth_it else 0

    def _breaker_until(self) -> float:
        return self.breaker.open_until if self.breaker.state is BreakerState.OPEN else 0.0
