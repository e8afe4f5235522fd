"""A token bucket: so many at once, so many per second in the long run."""


class TokenBucket:
    """`rate` tokens come per second, up to `burst`; a rate of zero: no limit. Times in monotonic seconds."""

    def __init__(self, rate: float, burst: float, *, tokens: float | None = None) -> None:
        self._rate = rate
        self._burst = max(float(burst), 1.0)
        self._tokens = self._burst if tokens is None else tokens
        self._at = float("-inf")

    @property
    def is_limited(self) -> bool:
        """False if everything may go."""
        return self._rate > 0

    @property
    def worth_waiting_for(self) -> int:
        """So many that a busy caller does not come back for each one: those of a tenth of a second."""
        return max(1, min(int(self._burst), int(self._rate * 0.1)))

    def limit(self, rate: float, burst: float, now: float) -> None:
        """Goes on at another rate; what has gathered stays, up to the new burst, but not without a limit."""
        self._fill(now)
        if not self._rate:
            self._tokens = 0.0
        self._rate, self._burst = rate, max(float(burst), 1.0)
        self._tokens = min(self._tokens, self._burst)

    def available(self, now: float) -> int:
        """How many may go at once."""
        self._fill(now)
        return int(self._tokens)

    def take(self, n: int, now: float) -> None:
        """Takes `n` tokens; more than there are is a debt that is paid before anything else goes."""
        self._fill(now)
        self._tokens -= n

    def seconds_until(self, n: int, now: float) -> float:
        """How long until `n` may go."""
        self._fill(now)
        return 0.0 if self._tokens >= n or not self._rate else (n - self._tokens) / self._rate

    def _fill(self, now: float) -> None:
        if self._at != float("-inf"):
            self._tokens = min(self._burst, self._tokens + (now - self._at) * self._rate)
        self._at = now
