"""A batch of claimed attempts: their intents into the log, then to the spoke, then settled."""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, replace
from uuid import NAMESPACE_OID, uuid5

from hub.clock import Clock
from hub.errors import ProviderNotReady, UnknownProvider
from hub.jobs.decide import after_attempt, is_legal, must_be_alone, unsent
from hub.jobs.decision import Decision, Moment, broken
from hub.jobs.looking import OVERTIME
from hub.jobs.model import SETTLED, Claimed, Purpose
from hub.jobs.outcome import WORDS, NotSent, NotSentCause, Outcome, Unknown, UnknownCause
from hub.jobs.ports import Post
from hub.jobs.spec import NOT_OFFERED, OperationSpec
from hub.lanes.exclusive import Company
from hub.lanes.gate import Gate
from hub.lanes.ports import (
    AuditLog,
    HeldEvents,
    Knowledge,
    LogUnavailable,
    Notary,
    Orphan,
    Receipt,
    Refused,
    Report,
    Result,
    Settle,
    Settlement,
    Spokes,
    SpokeUnavailable,
    Warranted,
)
from hub.lanes.store_time import StoreTime

FIRST_WAIT = 0.05
LONGEST_WAIT = 2.0
CALL_BYTES = 3 << 20  # of the 4 MiB that a message may have
OVERHEAD_BYTES = 2048

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Tools:
    """What a lane's dispatcher works with. `post` says that a job has changed."""

    settle: Settle
    events: HeldEvents
    notary: Notary
    log: AuditLog
    spokes: Spokes
    clock: Clock
    draw: Callable[[], float]
    post: Post


