"""What the spoke states, signed with its own key; the actors never hold it."""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime

from google.protobuf.timestamp_pb2 import Timestamp

from integration.audit.v1 import log_pb2
from integration.spoke.v1 import outcome_pb2, spoke_service_pb2
from mesh.clock import Clock
from mesh.evidence import dsse
from mesh.evidence import statement as said
from mesh.evidence.keys import SigningKey

_WORDS: dict[str, said.OutcomeWord] = {
    "succeeded": "succeeded",
    "pending": "pending",
    "declined": "declined",
    "not_sent": "not_sent",
    "unknown": "unknown",
}
_PROGRESS: dict[int, str] = {
    number: name.removeprefix("SEND_PROGRESS_").lower()
    for name, number in outcome_pb2.SendProgress.items()
    if number
}


@dataclass(frozen=True, slots=True)
class Witness:
    """An attempt and the intent that it answers."""

    attempt: spoke_service_pb2.Attempt
    intent: said.Intent


class Notary:
    """Signs evidence and confirmations. `boot` tells this process's statements from another's."""

    def __init__(self, key: SigningKey, *, holder: str, provider: str, boot: str, clock: Clock) -> None:
        self._key = key
        self._holder = holder
        self._provider = provider
        self._boot = boot
        self._clock = clock
        self._seq = 0

    def evidence(self, witness: Witness, outcome: outcome_pb2.Outcome) -> bytes:
        """Signed evidence of what an attempt came to."""
        intent, receipt = witness.intent, witness.attempt.warrant.receipt
        return self._seal(
            said.Evidence(
                t=said.timestamp(self._clock.now()),
                maker=self._maker(),
                job=intent.job,
                attempt=intent.attempt,
                purpose=intent.purpose,
                op=intent.op,
                intent=said.IntentRef(receipt.index, receipt.leaf_hash.hex()),
                res=_result(outcome, witness.attempt.salt),
                tenant=intent.tenant,
                trace=intent.trace,
            )
        )

    def listed(self, intent: said.Intent, receipt: log_pb2.Receipt, asked_at: datetime) -> bytes:
        """Signed evidence that the provider has listed its events."""
        now = said.timestamp(self._clock.now())
        return self._seal(
            said.Evidence(
                t=now,
                maker=self._maker(),
                job=intent.job,
                attempt=intent.attempt,
                purpose=intent.purpose,
                op=intent.op,
                intent=said.IntentRef(receipt.index, receipt.leaf_hash.hex()),
                res=said.Result("succeeded", now, progress="reply_read", t_sent=said.timestamp(asked_at)),
                tenant=intent.tenant,
                trace=intent.trace,
            )
        )

    def confirmation(self, account: str, event: spoke_service_pb2.ProviderEvent, body: bytes) -> bytes:
        """Signed confirmation of what a verified event says about a job."""
        word, reason = _word(event.outcome)
        return self._seal(
            said.Confirmation(
                t=said.timestamp(self._clock.now()),
                maker=self._maker(),
                job=event.job_id,
                op=said.Operation(self._provider, account),
                event=said.Event(event.event_id, event.type),
                body=said.Body(hashlib.sha256(body).hexdigest(), len(body)),
                res=said.Settled(word, reason, event.outcome.provider_reference),
            )
        )

    def _maker(self) -> said.Maker:
        self._seq += 1
        return said.Maker(self._holder, self._boot, self._seq)

    def _seal(self, statement: said.Evidence | said.Confirmation) -> bytes:
        return dsse.seal(statement.payload(), self._key)


def _result(outcome: outcome_pb2.Outcome, salt: bytes) -> said.Result:
    word, reason = _word(outcome)
    body = _body(outcome)
    return said.Result(
        outcome=word,
        t_done=_time(outcome.done_time),
        progress=_PROGRESS.get(outcome.progress, ""),
        reason=reason,
        t_sent=_time(outcome.sent_time) if outcome.HasField("sent_time") else "",
        provider_ref=outcome.provider_reference,
        commit=said.commit(salt, body).hex() if body is not None else "",
        size=len(body) if body is not None else None,
    )


def _word(outcome: outcome_pb2.Outcome) -> tuple[said.OutcomeWord, str]:
    kind = outcome.WhichOneof("kind") or "unknown"
    return _WORDS[kind], getattr(getattr(outcome, kind), "reason", "")


def _body(outcome: outcome_pb2.Outcome) -> bytes | None:
    kind = outcome.WhichOneof("kind")
    if kind == "succeeded":
        return outcome.succeeded.result.value
    return outcome.pending.result.value if kind == "pending" else None


def _time(moment: Timestamp) -> str:
    return said.timestamp(moment.ToDatetime(tzinfo=UTC))
