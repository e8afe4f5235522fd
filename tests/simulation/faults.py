"""What can go wrong, how often in this run, and how often it did."""

import random
from collections import Counter
from collections.abc import Iterator

HEAL_AT = 13.0
"""Seconds after which nothing new goes wrong."""

LAST_STRIKE = 8.0
"""Seconds after which no machine breaks any more."""

PLANNED = {
    "hub_crash": 2,
    "hub_pause": 1,
    "hub_drain": 1,
    "spoke_crash": 2,
    "provider_down": 1,
    "log_down": 1,
    "store_down": 1,
}
"""Faults of whole machines, and how often at most in one run."""

GOING = {"operation_gone": 2, "account_gone": 1, "spoke_gone": 1}
"""What a spoke's releases take away, and how often at most in one run; for a while, or for ever."""

PEERS = {"hub_joins": 1, "hub_gone": 1, "hub_pause": 2, "hub_crash": 1}
"""What happens to replicas where there are three."""

AFTERWARDS = ("late_failure", "late_success", "other_amount")
"""What a provider says after all, against what it said before."""

DRAWN = (
    "actor_lost",
    "poison",
    "cancel",
    "reply_cut",
    "reply_slow",
    "request_lost",
    "ghost",
    "throttled",
    "retry_after_503",
    "error_500",
    "connect_refused",
    "log_reply_lost",
    "store_reply_lost",
    "claim_reply_lost",
    "adopt_reply_lost",
    "settle_reply_lost",
    "apply_reply_lost",
    "store_refuses",
    "store_slow",
    "stream_cut",
    "execute_late",
    "fence_lost",
    "webhook_early",
    "webhook_late",
    "webhook_twice",
    "webhook_lost",
)
"""Faults that are drawn at each occasion."""

KINDS = (*PLANNED, *DRAWN)
MORE_KINDS = (*GOING, "hub_joins", "hub_gone", "log_away", *AFTERWARDS)
ALL_KINDS = (*KINDS, *MORE_KINDS)
WORLDS = {"goers": 0.15, "forever": 0.3, "loads": 0.12, "peers": 0.12, "log_away": 0.12, "afterwards": 0.12}
"""Kinds of worlds beside the plain one, and how many are such; a run can be of several."""
RATES = (0.05, 0.15, 0.4)


class Faults:
    """Every run has some kinds of faults and not others, so that no kind hides another."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        share = chance.choice((0.15, 0.3, 0.6))
        self._rates = {kind: chance.choice(RATES) for kind in KINDS if chance.random() < share}
        if chance.random() < 0.4:
            # What only a rare meeting of events makes dangerous comes more often.
            self._rates |= {"ghost": 0.4, "cancel": 0.4, "webhook_lost": 0.4}
        self.more = random.Random(chance.random())
        self.worlds = frozenset(kind for kind, share in WORLDS.items() if self.more.random() < share)
        if "afterwards" in self.worlds:
            self._rates |= dict.fromkeys(AFTERWARDS, 0.5)
        self.counts: Counter[str] = Counter()
        self.healed = False

    def has(self, kind: str) -> bool:
        """Whether this run has that kind at all."""
        return kind in self._rates

    def strikes(self, kind: str) -> bool:
        """Whether it goes wrong this time."""
        rate = self._rates.get(kind)
        if rate is None or self.healed or self._chance.random() >= rate:
            return False
        self.counts[kind] += 1
        return True

    def planned(self) -> list[tuple[float, str]]:
        """The faults of whole machines, each with its moment."""
        found = [
            (self._chance.uniform(0.6, LAST_STRIKE), kind)
            for kind, most in PLANNED.items()
            if kind in self._rates
            for _ in range(self._chance.randint(1, most))
        ]
        return sorted([*found, *self._more_planned()])

    def _more_planned(self) -> Iterator[tuple[float, str]]:
        goers = GOING if "goers" in self.worlds else {}
        peers = PEERS if "peers" in self.worlds else {}
        for kind, most in [*goers.items(), *peers.items()]:
            for _ in range(self.more.randint(0, most)):
                yield self.more.uniform(0.6, LAST_STRIKE), kind
        # What waits for the log is under way while its account goes and comes.
        if "log_away" in self.worlds or (goers and self.more.random() < 0.5):
            yield self.more.uniform(0.6, 3.0), "log_away"
