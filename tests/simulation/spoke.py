"""A spoke's server process: it begins each attempt at most once, with the memory of the spokes' own kit."""

import asyncio
from collections.abc import Sequence
from datetime import datetime

from hub.jobs.outcome import NotSent, NotSentCause, Outcome, Unknown, UnknownCause
from hub.lanes.ports import Knowledge, Report, Result, Warranted
from integration.spoke.v1.spoke_service_pb2 import AttemptResult
from spokes.kit.attempts import Attempts, Closed, Finished, Fresh, Running
from tests.simulation.actor import Actor
from tests.simulation.audit import evidence
from tests.simulation.cases import LANE
from tests.simulation.loop import Machine
from tests.simulation.offering import EVERYTHING, Offer
from tests.simulation.world import World

NO_RECEIPT = NotSent(NotSentCause.NO_RECEIPT, "NO_RECEIPT", "")
FENCED = NotSent(NotSentCause.FENCED, "FENCED", "")
TIME_OVER = NotSent(NotSentCause.FENCED, "TIME_OVER", "")
FORGOTTEN = Unknown("RESULT_FORGOTTEN", "")
LOST = Unknown("ACTOR_LOST", "", cause=UnknownCause.WORKER_LOST)

Ending = asyncio.Task[Result]
RELEASE_SECONDS = 0.05


class Stream:
    """One call of a hub, with its answers on their way back. None: it is cut."""

    def __init__(self, world: World, batch: Sequence[Warranted], *, term: int) -> None:
        self.batch = batch
        self.term = term
        self.answers: asyncio.Queue[Result | None] = asyncio.Queue()
        self._world = world

    def answer(self, result: Result) -> None:
        """Sends a result."""
        self._world.loop.later(self._world.latency(), self.answers.put_nowait, result)

    def cut(self) -> None:
        """Nothing more comes back."""
        self.answers.put_nowait(None)


class SimulatedSpoke:
    """One spoke. A restart forgets everything, as the real one's does."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._instance = 0
        self._streams: list[Stream] = []
        self.is_up = False
        self.is_gone = False
        """Whether nobody starts it again."""
        self.offer: Offer = EVERYTHING
        self.start()

    def start(self) -> None:
        """A new process."""
        if self.is_up or self.is_gone:
            return
        self._instance += 1
        self.is_up = True
        self._name = f"spoke.{self._instance}"
        self._machine = Machine(self._name)
        self._attempts: Attempts[Ending] = Attempts(self._world)
        self._results: dict[str, Result] = {}
        self._actor = Actor(self._world)

    def release(self, offer: Offer) -> None:
        """Another release takes its place, if it is there at all."""
        if self.is_up and offer != self.offer:
            self.crash()
            self._world.loop.later(RELEASE_SECONDS, self.start)
        self.offer = offer

    def crash(self) -> None:
        """Drops everything; what has left for the provider still arrives there."""
        self._world.note("spoke crash", self._name)
        self._machine.kill()
        self.is_up = False
        self._world.watch.spoke_gone()
        for stream in self._streams:
            stream.cut()
        self._streams = []

    def receive(self, stream: Stream) -> None:
        """A batch arrives."""
        if not self.is_up:
            stream.cut()
            return
        self._streams.append(stream)
        for attempt in stream.batch:
            begun = self._begin(attempt, stream.term)
            if isinstance(begun, Result):
                stream.answer(begun)
            else:
                context = self._machine.context
                begun.add_done_callback(lambda ended: stream.answer(ended.result()), context=context)

    def fence(self, term: int, claims: Sequence[tuple[str, datetime]]) -> list[Report]:
        """Closes the lane to older owners."""
        reports = self._attempts.fence(LANE, term, claims)
        self._world.note("fenced", term, *((r.attempt_id, int(r.knowledge)) for r in reports))
        return [
            Report(
                r.attempt_id, Knowledge(int(r.knowledge)), self._results[r.attempt_id] if r.result else None
            )
            for r in reports
        ]

    def _report(self, attempt_id: str, knowledge: Knowledge) -> Report:
        return Report(attempt_id, knowledge, self._results.get(attempt_id))

    def _begin(self, attempt: Warranted, term: int) -> Ending | Result:
        claimed = attempt.claimed
        standing = self._attempts.standing(claimed.attempt_id, lane=LANE, term=term)
        if isinstance(standing, Running):
            return standing.handle
        if isinstance(standing, Finished):
            return self._results.get(claimed.attempt_id) or Result(claimed.attempt_id, FORGOTTEN, b"")
        assert isinstance(standing, Closed | Fresh)
        if not self._is_warranted(attempt, term):
            self._world.watch.unwarranted(claimed)
            return Result(claimed.attempt_id, NO_RECEIPT, b"")
        if isinstance(standing, Closed) or self._attempts.is_older(claimed.claimed_at):
            return self._signed(claimed.attempt_id, FENCED)
        if self.is_over(attempt):
            return self._signed(claimed.attempt_id, TIME_OVER)
        self._world.watch.begun(claimed)
        ending = self._world.loop.create_task(self._run(attempt), context=self._machine.context)
        self._attempts.begin(claimed.attempt_id, ending)
        return ending

    def is_over(self, attempt: Warranted) -> bool:
        """Whether it had to be begun before now."""
        return attempt.begin_by is not None and self._world.now() >= attempt.begin_by

    def _is_warranted(self, attempt: Warranted, term: int) -> bool:
        said = attempt.intent.decode().split()
        claimed = attempt.claimed
        fits = said[1:3] == [claimed.attempt_id, str(int(claimed.purpose))] and claimed.term == term
        return fits and attempt.intent in self._world.log.entries

    async def _run(self, attempt: Warranted) -> Result:
        attempt_id = attempt.claimed.attempt_id
        outcome = await self._actor.ask(attempt.claimed)
        result = self._signed(attempt_id, outcome or LOST)
        self._results[attempt_id] = result
        self._attempts.finish(AttemptResult(attempt_id=attempt_id))
        self._world.watch.finished(attempt_id)
        return result

    def _signed(self, attempt_id: str, outcome: Outcome) -> Result:
        self._world.note("ended", attempt_id, repr(outcome))
        return Result(attempt_id, outcome, evidence(attempt_id, outcome, self._name))
