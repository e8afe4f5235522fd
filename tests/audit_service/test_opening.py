"""Start-up: the log goes on where it was, and refuses to where the database is not to be believed."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from audit_service.errors import LogInconsistent, LogRolledBack, MarkMissing
from audit_service.log.ports import Mark
from audit_service.store.mark_file import SLOT, HighWaterFile
from integration.audit.v1 import audit_service_pb2 as pb
from mesh.evidence.checkpoint import Checkpoint, open_checkpoint, sign_checkpoint
from mesh.evidence.keys import SigningKey
from tests.audit_service.rig import HUB, SPOKE, Callers, Rig, intent, new_job

REWRITE = "ALTER TABLE {table} DISABLE TRIGGER ALL; {statement}; ALTER TABLE {table} ENABLE TRIGGER ALL;"


async def _head(callers: Callers) -> Checkpoint:
    reply = await callers.stub("hub").GetCheckpoint(pb.GetCheckpointRequest())
    return open_checkpoint(reply.checkpoint, callers.rig.vkey)


async def _fill(rig: Rig, *sizes: int) -> Checkpoint:
    """Runs the service once, appends in batches, and returns the last head."""
    async with rig.running() as callers:
        for size in sizes:
            await callers.receipts(*[intent(new_job()) for _ in range(size)])
        return await _head(callers)


def _rewrite(rig: Rig, table: str, statement: str) -> None:
    rig.as_superuser(REWRITE.format(table=table, statement=statement))


@asynccontextmanager
async def _refused(rig: Rig, error: type[Exception], match: str) -> AsyncIterator[None]:
    with pytest.raises(error, match=match):
        async with rig.running():
            pass
    yield


async def test_a_restart_goes_on_with_the_same_head_and_adds_no_key_twice(rig: Rig) -> None:
    before = await _fill(rig, 256, 256, 100)
    async with rig.running() as callers:
        assert await _head(callers) == before
        (receipt,) = await callers.receipts(intent(new_job()))
        assert receipt.index == before.size
        assert await callers.findings() == []


@pytest.mark.parametrize("size", [252, 253, 254])
async def test_a_restart_at_the_edge_of_a_tile_goes_on(rig: Rig, size: int) -> None:
    before = await _fill(rig, size)
    async with rig.running() as callers:
        assert await _head(callers) == before
        await callers.receipts(*[intent(new_job()) for _ in range(4)])
        assert await callers.findings() == []


async def test_a_new_producers_key_is_added_at_the_next_start(rig: Rig) -> None:
    before = await _fill(rig)
    smtp = f"{SPOKE.rpartition('/')[0]}/smtp"
    rig.write_producers({HUB: rig.hub, SPOKE: rig.spoke, smtp: SigningKey.generate()})
    after = await _fill(rig)
    assert (before.size, after.size) == (3, 4)


async def test_a_restored_old_database_is_refused(rig: Rig) -> None:
    await _fill(rig, 5)
    rig.as_superuser("CREATE TABLE old AS SELECT * FROM log_entry; CREATE TABLE old_state AS TABLE log_state")
    await _fill(rig, 5)
    _rewrite(rig, "log_entry", "DELETE FROM log_entry WHERE idx >= 8")
    _rewrite(rig, "log_state", "UPDATE log_state SET size = o.size, root = o.root FROM old_state o")
    _rewrite(rig, "log_checkpoint", "DELETE FROM log_checkpoint")
    async with _refused(rig, LogRolledBack, "rolled back: the high-water mark knows 13 .* the database 8"):
        pass


async def test_a_kept_checkpoint_beyond_the_database_is_refused_even_without_a_mark(rig: Rig) -> None:
    head = await _fill(rig, 5)
    rig.mark.unlink()
    note = f"decode('{_note(rig, head.size + 7).hex()}', 'hex')"
    rig.as_superuser(f"INSERT INTO log_checkpoint VALUES ({head.size + 7}, {note})")
    with pytest.raises(LogRolledBack, match="the last checkpoint knows 15"):
        async with rig.running(accept_missing_mark=True):
            pass


def _note(rig: Rig, size: int) -> bytes:
    return sign_checkpoint(Checkpoint(rig.vkey.name, size, bytes(32)), rig.log_key)


async def test_a_lost_mark_is_refused_unless_a_person_vouches(rig: Rig) -> None:
    before = await _fill(rig, 5)
    rig.mark.unlink()
    async with _refused(rig, MarkMissing, "--accept-missing-mark"):
        assert not rig.mark.exists()
    async with rig.running(accept_missing_mark=True) as callers:
        assert await _head(callers) == before
    assert await _fill(rig, 1) != before


@pytest.mark.parametrize("content", ["", "{}", '{"size": 1}', '{"size": 1, "root": "zz"}'])
async def test_an_unreadable_mark_is_not_a_missing_one(rig: Rig, content: str) -> None:
    await _fill(rig)
    rig.mark.write_text(content)
    with pytest.raises(LogInconsistent, match="holds no mark"):
        async with rig.running(accept_missing_mark=True):
            pass


async def test_a_torn_record_leaves_the_mark_before_it_whole(tmp_path: Path) -> None:
    path = tmp_path / "mark"
    file = HighWaterFile(path)
    await file.write(Mark(7, b"a" * 32))
    await file.write(Mark(8, b"b" * 32))
    torn = bytearray(path.read_bytes())
    torn[SLOT + 100] ^= 1
    path.write_bytes(torn)
    restarted = HighWaterFile(path)
    assert await restarted.read() == Mark(7, b"a" * 32)
    await restarted.write(Mark(9, b"c" * 32))
    assert await HighWaterFile(path).read() == Mark(9, b"c" * 32)


async def test_a_mark_of_another_tree_is_refused(rig: Rig) -> None:
    head = await _fill(rig, 5)
    rig.mark.unlink()
    await HighWaterFile(rig.mark).write(Mark(head.size - 1, bytes(32)))
    async with _refused(rig, LogInconsistent, "forked"):
        pass


@pytest.mark.parametrize(
    ("table", "statement", "match"),
    [
        ("log_entry", "UPDATE log_entry SET leaf_hash = sha256('x') WHERE idx = 260", "another root"),
        ("log_entry", "DELETE FROM log_entry WHERE idx = 260", "lacks hashes"),
        ("log_tile", "DELETE FROM log_tile", "lacks hashes at tile level 1"),
        ("log_state", "UPDATE log_state SET root = sha256('x')", "another root"),
        ("log_checkpoint", "UPDATE log_checkpoint SET note = 'x'", "checkpoint of size"),
    ],
)
async def test_a_database_that_was_tampered_with_is_refused(
    rig: Rig, table: str, statement: str, match: str
) -> None:
    await _fill(rig, 256, 4)
    _rewrite(rig, table, statement)
    async with _refused(rig, LogInconsistent, match):
        pass


async def test_the_log_of_another_origin_is_refused(rig: Rig) -> None:
    await _fill(rig)
    with pytest.raises(LogInconsistent, match="holds the log"):
        async with rig.running(AUDIT_ORIGIN="audit.integration.local/other"):
            pass


async def test_a_second_writer_waits_until_the_first_has_gone(rig: Rig) -> None:
    second = rig.audit()
    async with rig.running() as callers:
        starting = asyncio.create_task(second.start())
        await asyncio.wait([starting], timeout=1)
        assert not starting.done()
        await callers.receipts(*[intent(new_job()) for _ in range(10)])
    port = await asyncio.wait_for(starting, 10)
    async with rig.callers(port) as callers:
        assert (await _head(callers)).size == 13
        await callers.receipts(intent(new_job()))
    await second.drain()
