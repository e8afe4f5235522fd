"""The gRPC servicer of the audit service."""

from collections.abc import AsyncIterator
from typing import Any, Final, Protocol, TypeAlias

import grpc

from audit_service.edge.admission import Admission
from audit_service.errors import EntryNotFound, SizeBeyondLog
from audit_service.export.bundle import BundleExport
from audit_service.export.tile_files import TileExport
from audit_service.fsck import FullReader, check_log
from audit_service.log import sequencer as log
from audit_service.log.checkpoints import Notary
from audit_service.log.entry import Reason
from audit_service.log.ports import EntryReader, StoredEntry
from integration.audit.v1 import audit_service_pb2 as pb
from integration.audit.v1 import audit_service_pb2_grpc as rpc
from integration.audit.v1 import log_pb2

Context: TypeAlias = grpc.aio.ServicerContext[Any, Any]

_DEFAULT_PAGE: Final = 100
_REASONS: Final = {
    Reason.MALFORMED: log_pb2.REFUSAL_REASON_MALFORMED,
    Reason.BAD_SIGNATURE: log_pb2.REFUSAL_REASON_BAD_SIGNATURE,
    Reason.NOT_ENTITLED: log_pb2.REFUSAL_REASON_NOT_ENTITLED,
    Reason.CONFLICT: log_pb2.REFUSAL_REASON_CONFLICT,
    Reason.NO_INTENT: log_pb2.REFUSAL_REASON_NO_INTENT,
    Reason.ALREADY_STATED: log_pb2.REFUSAL_REASON_ALREADY_STATED,
}


class FullEntryReader(EntryReader, FullReader, Protocol):
    """All that can be read."""


class AuditService(rpc.AuditServiceServicer):
    """Serves one log."""

    def __init__(
        self,
        *,
        sequencer: log.Sequencer,
        admission: Admission,
        reader: FullEntryReader,
        notary: Notary,
        bundles: BundleExport,
        tiles: TileExport,
    ) -> None:
        self._sequencer = sequencer
        self._admission = admission
        self._reader = reader
        self._notary = notary
        self._bundles = bundles
        self._tiles = tiles

    async def Append(self, request: pb.AppendRequest, context: Context) -> pb.AppendResponse:
        """Appends statements; every receipt leads to the one checkpoint of the answer."""
        size = (await self._sequencer.open()).head.size
        if request.last_size > size:
            raise SizeBeyondLog(f"the caller knows a tree of {request.last_size} entries, the log has {size}")
        appended = await self._sequencer.append(await self._admission.admit(request.envelopes))
        return pb.AppendResponse(
            results=[_result(answer) for answer in appended.answers],
            checkpoint=appended.head.note,
            consistency=await self._consistency(request.last_size, appended.head.size),
        )

    async def GetCheckpoint(
        self, request: pb.GetCheckpointRequest, context: Context
    ) -> pb.GetCheckpointResponse:
        """Returns the newest head and the log's verifier key."""
        head = self._sequencer.log.head
        return pb.GetCheckpointResponse(checkpoint=head.note, vkey=str(self._notary.vkey))

    async def GetEntry(self, request: pb.GetEntryRequest, context: Context) -> pb.GetEntryResponse:
        """Returns one entry with its way to the newest head."""
        opened = self._sequencer.log
        head = opened.head
        stored = await self._reader.entry(request.index) if request.index < head.size else None
        if stored is None:
            raise EntryNotFound(f"the log has no entry {request.index}")
        path = await opened.proofs.inclusion(stored.index, head.size)
        receipt = log_pb2.Receipt(index=stored.index, leaf_hash=stored.leaf, path=path)
        return pb.GetEntryResponse(entry=_entry(stored), receipt=receipt, checkpoint=head.note)

    async def GetConsistency(
        self, request: pb.GetConsistencyRequest, context: Context
    ) -> pb.GetConsistencyResponse:
        """Proves a smaller tree a prefix of a larger one."""
        opened = self._sequencer.log
        to_size = request.to_size or opened.head.size
        if not request.from_size <= to_size <= opened.head.size:
            raise SizeBeyondLog(f"sizes must rise, up to the {opened.head.size} entries of the log")
        return pb.GetConsistencyResponse(
            path=await opened.proofs.consistency(request.from_size, to_size),
            from_root=await opened.proofs.root(request.from_size),
            to_root=await opened.proofs.root(to_size),
            to_size=to_size,
        )

    async def SearchEntries(
        self, request: pb.SearchEntriesRequest, context: Context
    ) -> pb.SearchEntriesResponse:
        """Finds the entries of a job, in order."""
        limit = request.page_size or _DEFAULT_PAGE
        below = self._sequencer.log.head.size
        found = await self._reader.of_job(
            request.job_id, after=request.after_index, below=below, limit=limit + 1
        )
        return pb.SearchEntriesResponse(entries=map(_entry, found[:limit]), more=len(found) > limit)

    async def ExportBundle(
        self, request: pb.ExportBundleRequest, context: Context
    ) -> AsyncIterator[pb.ExportBundleResponse]:
        """Streams the zip that proves what the log holds about a job."""
        async for piece in self._bundles.export(request.job_id, self._sequencer.log):
            yield pb.ExportBundleResponse(chunk=piece)

    async def ExportTiles(
        self, request: pb.ExportTilesRequest, context: Context
    ) -> AsyncIterator[pb.ExportTilesResponse]:
        """Streams the log as files; a file above 1 MiB comes in pieces under the same path."""
        async for piece in self._tiles.export(self._sequencer.log):
            yield pb.ExportTilesResponse(path=piece.path, content=piece.content)

    async def CheckLog(
        self, request: pb.CheckLogRequest, context: Context
    ) -> AsyncIterator[pb.CheckLogResponse]:
        """Streams the progress and the findings of a full check."""
        async for progress in check_log(self._reader, self._notary):
            yield pb.CheckLogResponse(
                checked_count=progress.checked, findings=progress.findings, done=progress.done
            )

    async def _consistency(self, from_size: int, to_size: int) -> list[bytes]:
        if from_size in (0, to_size):
            return []
        return await self._sequencer.log.proofs.consistency(from_size, to_size)


def _result(answer: log.Answer) -> pb.AppendResult:
    if isinstance(answer, log.Receipt):
        receipt = log_pb2.Receipt(index=answer.index, leaf_hash=answer.leaf_hash, path=answer.path)
        return pb.AppendResult(receipt=receipt)
    return pb.AppendResult(refusal=log_pb2.Refusal(reason=_REASONS[answer.reason], message=answer.message))


def _entry(stored: StoredEntry) -> log_pb2.Entry:
    return log_pb2.Entry(
        index=stored.index,
        envelope=stored.envelope,
        entry_id=stored.id,
        kind=stored.kind,
        job_id=stored.job,
        attempt_id=stored.attempt,
    )
