"""Reading: entries, proofs, search and the log as files."""

import grpc
import pytest

from audit_service.log.tiles import WIDTH, bundle_path, hashes_of, perfect_root
from integration.audit.v1 import audit_service_pb2 as pb
from mesh.errors import reason_of
from mesh.evidence import merkle
from mesh.evidence.checkpoint import Vkey, open_checkpoint
from mesh.evidence.receipt import verify_receipt
from tests.audit_service.rig import Callers, confirmation, evidence, intent, new_job


async def test_an_entry_comes_with_its_proof(callers: Callers) -> None:
    job = new_job()
    envelope = callers.sealed(intent(job))
    index = (await callers.append(envelope)).results[0].receipt.index
    await callers.receipts(*[intent(new_job()) for _ in range(256)])
    reply = await callers.stub("operator").GetEntry(pb.GetEntryRequest(index=index))
    assert (reply.entry.envelope, reply.entry.index) == (envelope, index)
    assert (reply.entry.kind, reply.entry.job_id, reply.entry.attempt_id) == ("intent", job, f"{job}.1")
    checkpoint = open_checkpoint(reply.checkpoint, callers.rig.vkey)
    verify_receipt(reply.receipt, envelope=envelope, checkpoint=checkpoint)


async def test_an_absent_entry_is_not_found(callers: Callers) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await callers.stub("operator").GetEntry(pb.GetEntryRequest(index=3))
    assert caught.value.code() is grpc.StatusCode.NOT_FOUND
    assert reason_of(caught.value) == "ENTRY_NOT_FOUND"


async def test_the_checkpoint_comes_with_the_key_that_signed_it(callers: Callers) -> None:
    reply = await callers.stub("core").GetCheckpoint(pb.GetCheckpointRequest())
    assert Vkey.parse(reply.vkey) == callers.rig.vkey
    assert open_checkpoint(reply.checkpoint, Vkey.parse(reply.vkey)).size == 3


async def test_any_smaller_tree_is_proven_a_prefix_of_any_larger(callers: Callers) -> None:
    await callers.receipts(*[intent(new_job()) for _ in range(256)])
    await callers.receipts(*[intent(new_job()) for _ in range(50)])
    for smaller, larger in [(1, 0), (3, 4), (255, 256), (256, 257), (256, 309), (300, 309), (309, 309)]:
        reply = await callers.stub("operator").GetConsistency(
            pb.GetConsistencyRequest(from_size=smaller, to_size=larger)
        )
        merkle.verify_consistency(
            from_size=smaller,
            to_size=larger or 309,
            path=reply.path,
            from_root=reply.from_root,
            to_root=reply.to_root,
        )
        assert reply.to_size == (larger or 309)
    for smaller, larger in [(5, 4), (1, 310)]:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await callers.stub("operator").GetConsistency(
                pb.GetConsistencyRequest(from_size=smaller, to_size=larger)
            )
        assert reason_of(caught.value) == "SIZE_BEYOND_LOG"


async def test_search_finds_a_jobs_entries_in_order_and_page_by_page(callers: Callers) -> None:
    job = new_job()
    (receipt,) = await callers.receipts(intent(job))
    await callers.receipts(intent(new_job()), evidence(job, receipt), confirmation(job))
    await callers.attempt(job, 2)
    stub = callers.stub("operator")
    whole = await stub.SearchEntries(pb.SearchEntriesRequest(job_id=job, after_index=-1))
    assert [entry.kind for entry in whole.entries] == [
        "intent",
        "evidence",
        "confirmation",
        "intent",
        "evidence",
    ]
    assert not whole.more
    page = await stub.SearchEntries(pb.SearchEntriesRequest(job_id=job, after_index=-1, page_size=2))
    rest = await stub.SearchEntries(
        pb.SearchEntriesRequest(job_id=job, after_index=page.entries[-1].index, page_size=3)
    )
    assert (page.more, rest.more) == (True, False)
    assert [*page.entries, *rest.entries] == list(whole.entries)


async def test_the_log_as_files_gives_the_checkpoints_root_again(callers: Callers) -> None:
    envelopes = [callers.sealed(intent(new_job())) for _ in range(600)]
    for first in range(0, 600, 200):
        await callers.append(*envelopes[first : first + 200])
    files: dict[str, bytes] = {}
    async for piece in callers.stub("operator").ExportTiles(pb.ExportTilesRequest()):
        files[piece.path] = files.get(piece.path, b"") + piece.content
    checkpoint = open_checkpoint(files["checkpoint"], Vkey.parse(files["vkey"].decode()))
    assert checkpoint.size == 603
    assert set(files) == {
        *("checkpoint", "vkey", "tile/0/000", "tile/0/001", "tile/0/002.p/91", "tile/1/000.p/2"),
        *("tile/entries/000", "tile/entries/001", "tile/entries/002.p/91"),
    }
    entries = [e for n, width in ((0, 256), (1, 256), (2, 91)) for e in _split(files[bundle_path(n, width)])]
    assert entries[3:] == envelopes
    names = ("tile/0/000", "tile/0/001", "tile/0/002.p/91")
    hashes = [item for name in names for item in hashes_of(files[name])]
    assert hashes == [merkle.leaf_hash(entry) for entry in entries]
    above = [perfect_root(hashes[start : start + WIDTH]) for start in (0, WIDTH)]
    assert hashes_of(files["tile/1/000.p/2"]) == above
    assert merkle.root_hash(603, lambda node: _node(hashes, node)) == checkpoint.root


def _node(leaves: list[bytes], node: merkle.Node) -> bytes:
    return perfect_root(leaves[node.offset << node.level : (node.offset + 1) << node.level])


def _split(bundle: bytes) -> list[bytes]:
    entries = []
    while bundle:
        size = int.from_bytes(bundle[:2], "big")
        entries.append(bundle[2 : 2 + size])
        bundle = bundle[2 + size :]
    return entries


async def test_reading_is_for_operators_and_auditors(callers: Callers) -> None:
    requests = {
        "GetEntry": pb.GetEntryRequest(),
        "GetConsistency": pb.GetConsistencyRequest(from_size=1),
        "SearchEntries": pb.SearchEntriesRequest(job_id=new_job()),
    }
    for role in ("hub", "core"):
        for method, request in requests.items():
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await getattr(callers.stub(role), method)(request)
            assert caught.value.code() is grpc.StatusCode.PERMISSION_DENIED
