"""The door of reads: what a question passes, and its answer or error within the caller's time."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

from hub.clock import Clock
from hub.errors import AlreadyExpired, ReadRefused, ReadTooLate
from hub.intake.backlog import Admission
from hub.intake.new_jobs import Asked, Directory, NewJobs
from hub.intake.references import References
from hub.jobs.model import Claimed, NewJob
from hub.jobs.outcome import Outcome, Pending, Succeeded
from hub.jobs.spec import OperationSpec
from hub.reads.cache import Cache, Question
from hub.reads.decide import result_of, wait_before_next
from hub.reads.model import Answer, first_try, next_try
from hub.reads.performing import Try
from hub.tenants import Rights

GRACE = timedelta(seconds=5)
"""How much longer than the spoke's own time a read may take whose caller has set no deadline."""

Perform = Callable[[Try], Awaitable[Try]]
"""Begins a try, sharing what it costs with others; raises ReadRefused if it was not begun."""


class Reads:
    """Answers reads. `perform` begins an attempt, `draw` gives numbers from [0, 1)."""

    def __init__(
        self,
        *,
        new_jobs: NewJobs,
        directory: Directory,
        references: References,
        admission: Admission,
        perform: Perform,
        clock: Clock,
        draw: Callable[[], float],
    ) -> None:
        self._new_jobs = new_jobs
        self._directory = directory
        self._references = references
        self._admission = admission
        self._perform = perform
        self._clock = clock
        self._draw = draw
        self._cache = Cache()

    async def read(self, asked: Asked, rights: Rights, seconds: float | None) -> Answer:
        """The answer; raises any refusal of a request, or ReadRefused. `seconds` None: no deadline."""
        self._admission.take_turn(asked.context.tenant, self._clock.monotonic())
        new, spec = await self._allowed(asked, rights)
        question = Question(new.tenant, new.lane, new.fingerprint)
        if spec.cache and (kept := self._cache.get(question, self._clock.monotonic(), spec.cache)):
            return kept
        answer = await self._asked(new, spec, seconds)
        if spec.cache:
            self._cache.put(question, answer, self._clock.monotonic())
        return answer

    async def _allowed(self, asked: Asked, rights: Rights) -> tuple[NewJob, OperationSpec]:
        provider = self._new_jobs.provider(asked)
        new = self._new_jobs.make(asked, provider, rights.account(provider, asked.context.account))
        if new.expire_at <= self._clock.now():
            raise AlreadyExpired("context.expire_time lies in the past")
        if not rights.foreign_references:
            await self._references.check(asked, new.lane)
        return new, self._directory.spec(provider, asked.operation)

    async def _asked(self, new: NewJob, spec: OperationSpec, seconds: float | None) -> Answer:
        now = self._clock.now()
        longest = timedelta(seconds=seconds) if seconds is not None else spec.timeout + GRACE
        until = min(now + longest, new.expire_at)
        try:
            async with asyncio.timeout((until - now).total_seconds()):
                outcome = await self._outcome(first_try(new, now, until), spec)
        except TimeoutError:
            raise ReadTooLate("the provider did not answer within the caller's time") from None
        match result_of(outcome, new.provider):
            case Succeeded(result_type, result) | Pending(result_type, result):
                return Answer(new.job_id, result_type, result)
            case ReadRefused() as refusal:
                raise refusal

    async def _outcome(self, claimed: Claimed, spec: OperationSpec) -> Outcome:
        while True:
            outcome = await (await self._perform(Try(claimed, spec))).outcome
            left = (claimed.expire_at - self._clock.now()).total_seconds()
            wait = wait_before_next(claimed, outcome, left=left, draw=self._draw())
            if wait is None:
                return outcome
            await asyncio.sleep(wait)
            claimed = next_try(claimed, self._clock.now())
