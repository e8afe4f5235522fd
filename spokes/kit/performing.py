"""Attempts from their warrant to their signed result, each begun at most once in this process."""

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, TypeAlias, assert_never

from google.protobuf.timestamp_pb2 import Timestamp

from integration.spoke.v1 import outcome_pb2
from integration.spoke.v1 import spoke_service_pb2 as pb
from mesh.clock import Clock
from mesh.evidence import statement as said
from mesh.failpoints import reach
from spokes.kit import envelope
from spokes.kit.attempts import Attempts, Closed, Finished, Fresh, Running, Standing
from spokes.kit.envelope import Task, Verdict
from spokes.kit.errors import ActorLost, PoolOverloaded, WarrantRefused
from spokes.kit.evidence import Notary, Witness
from spokes.kit.inline import Pool
from spokes.kit.manifest import Manifest
from spokes.kit.outcome import Cause, Doing, NotSent, Outcome, Unknown, stamp, to_proto
from spokes.kit.progress import Progress, Track
from spokes.kit.warrant import Warrants

# So many warrants are checked, at about 0.2 ms each, before others get a turn.
CHECKED_AT_ONCE: Final = 16

_log = logging.getLogger(__name__)

_PURPOSES: Final[Mapping[Task, said.Purpose]] = {
    Task.LOOK_UP: "look_up",
    Task.CANCEL: "cancel",
}

Ending: TypeAlias = asyncio.Task[pb.AttemptResult]
Batch: TypeAlias = pb.ExecuteRequest | pb.LookUpRequest


@dataclass(frozen=True, slots=True)
class Performing:
    """Performs batches for one spoke. Work once begun goes on when whoever asked for it has gone."""

    manifest: Manifest
    warrants: Warrants
    attempts: Attempts[Ending]
    notary: Notary
    pool: Pool
    clock: Clock

    async def perform(self, batch: Batch) -> AsyncIterator[list[pb.AttemptResult]]:
        """The results in groups, as they finish: one per attempt."""
        task = _task(batch)
        finishing = _Finishing()
        for position, attempt in enumerate(batch.attempts):
            finishing.add(self._begin(attempt, batch, task))
            if position % CHECKED_AT_ONCE == CHECKED_AT_ONCE - 1:
                await asyncio.sleep(0)
        while group := await finishing.next_group():
            yield group

    async def drain(self, grace_seconds: float) -> None:
        """Returns when all that has begun has ended, or the grace is over."""
        if running := self.attempts.running:
            await asyncio.wait(running, timeout=grace_seconds)

    def _begin(self, attempt: pb.Attempt, batch: Batch, task: Task) -> Ending | pb.AttemptResult:
        match self._standing(attempt, batch, task):
            case Running(handle):
                return handle
            case Finished(result):
                return result or self._unsigned(attempt, _FORGOTTEN)
            case Closed():
                return self._begin_warranted(attempt, batch, task, closed=True)
            case Fresh():
                return self._begin_warranted(attempt, batch, task, closed=False)
            case never:
                assert_never(never)

    def _standing(self, attempt: pb.Attempt, batch: Batch, task: Task) -> Standing[Ending]:
        if self._purpose(attempt, task) == "read":
            return self.attempts.standing_read(attempt.attempt_id)
        return self.attempts.standing(attempt.attempt_id, lane=batch.lane, term=batch.term)

    def _purpose(self, attempt: pb.Attempt, task: Task) -> said.Purpose:
        """What the intent must be for, by the contract: no read is taken for work, nor work for a read."""
        if task is not Task.EXECUTE:
            return _PURPOSES[task]
        spec = self.manifest.operations.get(attempt.operation)
        return "read" if spec is not None and spec.operation.is_read else "execute"

    def _begin_warranted(
        self, attempt: pb.Attempt, batch: Batch, task: Task, *, closed: bool
    ) -> Ending | pb.AttemptResult:
        try:
            witness = self._witness(attempt, batch, task)
        except WarrantRefused as error:
            return self._unsigned(attempt, NotSent(Cause.NO_RECEIPT, error.reason, str(error)))
        reads = witness.intent.purpose == "read"
        if closed or (not reads and self.attempts.is_older(said.moment(witness.intent.t))):
            return self._signed(witness, self._stamped(_FENCED))
        if attempt.HasField("expire_time") and self._is_over(attempt.expire_time):
            return self._signed(witness, self._stamped(_TIME_OVER))
        ending = asyncio.get_running_loop().create_task(self._run(witness, task))
        (self.attempts.begin_read if reads else self.attempts.begin)(attempt.attempt_id, ending)
        return ending

    def _is_over(self, end: Timestamp) -> bool:
        return self.clock.now().timestamp() >= end.seconds + end.nanos / 1e9

    def _witness(self, attempt: pb.Attempt, batch: Batch, task: Task) -> Witness:
        if batch.lane != f"{self.manifest.name}/{attempt.account}":
            raise WarrantRefused("the attempt belongs to another lane")
        purpose, signed = self._purpose(attempt, task), self.warrants.open_checkpoint(batch.checkpoint)
        intent = self.warrants.check(attempt, purpose=purpose, term=batch.term, checkpoint=signed)
        if intent.purpose == "read":
            self.warrants.check_fresh(intent, self.clock.now())
        return Witness(attempt, intent)

    async def _run(self, witness: Witness, task: Task) -> pb.AttemptResult:
        attempt_id = witness.attempt.attempt_id
        reach("spoke.asking", attempt_id)
        outcome = await self._ask(witness.attempt, task)
        reach("spoke.back", attempt_id)
        result = self._signed(witness, outcome)
        reach("spoke.signed", attempt_id)
        if witness.intent.purpose == "read":
            self.attempts.finish_read(attempt_id)
        else:
            self.attempts.finish(result)
        return result

    async def _ask(self, attempt: pb.Attempt, task: Task) -> outcome_pb2.Outcome:
        asked_at = self.clock.now()
        deadline = (asked_at + self._patience(attempt)).timestamp()
        question = envelope.pack(task, deadline, _without_warrant(attempt))
        try:
            verdict, body = envelope.read(await self.pool.run(question))
        except PoolOverloaded:
            return self._stamped(NotSent(Cause.OVERLOADED, "POOL_OVERLOADED", "the spoke has no room"))
        except ActorLost:
            return self._stamped(_LOST, sent_at=asked_at)
        except Exception as error:  # noqa: BLE001 - whatever it is, the attempt may have been performed
            _log.error("pool failed", extra={"error": type(error).__name__})
            return self._stamped(_FAULT, sent_at=asked_at)
        if verdict is not Verdict.DONE:
            return self._stamped(_FAULT, sent_at=asked_at)
        return outcome_pb2.Outcome.FromString(body)

    def _patience(self, attempt: pb.Attempt) -> timedelta:
        spec = self.manifest.operations.get(attempt.operation)
        longest = spec.timeout if spec else timedelta()
        asked = attempt.timeout.ToTimedelta()
        return min(asked, longest) if asked else longest

    def _stamped(self, outcome: Outcome, *, sent_at: datetime | None = None) -> outcome_pb2.Outcome:
        """An outcome that no actor reported; `sent_at`: a request may have left since then."""
        track = Track(self.clock)
        if sent_at is not None:
            track.sent_at, track.progress = sent_at, Progress.WRITTEN
        return stamp(to_proto(outcome), track, self.clock.now())

    def _signed(self, witness: Witness, outcome: outcome_pb2.Outcome) -> pb.AttemptResult:
        evidence = self.notary.evidence(witness, outcome)
        return pb.AttemptResult(attempt_id=witness.attempt.attempt_id, outcome=outcome, evidence=evidence)

    def _unsigned(self, attempt: pb.Attempt, outcome: Outcome) -> pb.AttemptResult:
        """A result without evidence: there is no proven intent that it could answer."""
        return pb.AttemptResult(attempt_id=attempt.attempt_id, outcome=self._stamped(outcome))


