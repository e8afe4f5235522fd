"""Whether tenants that share a lane have their turns."""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Sequence

from hub.jobs.model import Claimed, JobState

MOST_TURNS = 1
"""How many turns another tenant can be ahead of one whose due work waits, under one owner of the lane."""


class Fairness:
    """Counts, for each tenant that has to wait, how many turns each other is ahead of it. A look-up is a turn
    of its tenant too; but what is in doubt has its half of the room whoever waits, so it puts nobody ahead.
    """

    def __init__(self, wrong: Callable[[str, str, str], None]) -> None:
        self._wrong = wrong
        self._ahead: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self._term = 0
        self.waits = 0

    def claimed(
        self,
        term: int,
        taken: Sequence[Claimed],
        waiting: Collection[str],
        left: Collection[str],
        *,
        trial: bool,
    ) -> None:
        """A claim. `waiting`: tenants that had due work before it, `left` those that still have. Who tries a
        provider that was down tries what tells most, not whose turn it is.
        """
        if term != self._term:
            # A new owner does not know whom the old one has served last.
            self._ahead.clear()
            self._term = term
        had = Counter(each.tenant for each in taken)
        worked = Counter(each.tenant for each in taken if each.state is not JobState.IN_DOUBT and not trial)
        for tenant in waiting:
            if tenant in left:
                self._count(tenant, worked, had[tenant])
            else:
                self._ahead.pop(tenant, None)

    def _count(self, tenant: str, worked: Counter[str], own: int) -> None:
        ahead = self._ahead[tenant]
        for other in {*worked, *ahead} - {tenant}:
            ahead[other] = max(ahead[other] + worked[other] - own, 0)
            self.waits += bool(worked[other])
            if ahead[other] > MOST_TURNS:
                self._wrong("turns", tenant, f"{other} is {ahead[other]} turns ahead while its due job waits")
