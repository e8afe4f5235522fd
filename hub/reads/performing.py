"""Reads from their intent to their outcome, many at once: one append for all, one call for each lane."""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

from hub.clock import Clock
from hub.errors import IntentRefused, LogAway, ReadRefused
from hub.jobs.model import Claimed, lane_id
from hub.jobs.outcome import NotSent, NotSentCause, Outcome, Unknown, UnknownCause
from hub.jobs.spec import OperationSpec
from hub.lanes.ports import Notary, Receipt, Refused, Result, Spokes, SpokeUnavailable, Warranted
from hub.reads.gates import Gates
from hub.reads.model import NO_TERM
from hub.reads.stating import Stating

LOST = Unknown("SPOKE_LOST", "the spoke gave no answer", cause=UnknownCause.WORKER_LOST)
UNSIGNED = Unknown("UNSIGNED", "the spoke did not sign its answer")
TIME_OVER = NotSent(NotSentCause.FENCED, "TIME_OVER", "the caller's time was over before it could be sent")

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Try:
    """One attempt of a read, and where its outcome goes."""

    claimed: Claimed
    spec: OperationSpec
    outcome: "asyncio.Future[Outcome]" = field(default_factory=asyncio.Future)

    @property
    def lane(self) -> str:
        """Where it is read."""
        return lane_id(self.claimed.provider, self.claimed.account)


class Performing:
    """Performs tries. Once its intent is stated, a try goes on when whoever asked has gone."""

    def __init__(
        self, gates: Gates, *, notary: Notary, stating: Stating, spokes: Spokes, clock: Clock
    ) -> None:
        self._gates = gates
        self._notary = notary
        self._stating = stating
        self._spokes = spokes
        self._clock = clock
        self._calls: set[asyncio.Task[None]] = set()

    async def begin(self, tries: Sequence[Try]) -> list[Try | Exception]:
        """Begins them, never before the log holds their intents; in order, and why one was not begun."""
        entered = [(each, self._intent(each)) for each in tries]
        stated = await self._state([(each, said) for each, said in entered if isinstance(said, bytes)])
        by_lane: dict[str, list[tuple[Try, Warranted]]] = defaultdict(list)
        begun: list[Try | Exception] = []
        for each, said in entered:
            answer = said if isinstance(said, Exception) else stated[each.claimed.attempt_id]
            if isinstance(answer, Warranted):
                by_lane[each.lane].append((each, answer))
            begun.append(answer if isinstance(answer, Exception) else each)
        for lane, group in by_lane.items():
            self._start(lane, group)
        return begun

    async def finish(self, seconds: float) -> None:
        """Returns when all that has begun has ended, or the time is up."""
        if self._calls:
            await asyncio.wait(self._calls, timeout=seconds)

    def _intent(self, each: Try) -> bytes | Exception:
        """The signed intent of a try that has passed its gate, or why there is none."""
        try:
            self._gates.enter(each.lane)
        except ReadRefused as refusal:
            return refusal
        try:
            return self._notary.intents([each.claimed])[0]
        except Exception as error:  # noqa: BLE001 - what one read's words break must not end the others
            self._leave(each, None)
            return error

    async def _state(self, tries: Sequence[tuple[Try, bytes]]) -> dict[str, Warranted | ReadRefused]:
        """A warrant for each, by its id, or why it has none; those without one have left their gate."""
        if not tries:
            return {}
        try:
            answers = await self._stating.state([intent for _, intent in tries])
        except BaseException as error:
            for each, _ in tries:
                self._leave(each, None)
            if isinstance(error, LogAway):
                return {each.claimed.attempt_id: error for each, _ in tries}
            raise
        return {
            each.claimed.attempt_id: self._warranted(each, intent, answer)
            for (each, intent), answer in zip(tries, answers, strict=True)
        }

    def _warranted(self, each: Try, intent: bytes, answer: Receipt | Refused) -> Warranted | ReadRefused:
        if isinstance(answer, Receipt):
            left = max(each.claimed.expire_at - self._clock.now(), timedelta(milliseconds=1))
            spec = replace(each.spec, timeout=min(each.spec.timeout, left))
            return Warranted(each.claimed, intent, answer, spec)
        self._leave(each, None)
        return IntentRefused(f"the log refused the intent: {answer.reason}")

    def _start(self, lane: str, group: list[tuple[Try, Warranted]]) -> None:
        task = asyncio.get_running_loop().create_task(self._call(lane, group))
        self._calls.add(task)
        task.add_done_callback(self._calls.discard)

    async def _call(self, lane: str, group: list[tuple[Try, Warranted]]) -> None:
        now = self._clock.now()
        late = [pair for pair in group if now >= pair[0].claimed.expire_at]
        waiting = {pair[0].claimed.attempt_id: pair for pair in group if pair not in late}
        for each, warranted in late:
            self._end(each, warranted, TIME_OVER, b"")
        try:
            if waiting:
                await self._exchange(lane, waiting)
        except SpokeUnavailable as problem:
            _log.warning("spoke cut off reads", extra={"lane": lane, "problem": str(problem)})
        except Exception:  # noqa: BLE001 - whatever broke, each intent still gets its evidence
            _log.exception("reads failed", extra={"lane": lane})
        for each, warranted in waiting.values():
            self._end(each, warranted, LOST, b"")

    async def _exchange(self, lane: str, waiting: dict[str, tuple[Try, Warranted]]) -> None:
        attempts = [warranted for _, warranted in waiting.values()]
        async for results in self._spokes.perform(lane, NO_TERM, attempts):
            for result in results:
                if (pair := waiting.pop(result.attempt_id, None)) is not None:
                    self._end(*pair, *_believed(result))

    def _end(self, each: Try, warranted: Warranted, outcome: Outcome, evidence: bytes) -> None:
        if not evidence and isinstance(outcome, NotSent | Unknown):
            evidence = self._notary.evidence(each.claimed, outcome, warranted.receipt)
        self._stating.prove(evidence)
        self._leave(each, outcome)
        if not each.outcome.done():
            each.outcome.set_result(outcome)

    def _leave(self, each: Try, outcome: Outcome | None) -> None:
        self._gates.leave(each.lane, outcome, each.claimed.job_id)


def _believed(result: Result) -> tuple[Outcome, bytes]:
    """An outcome and its evidence; without evidence nothing is believed but that there is no answer."""
    if result.evidence or isinstance(result.outcome, NotSent | Unknown):
        return result.outcome, result.evidence
    return UNSIGNED, b""
