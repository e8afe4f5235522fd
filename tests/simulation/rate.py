"""Whether a lane's attempts have kept to its rate: what was claimed and then not sent has spent nothing."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from hub.lanes.ports import Settlement

UNSENT = frozenset({"TIME_OVER", "KEY_TOO_OLD", "NOT_OFFERED"})


@dataclass(frozen=True, slots=True)
class Claim:
    """Attempts that began together, under a term."""

    at: float
    term: int
    attempt_ids: tuple[str, ...]


class Spending:
    """Written down as it happens, judged at the end: only then is it known what was sent."""

    def __init__(self) -> None:
        self._claims: list[Claim] = []
        self._unsent: set[str] = set()

    def claimed(self, at: float, term: int, attempt_ids: Sequence[str]) -> None:
        """Attempts begin."""
        self._claims.append(Claim(at, term, tuple(attempt_ids)))

    def settled(self, settlements: Sequence[Settlement]) -> None:
        """Some of them may not have been sent."""
        self._unsent |= {f"{s.job_id}.{s.seq}" for s in settlements if s.decision.reason in UNSENT}

    def violations(self, rate: float, burst: float) -> Iterator[tuple[str, str, str]]:
        """Each claim that was more than the rate allows."""
        if not rate:
            return
        tokens, then, term = 0.0, 0.0, 0
        for claim in self._claims:
            # Each take-over may spend one burst more: a new owner does not know what the old one spent.
            tokens = burst if claim.term != term else min(burst, tokens + (claim.at - then) * rate)
            n = sum(attempt_id not in self._unsent for attempt_id in claim.attempt_ids)
            tokens, then, term = tokens - n, claim.at, claim.term
            if tokens < -1e-6:
                more = f"{n} attempts at {claim.at:.3f} are {-tokens:.2f} more than the rate allows"
                yield "rate", f"term {term}", more
