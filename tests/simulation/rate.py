"""Whether a lane's attempts keep to its rate."""


class Spending:
    """The bucket as it must be: a rate of zero is no limit. Times in seconds."""

    def __init__(self, rate: float, burst: float) -> None:
        self._rate = rate
        self._burst = burst
        self._term = 0
        self._tokens = self._at = 0.0

    def excess(self, n: int, now: float, term: int) -> float:
        """By how much attempts that begin under a term are more than the rate allows."""
        if not self._rate:
            return 0.0
        refilled = self._tokens + (now - self._at) * self._rate
        # Each take-over may spend one burst more: a new owner does not know what the old one spent.
        self._tokens = (self._burst if term != self._term else min(self._burst, refilled)) - n
        self._at, self._term = now, term
        return max(-self._tokens - 1e-6, 0.0)