class Dispatch:
    """Carries attempts from their claim to their settlement. `done` is called for each one settled."""

    def __init__(
        self,
        lane: str,
        *,
        term: int,
        tools: Tools,
        gate: Gate,
        time: StoreTime,
        done: Callable[[], None],
    ) -> None:
        self._lane = lane
        self._term = term
        self._tools = tools
        self._gate = gate
        self._time = time
        self._done = done
        self._company = Company()
        self._is_log_away = False

    @property
    def is_stalled(self) -> bool:
        """True if what is claimed now would have to wait before it is sent."""
        return self._is_log_away or self._company.is_closed

    async def perform(self, batch: Sequence[Orphan]) -> None:
        """Sends fresh attempts to the spoke, never before the log holds their intents."""
        warranted = await self._state_intents(batch)
        groups = parts([w for w in warranted if not must_be_alone(w.claimed)])
        await all_of([self._send_together(group) for group in groups])
        for suspect in (w for w in warranted if must_be_alone(w.claimed)):
            async with self._company.alone():
                await self._send([suspect])

    async def _send_together(self, group: list[Warranted]) -> None:
        async with self._company.together():
            await self._send(group)

    async def recover(self, batch: Sequence[Orphan]) -> None:
        """Finds out what became of attempts that an older owner, or a cut stream, left behind."""
        has_suspects = any(must_be_alone(o.claimed) for o in batch)
        async with self._company.alone() if has_suspects else self._company.together():
            await self._resolve(await self._state_intents(batch))

    async def _state_intents(self, batch: Sequence[Orphan]) -> list[Warranted]:
        answers = await self._append([o.intent for o in batch], batch[0].claimed)
        warranted = []
        for orphan, answer in zip(batch, answers, strict=True):
            if isinstance(answer, Receipt):
                warranted.append(await self._warrant(orphan, answer))
            else:
                await self._settle_refused(orphan.claimed, answer)
        return warranted

    async def _warrant(self, orphan: Orphan, receipt: Receipt) -> Warranted:
        return Warranted(orphan.claimed, orphan.intent, receipt, await self._spec(orphan.claimed))

    async def _spec(self, claimed: Claimed) -> OperationSpec:
        wait = FIRST_WAIT
        while True:
            try:
                return self._tools.spokes.spec(claimed.provider, claimed.work.operation)
            except UnknownProvider:
                return NOT_OFFERED
            except ProviderNotReady:
                await asyncio.sleep(wait)
                wait = min(wait * 2, LONGEST_WAIT)

    async def _append(self, envelopes: list[bytes], first: Claimed) -> list[Receipt | Refused]:
        wait = FIRST_WAIT
        while True:
            try:
                answers = await self._tools.log.append(envelopes, first.origin.trace)
            except LogUnavailable as problem:
                _log.warning("audit log unavailable", extra={"lane": self._lane, "problem": str(problem)})
                self._is_log_away = True
                await asyncio.sleep(wait)
                wait = min(wait * 2, LONGEST_WAIT)
            else:
                self._is_log_away = False
                return answers

    async def _send(self, group: list[Warranted]) -> None:
        if fit := await self._still_fit(group):
            await self._exchange(fit)

    async def _still_fit(self, group: list[Warranted]) -> list[Warranted]:
        """Those that may still go: the log, or those who had to be alone, may have taken long."""
        now, fit, late = self._time.now(), [], []
        for attempt in group:
            outcome = unsent(attempt.claimed, attempt.spec, now) or not_offered(attempt)
            if outcome is None:
                fit.append(attempt)
            else:
                late.append(self._settle_unsent(attempt, outcome))
        await all_of(late)
        return fit

    async def _exchange(self, group: list[Warranted]) -> None:
        open_attempts = {w.claimed.attempt_id: w for w in group}
        settling: list[asyncio.Task[None]] = []
        try:
            async for results in self._tools.spokes.perform(self._lane, self._term, group):
                for result in results:
                    attempt = open_attempts.pop(result.attempt_id, None)
                    if attempt:
                        attested = self._attested(attempt, result)
                        settling.append(asyncio.create_task(self._settle_result(attempt.claimed, attested)))
                        settling[-1].add_done_callback(_heard)
        except SpokeUnavailable as problem:
            _log.warning("spoke cut off", extra={"lane": self._lane, "problem": str(problem)})
        await asyncio.gather(*settling)
        if open_attempts:
            await self._resolve(list(open_attempts.values()))

    def _attested(self, attempt: Warranted, result: Result) -> Result:
        # A spoke that could not verify the intent has nothing to say; the hub still owes the log an end.
        if result.evidence or not isinstance(result.outcome, NotSent | Unknown):
            return result
        try:
            evidence = self._tools.notary.evidence(attempt.claimed, result.outcome, attempt.receipt)
        except Exception:  # noqa: BLE001 - what one job's words break must not end the others' work
            _log.exception("no evidence", extra={"attempt": result.attempt_id})
            return result
        return replace(result, evidence=evidence)

    async def _resolve(self, attempts: Sequence[Warranted]) -> None:
        unresolved = {w.claimed.attempt_id: w for w in attempts}
        wait = FIRST_WAIT
        while unresolved:
            for report in await self._ask([w.claimed for w in unresolved.values()]):
                if report.knowledge is Knowledge.RUNNING or report.attempt_id not in unresolved:
                    continue
                await self._settle_report(unresolved.pop(report.attempt_id), report)
            if unresolved:
                await asyncio.sleep(wait)
                wait = min(wait * 2, LONGEST_WAIT)

    async def _ask(self, attempts: Sequence[Claimed]) -> list[Report]:
        # Only the spoke can say whether these attempts began: this waits as long as a doubt is looked up.
        wait = FIRST_WAIT
        while True:
            try:
                return await self._tools.spokes.fence(self._lane, self._term, attempts)
            except SpokeUnavailable:
                given_up = self._time.now() - OVERTIME
                if over := [a for a in attempts if a.expire_at <= given_up]:
                    return [Report(a.attempt_id, Knowledge.NONE, None) for a in over]
                await asyncio.sleep(wait)
                wait = min(wait * 2, LONGEST_WAIT)

    async def _settle_report(self, attempt: Warranted, report: Report) -> None:
        if report.result is not None:
            await self._settle_result(attempt.claimed, report.result)
            return
        await self._settle_unsent(attempt, unreported(report.knowledge))

    async def _settle_unsent(self, attempt: Warranted, outcome: Outcome) -> None:
        """Settles what no spoke speaks for."""
        result = self._attested(attempt, Result(attempt.claimed.attempt_id, outcome, b""))
        await self._settle_result(attempt.claimed, result)

    async def _settle_refused(self, claimed: Claimed, refused: Refused) -> None:
        outcome = NotSent(
            NotSentCause.UNSUPPORTED, "INTENT_REFUSED", f"the log refused the intent: {refused.reason}"
        )
        await self._settle_result(claimed, Result(claimed.attempt_id, outcome, b""))

    def _moment(self, claimed: Claimed, outcome: Outcome) -> Moment:
        # What opens the breaker is the job's own attempt; what fails while it is not closed is not.
        on_trial = self._gate.is_trial(claimed.job_id)
        writes = claimed.purpose is not Purpose.LOOK_UP
        now = self._tools.clock.monotonic()
        self._gate.observe(outcome, now, job_id=claimed.job_id, writes=writes)
        return Moment(self._time.now(), self._tools.draw(), on_trial)

    async def _settle_result(self, claimed: Claimed, result: Result) -> None:
        decision = self._decide(claimed, result.outcome, await self._spec(claimed))
        settled = await self._tools.settle(
            Settlement(
                job_id=claimed.job_id,
                seq=claimed.seq,
                decision=decision,
                outcome=WORDS[type(result.outcome)],
                statement_id=str(uuid5(NAMESPACE_OID, f"evidence:{claimed.attempt_id}")),
                evidence=result.evidence,
            )
        )
        ended = settled.ending if settled.ending.state in SETTLED else None
        if settled.has_held_events:
            await self._apply_events(claimed.job_id)
            # They may have ended it otherwise: who waits reads how.
            ended = None
        self._tools.post(claimed.job_id, ended)
        self._done()

    def _decide(self, claimed: Claimed, outcome: Outcome, spec: OperationSpec) -> Decision:
        try:
            decision = after_attempt(claimed, outcome, spec, self._moment(claimed, outcome))
        except Exception:  # noqa: BLE001 - one job's fault must not be its lane's
            _log.exception("no decision", extra={"attempt": claimed.attempt_id})
            return broken("the hub cannot decide what follows")
        if is_legal(claimed, decision):
            return decision
        _log.error("illegal decision", extra={"attempt": claimed.attempt_id, "state": decision.state.name})
        return broken(f"the hub decided for {decision.state.name}, which {claimed.state.name} cannot become")

    async def _apply_events(self, job_id: str) -> None:
        try:
            await self._tools.events.apply(job_id)
        except Exception:  # noqa: BLE001 - they stay held, and a duty of its own applies them
            _log.exception("held events not applied", extra={"job": job_id})