_FENCED: Final = NotSent(Cause.FENCED, "FENCED", "the lane has a newer owner, or a fence ruled it out")
_TIME_OVER: Final = NotSent(Cause.FENCED, "TIME_OVER", "the attempt's time was over before it could begin")
_LOST: Final = Unknown("ACTOR_LOST", "the process that had the attempt is gone", cause=Doing.WORKER_LOST)
_FAULT: Final = Unknown("SPOKE_FAULT", "the spoke's own code failed")
_FORGOTTEN: Final = Unknown("RESULT_FORGOTTEN", "begun here so long ago that the result is forgotten")


def _task(batch: Batch) -> Task:
    if isinstance(batch, pb.LookUpRequest):
        return Task.LOOK_UP
    return Task.CANCEL if batch.purpose == pb.ATTEMPT_PURPOSE_CANCEL else Task.EXECUTE


class _Finishing:
    """Collects what has finished; all that finishes in one turn of the loop is one group."""

    def __init__(self) -> None:
        self._open = 0
        self._finished: list[pb.AttemptResult] = []
        self._any = asyncio.Event()

    def add(self, ending: Ending | pb.AttemptResult) -> None:
        self._open += 1
        if isinstance(ending, pb.AttemptResult):
            self._finish(ending)
        else:
            ending.add_done_callback(lambda ended: self._finish(ended.result()))

    async def next_group(self) -> list[pb.AttemptResult]:
        """The next results; empty when there are no more."""
        if not self._open:
            return []
        await self._any.wait()
        await asyncio.sleep(0)
        self._any.clear()
        group, self._finished = self._finished, []
        self._open -= len(group)
        return group

    def _finish(self, result: pb.AttemptResult) -> None:
        self._finished.append(result)
        self._any.set()


def _without_warrant(attempt: pb.Attempt) -> pb.Attempt:
    bare = pb.Attempt(
        attempt_id=attempt.attempt_id,
        job_id=attempt.job_id,
        operation=attempt.operation,
        account=attempt.account,
        request=attempt.request,
        provider_key=attempt.provider_key,
        provider_reference=attempt.provider_reference,
        trace=attempt.trace,
    )
    bare.job_create_time.CopyFrom(attempt.job_create_time)
    return bare
