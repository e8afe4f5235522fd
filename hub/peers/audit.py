"""The audit log over gRPC; no receipt is believed before it has been verified."""

from collections.abc import Awaitable, Callable, Mapping, Sequence

import grpc

from hub.lanes.ports import LogContradicts, LogUnavailable, Receipt, Refused
from integration.audit.v1 import audit_service_pb2, audit_service_pb2_grpc, log_pb2
from mesh.errors import answer_of, reason_of
from mesh.evidence import merkle
from mesh.evidence.checkpoint import Checkpoint, Vkey, open_checkpoint
from mesh.evidence.errors import EvidenceError
from mesh.evidence.receipt import verify_receipt
from mesh.failpoints import reach
from mesh.telemetry import Telemetry
from mesh.told import MESH, brief

APPEND_SECONDS = 10.0
ROLLED_BACK = "SIZE_BEYOND_LOG"


class AuditClient:
    """Appends and verifies. Keeps the last head, so that a log that forks or rolls back is seen at once."""

    def __init__(
        self, channel: grpc.aio.Channel, vkey: Vkey, *, head_note: bytes, telemetry: Telemetry
    ) -> None:
        self._stub = audit_service_pb2_grpc.AuditServiceStub(channel)
        self._vkey = vkey
        self._head = open_checkpoint(head_note, vkey) if head_note else None
        self._head_note = head_note
        self._telemetry = telemetry

    @property
    def head(self) -> tuple[int, bytes]:
        """Size and note of the last verified head; (0, b"") before the first."""
        return (self._head.size if self._head else 0), self._head_note

    async def append(self, envelopes: Sequence[bytes], trace: Mapping[str, str]) -> list[Receipt | Refused]:
        """Appends in order; raises LogUnavailable, or LogContradicts if the answer proves nothing."""
        reach("hub.appending")
        last = self._head
        request = audit_service_pb2.AppendRequest(envelopes=envelopes, last_size=last.size if last else 0)
        try:
            with self._telemetry.span("state", carrier=trace):
                response = await self._stub.Append(request, timeout=APPEND_SECONDS)
        except grpc.aio.AioRpcError as error:
            if reason_of(error) == ROLLED_BACK:
                raise LogContradicts("the log is shorter than a head that it once proved") from error
            raise LogUnavailable(answer_of(error)) from error
        try:
            answers = self._verified(envelopes, response, last)
        except (EvidenceError, ValueError) as error:
            why = brief(error, MESH)
            raise LogContradicts(f"the audit log's answer does not prove what it says: {why}") from error
        reach("hub.appended")
        return answers

    def _verified(
        self,
        envelopes: Sequence[bytes],
        response: audit_service_pb2.AppendResponse,
        last: Checkpoint | None,
    ) -> list[Receipt | Refused]:
        checkpoint = open_checkpoint(response.checkpoint, self._vkey)
        answers = [
            _answer(envelope, result, checkpoint, response.checkpoint)
            for envelope, result in zip(envelopes, response.results, strict=True)
        ]
        self._advance(checkpoint, response, last)
        return answers

    def _advance(
        self, checkpoint: Checkpoint, response: audit_service_pb2.AppendResponse, last: Checkpoint | None
    ) -> None:
        if last is not None:
            merkle.verify_consistency(
                from_size=last.size,
                to_size=checkpoint.size,
                path=list(response.consistency),
                from_root=last.root,
                to_root=checkpoint.root,
            )
        # Two answers may come back out of order; both were proven against an earlier head.
        if self._head is None or checkpoint.size > self._head.size:
            self._head, self._head_note = checkpoint, response.checkpoint


def _answer(
    envelope: bytes, result: audit_service_pb2.AppendResult, checkpoint: Checkpoint, note: bytes
) -> Receipt | Refused:
    if result.WhichOneof("result") != "receipt":
        return Refused(log_pb2.RefusalReason.Name(result.refusal.reason).removeprefix("REFUSAL_REASON_"))
    receipt = result.receipt
    verify_receipt(receipt, envelope=envelope, checkpoint=checkpoint)
    return Receipt(receipt.index, receipt.leaf_hash, tuple(receipt.path), note)


class KeepHead:
    """The duty that keeps the log's last verified head, so that a restart still sees a rollback."""

    name = "keep head"

    def __init__(self, log: AuditClient, save: Callable[[int, bytes], Awaitable[None]]) -> None:
        self._log = log
        self._save = save
        self._kept = 0

    async def run_once(self) -> float | None:
        """Keeps the head if it has grown."""
        size, note = self._log.head
        if size > self._kept:
            await self._save(size, note)
            self._kept = size
        return 5.0
