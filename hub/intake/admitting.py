"""A request passes while there is room for it; and the duty that knows how much room there is."""

from collections.abc import Awaitable, Callable, Mapping

from hub.clock import Clock
from hub.intake.backlog import Admission, Key
from hub.intake.door import Submits
from hub.jobs.model import NewJob
from hub.jobs.ports import Accepted

COUNT_SECONDS = 1.0
COUNT_SHARE = 20.0
"""Counting may take this part of the time: a long count makes the next one wait."""


class Admitting:
    """Submits what admission lets pass. A repetition takes its turn like any other submission."""

    def __init__(self, submission: Submits, *, admission: Admission, clock: Clock) -> None:
        self._submission = submission
        self._admission = admission
        self._clock = clock

    async def submit(self, job: NewJob) -> Accepted:
        """Like the submission; raises QuotaExceeded, BacklogFull or LaneClosed before anything is stored."""
        admission, lane, tenant = self._admission, job.lane, job.tenant
        admission.take_turn(tenant, self._clock.monotonic())
        if (refusal := admission.refusal(lane, tenant)) is not None:
            raise refusal
        admission.enter(lane, tenant)
        stored = False
        try:
            accepted = await self._submission.submit(job)
            stored = accepted.created_at is not None
        finally:
            admission.leave(lane, tenant, stored=stored)
        return accepted


class CountBacklog:
    """The duty that keeps admission's picture of the store true, while there is anything to count."""

    name = "count the backlog"

    def __init__(
        self, admission: Admission, *, count: Callable[[], Awaitable[Mapping[Key, int]]], clock: Clock
    ) -> None:
        self._admission = admission
        self._count = count
        self._clock = clock

    async def run_once(self) -> float | None:
        """Counts once, if there is anything to count."""
        if not self._admission.is_stale:
            return COUNT_SECONDS
        begun_at = self._clock.monotonic()
        covered = self._admission.begin_count()
        counted = await self._count()
        now = self._clock.monotonic()
        self._admission.end_count(counted, covered, now)
        return max(COUNT_SECONDS, (now - begun_at) * COUNT_SHARE)