def _heard(task: "asyncio.Task[None]") -> None:
    """What breaks is told to whoever awaits the task; when they have been dropped, to nobody."""
    if not task.cancelled():
        task.exception()


async def all_of(work: Sequence[Coroutine[None, None, None]]) -> None:
    """Does all of it at once; what fails first ends the rest."""
    tasks = [asyncio.create_task(each) for each in work]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()


def parts(attempts: Sequence[Warranted]) -> list[list[Warranted]]:
    """Calls of one purpose each, look-ups first, and none of them greater than a message may be."""
    cut: list[list[Warranted]] = []
    for purpose in (Purpose.LOOK_UP, Purpose.CANCEL, Purpose.EXECUTE):
        room = 0
        for attempt in (a for a in attempts if a.claimed.purpose is purpose):
            size = _size(attempt)
            if size > room:
                cut.append([])
                room = CALL_BYTES
            cut[-1].append(attempt)
            room -= size
    return cut


def _size(attempt: Warranted) -> int:
    """More than an attempt takes in a message."""
    claimed, path = attempt.claimed, attempt.receipt.path
    texts = (claimed.provider_reference, *claimed.origin.trace.values())
    words = 4 * sum(map(len, texts))
    return OVERHEAD_BYTES + len(claimed.work.request) + len(attempt.intent) + 40 * len(path) + words


def not_offered(attempt: Warranted) -> Outcome | None:
    """What follows if the spoke has ceased to offer the operation; None: it offers it."""
    if attempt.spec is not NOT_OFFERED:
        return None
    if attempt.claimed.purpose is Purpose.LOOK_UP:
        return Unknown("NOT_OFFERED", "the spoke no longer offers the operation, so it cannot be asked")
    return NotSent(NotSentCause.UNSUPPORTED, "NOT_OFFERED", "the spoke no longer offers the operation")


def unreported(knowledge: Knowledge) -> Outcome:
    """What follows when the spoke has no result for an attempt."""
    if knowledge is Knowledge.NOT_STARTED:
        return NotSent(
            NotSentCause.FENCED, "NEVER_STARTED", "the spoke never began the attempt, and no longer can"
        )
    return Unknown(
        "SPOKE_LOST", "the spoke that may have begun the attempt is gone", cause=UnknownCause.WORKER_LOST
    )
