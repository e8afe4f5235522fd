"""Signs what the hub states: the intent before each attempt, and evidence where no spoke can speak."""

import uuid
from collections.abc import Mapping, Sequence

from hub.clock import Clock
from hub.jobs.model import Cancel, Claimed, Purpose
from hub.jobs.outcome import NotSent, Outcome, Unknown
from hub.jobs.ports import Withdrawal
from hub.lanes.ports import Receipt, Statement
from hub.plans.model import Why
from mesh.evidence import dsse
from mesh.evidence import statement as said
from mesh.evidence.keys import SigningKey

OWN_TENANT = "integration"
"""The tenant of what the hub asks a provider on its own account."""
LIST_EVENTS = ("integration.spoke.v1.SpokeService", "ListEvents")

_PURPOSES: dict[Purpose, said.Purpose] = {
    Purpose.EXECUTE: "execute",
    Purpose.LOOK_UP: "look_up",
    Purpose.CANCEL: "cancel",
    Purpose.READ: "read",
}


class Notary:
    """Signs with the hub's producer key; `boot` tells this process's statements from another's."""

    def __init__(self, key: SigningKey, *, holder: str, boot: str, clock: Clock) -> None:
        self._key = key
        self._holder = holder
        self._boot = boot
        self._clock = clock
        self._seq = 0

    def intents(self, attempts: Sequence[Claimed]) -> list[bytes]:
        """One signed intent per attempt, in order.

        Its time is that of the claim, by the store's clock: a spoke compares it with its own start, and every
        replica must mean the same by it.
        """
        return [self._seal(self._intent(a)) for a in attempts]

    def evidence(self, attempt: Claimed, outcome: Outcome, receipt: Receipt) -> bytes:
        """Signed evidence of an attempt that no spoke can speak for: unknown, or never begun."""
        if not isinstance(outcome, NotSent | Unknown):
            raise TypeError("only a spoke can state that something was done")
        now = said.timestamp(self._clock.now())
        return self._seal(
            said.Evidence(
                t=now,
                maker=self._maker(),
                job=attempt.job_id,
                attempt=attempt.attempt_id,
                purpose=_PURPOSES[attempt.purpose],
                op=_operation(attempt),
                intent=said.IntentRef(receipt.index, receipt.leaf_hash.hex()),
                res=said.Result(_word(outcome), now, reason=outcome.reason),
                tenant=attempt.tenant,
                trace=_trace_id(attempt.origin.trace),
            )
        )

    def list_intent(self, lane: str, plan_id: str, page: int) -> bytes:
        """Signed intent to read a page of a provider's list of events for a plan."""
        provider, account = lane.split("/", 1)
        return self._seal(
            said.Intent(
                id=str(uuid.uuid4()),
                tenant=OWN_TENANT,
                t=said.timestamp(self._clock.now()),
                maker=self._maker(),
                job=plan_id,
                attempt=f"{plan_id}.{page}",
                purpose="look_up",
                actor=said.Actor(self._holder),
                op=said.Operation(provider, account, *LIST_EVENTS),
                req=said.Body(said.commit(bytes(32), b"").hex(), 0, "integration.spoke.v1.ListEventsRequest"),
                term=1,
            )
        )

    def list_evidence(
        self, lane: str, plan_id: str, page: int, outcome: NotSent | Unknown, receipt: Receipt
    ) -> bytes:
        """Signed evidence that a page could not be read."""
        provider, account = lane.split("/", 1)
        now = said.timestamp(self._clock.now())
        return self._seal(
            said.Evidence(
                t=now,
                maker=self._maker(),
                job=plan_id,
                attempt=f"{plan_id}.{page}",
                purpose="look_up",
                op=said.Operation(provider, account, *LIST_EVENTS),
                intent=said.IntentRef(receipt.index, receipt.leaf_hash.hex()),
                res=said.Result(_word(outcome), now, reason=outcome.reason),
                tenant=OWN_TENANT,
            )
        )

    def action(
        self, act: str, subject: str, why: Why, *, job: str = "", digest: str = "", detail: str = ""
    ) -> Statement:
        """Signed statement of what a person did, or the hub for a plan."""
        statement = said.Action(
            id=str(uuid.uuid4()),
            t=said.timestamp(self._clock.now()),
            maker=self._maker(),
            actor=said.Actor(why.actor),
            act=act,
            subject=subject,
            job=job,
            reason=why.reason,
            ticket=why.ticket,
            digest=digest,
            detail=detail,
        )
        return Statement(statement.id, self._seal(statement))

    def withdrawal(self, job_id: str, cancel: Cancel) -> Withdrawal:
        """Signed statement of who withdraws a job, and why."""
        why = Why(cancel.actor, cancel.reason, cancel.ticket)
        said = self.action("job.cancel", f"job:{job_id}", why, job=job_id)
        return Withdrawal(cancel, said.statement_id, said.envelope)

    def _intent(self, attempt: Claimed) -> said.Intent:
        work = attempt.work
        return said.Intent(
            id=str(uuid.uuid4()),
            tenant=attempt.tenant,
            t=said.timestamp(attempt.claimed_at),
            maker=self._maker(),
            job=attempt.job_id,
            attempt=attempt.attempt_id,
            purpose=_PURPOSES[attempt.purpose],
            actor=said.Actor(attempt.origin.actor, attempt.origin.principal),
            op=_operation(attempt),
            req=said.Body(said.commit(work.salt, work.request).hex(), len(work.request), work.request_type),
            term=attempt.term,
            trace=_trace_id(attempt.origin.trace),
        )

    def _maker(self) -> said.Maker:
        self._seq += 1
        return said.Maker(self._holder, self._boot, self._seq)

    def _seal(self, statement: said.Intent | said.Evidence | said.Action) -> bytes:
        return dsse.seal(statement.payload(), self._key)


def _operation(attempt: Claimed) -> said.Operation:
    service, _, method = attempt.work.operation.partition("/")
    return said.Operation(attempt.provider, attempt.account, service, method)


def _word(outcome: NotSent | Unknown) -> said.OutcomeWord:
    return "not_sent" if isinstance(outcome, NotSent) else "unknown"


def _trace_id(carrier: Mapping[str, str]) -> str:
    # W3C traceparent: version-traceid-spanid-flags.
    return carrier.get("traceparent", "")[3:35]
