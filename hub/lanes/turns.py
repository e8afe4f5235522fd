"""Whose turn it is: a lane serves its tenants one after another, the longest waiting first. Pure."""

from collections.abc import Iterable

from hub.jobs.model import Claimed, JobState

REMEMBERED = 1_000
DOUBTS = ""
"""What is in doubt takes its turn as no tenant's: where there is room for one, it and work alternate."""


def turn_of(job: Claimed) -> str:
    """Whose turn a job has taken."""
    return DOUBTS if job.state is JobState.IN_DOUBT else job.tenant


class Turns:
    """The tenants that a lane has served lately. One that is not among them comes first."""

    def __init__(self) -> None:
        self._served: dict[str, None] = {}

    def order(self) -> list[str]:
        """The tenants served lately, the one that has waited longest first."""
        return list(self._served)

    def served(self, tenants: Iterable[str]) -> None:
        """Notes tenants whose jobs have just been claimed, in their order."""
        for tenant in tenants:
            self._served.pop(tenant, None)
            self._served[tenant] = None
        for oldest in list(self._served)[: max(len(self._served) - REMEMBERED, 0)]:
            del self._served[oldest]
