"""The door of reads with everything behind it in the test's hands."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

from hub.intake.backlog import Admission, AdmissionLimits
from hub.intake.new_jobs import NewJobs
from hub.intake.references import Reference, References
from hub.jobs.model import Claimed
from hub.jobs.outcome import Outcome, Succeeded
from hub.jobs.spec import Limits, OperationSpec, Replay
from hub.lanes.ports import Result, Warranted
from hub.reads.door import Reads
from hub.reads.gates import Gates
from hub.reads.model import Answer, Standing, Standings
from hub.reads.performing import Performing, Try
from hub.reads.stating import Stating
from hub.tenants import Rights
from integration.common.v1 import context_pb2
from integration.payments.v1 import payments_service_pb2 as payments
from mesh.batcher import Batcher
from tests.fakes import FakeLog, FakeNotary, FakeSpokes, HandClock
from tests.hub.jobs import spec

GET = "integration.payments.v1.PaymentsService/GetPayment"
LANE = "echo/default"
READ = Succeeded("T", b"paid")
RIGHTS = Rights({"echo": frozenset({"*"})}, foreign_references=True)


class Slow(FakeSpokes):
    """Spokes that answer when the test lets them."""

    def __init__(self, outcomes: Sequence[Outcome]) -> None:
        super().__init__(outcomes)
        self.limited = Limits(100, read_share=0.2)
        self.operation = spec(Replay.READ, can_look_up=False)
        self.begun = asyncio.Event()
        self.let = asyncio.Event()
        self.let.set()

    async def perform(
        self, lane: str, term: int, attempts: Sequence[Warranted]
    ) -> AsyncIterator[list[Result]]:
        """As the fake does, once it is let."""
        self.begun.set()
        await self.let.wait()
        async for (result,) in super().perform(lane, term, attempts):
            signed = f"evidence {result.attempt_id}".encode() if self.evidence else b""
            yield [replace(result, evidence=signed)]


class Choosy(FakeNotary):
    """Cannot state what one tenant asks."""

    def intents(self, attempts: Sequence[Claimed]) -> list[bytes]:
        """As the fake does, or not."""
        if attempts[0].tenant == "unspeakable":
            raise ValueError("no words")
        return super().intents(attempts)


class Bench:
    """The door, its spokes and its log. It has one account at one provider."""

    def __init__(self, *outcomes: Outcome) -> None:
        self.spokes, self.log, self.clock = Slow(outcomes), FakeLog(), HandClock()
        self.gates = Gates(self.spokes.limits, self.clock)
        self.stating = Stating(self.log)
        self.performing = Performing(
            self.gates, notary=Choosy(), stating=self.stating, spokes=self.spokes, clock=self.clock
        )
        self.admission = Admission(AdmissionLimits())
        new_jobs = NewJobs(self, clock=self.clock, chance=lambda n: b"r" * n, trace=dict)
        self._new_jobs = new_jobs
        self._numbers = iter(range(1000))
        self.door = Reads(
            new_jobs=new_jobs,
            directory=self,
            references=References(self.made),
            admission=self.admission,
            perform=Batcher[Try, Try](self.performing.begin, max_items=64, max_queue=1000).submit,
            clock=self.clock,
            draw=lambda: 0.0,
        )

    def choose(self, provider: str, operation: str) -> str:
        """There is one."""
        return "echo"

    def check_account(self, provider: str, account: str) -> None:
        """There is every one."""

    def spec(self, provider: str, operation: str) -> OperationSpec:
        """What the spokes say."""
        return self.spokes.operation

    async def made(self, reference: Reference) -> bool:
        """The tenants have made nothing."""
        return False

    def caches(self, seconds: float) -> None:
        """The manifest lets answers be given again for so long."""
        self.spokes.operation = replace(self.spokes.operation, cache=timedelta(seconds=seconds))

    def stands(self, standing: Standing, *, replicas: int = 1) -> None:
        """What the store says of the lane."""
        self.gates.stand(Standings(replicas, {LANE: standing}))

    async def read(
        self, *, tenant: str = "acme", attempts: int = 1, seconds: float = 5, payment_id: str = "pay_1"
    ) -> Answer:
        """Reads one payment."""
        key = f"r-{next(self._numbers)}"
        context = context_pb2.RequestContext(request_id=key, tenant=tenant, retry={"max_attempts": attempts})
        request = payments.GetPaymentRequest(context=context, payment_id=payment_id)
        asked = self._new_jobs.asked(GET, request, "spiffe://integration.local/core/demo")
        asked = replace(asked, job_id=f"01890000-0000-7000-8000-{next(self._numbers):012d}")
        return await self.door.read(asked, RIGHTS, seconds)

    async def proven(self) -> Mapping[str, list[str]]:
        """What the log holds of each attempt, once the evidence is there."""
        await self.performing.finish(5)
        await self.stating.flush()
        said: dict[str, list[str]] = {}
        for entry in self.log.entries:
            kind, _, attempt_id = entry.decode().partition(" ")
            said.setdefault(attempt_id, []).append(kind)
        return said
