"""Who vouches for a key: only the log's first vouches for itself, all others stand on one before them."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from audit_service.app import Audit
from audit_service.errors import LogInconsistent, LogUnavailable
from audit_service.log.entry import Entry, Reason, Refusal
from audit_service.log.keyring import KeyRing
from audit_service.log.rules import Place, decide_all
from audit_service.log.tree import Tree
from audit_service.store.index import index_row
from mesh.evidence.dsse import seal
from mesh.evidence.keys import SigningKey
from mesh.evidence.merkle import leaf_hash
from mesh.evidence.statement import KeyAdd, Maker, Statement
from tests.audit_service import rig as rigs
from tests.audit_service.rig import Rig, intent, new_job, write_key
from tests.audit_service.test_bundle import verdict
from tests.audit_service.test_fsck import _fsck

AUDIT = f"spiffe://{rigs.DOMAIN}/audit/audit"
EVIL = f"spiffe://{rigs.DOMAIN}/audit/evil"
FOREIGN = "spiffe://evil.example/spoke/stripe"
SIGNING, NEXT, HUB = (SigningKey.from_seed(bytes([number]) * 32) for number in range(1, 4))
UNVOUCHED = "signature: by a key that was not in the log by then"


def _key(holder: str, key: SigningKey, voucher: SigningKey, by: str = AUDIT) -> Entry:
    statement = KeyAdd(rigs.T, Maker(by, "ab", 1), key.keyid, holder, key.public.to_base64())
    return _entry(statement, voucher)


def _entry(statement: Statement, key: SigningKey) -> Entry:
    envelope = seal(statement.payload(), key)
    return Entry(envelope, leaf_hash(envelope), statement)


FIRST = _key(AUDIT, SIGNING, SIGNING)


@pytest.mark.parametrize(
    ("entries", "complaint"),
    [
        ([_key(rigs.HUB, HUB, HUB, rigs.HUB)], "kind: only for the role audit"),
        ([_key(rigs.HUB, HUB, SIGNING)], UNVOUCHED),
        ([FIRST, _key(EVIL, NEXT, NEXT, EVIL)], UNVOUCHED),
        ([FIRST, _key(AUDIT, NEXT, NEXT)], UNVOUCHED),
        ([FIRST, _key(FOREIGN, NEXT, SIGNING)], "key.holder: of another trust domain than the log"),
        (
            [FIRST, _key("spiffe://evil.example/audit/audit", NEXT, SIGNING)],
            "key.holder: of another trust domain than the log",
        ),
        ([FIRST, _key(EVIL, NEXT, SIGNING, EVIL)], "producer.id: not the holder of the key"),
        (
            [FIRST, _key(rigs.HUB, HUB, SIGNING), _key(rigs.SPOKE, NEXT, HUB, rigs.HUB)],
            "kind: only for the role audit",
        ),
    ],
)
def test_a_key_that_no_audit_key_before_it_vouches_for_is_refused(
    entries: Sequence[Entry], complaint: str
) -> None:
    decisions, keys = decide_all(entries, [], 0, KeyRing())
    assert decisions[-1] == Refusal(Reason.NOT_ENTITLED, complaint)
    assert set(keys.keys) == {e.statement.keyid for e in entries[:-1] if isinstance(e.statement, KeyAdd)}


def test_an_audit_key_that_stands_in_the_log_vouches_for_the_next() -> None:
    entries = [FIRST, _key(AUDIT, NEXT, SIGNING), _key(rigs.HUB, HUB, NEXT)]
    decisions, _ = decide_all(entries, [], 0, KeyRing())
    assert [isinstance(decision, Place) for decision in decisions] == [True] * 3


async def test_a_service_with_a_key_that_nobody_vouched_for_does_not_start(rig: Rig) -> None:
    async with rig.running():
        pass
    write_key(rig.directory / "signing.pem")
    await _refuses(rig, f"the log refuses a key: {UNVOUCHED}")


async def test_a_producer_of_another_trust_domain_is_not_taken_into_the_log(rig: Rig) -> None:
    rig.write_producers({rigs.HUB: rig.hub, FOREIGN: rig.spoke})
    await _refuses(rig, "the log refuses a key: key.holder: of another trust domain than the log")


async def _refuses(rig: Rig, reason: str) -> None:
    audit: Audit = rig.audit()
    try:
        with pytest.raises(LogInconsistent) as caught:
            await audit.start()
    finally:
        await audit.drain()
    assert str(caught.value) == reason


async def test_the_services_next_key_is_vouched_for_by_its_last_and_old_jobs_stay_valid(
    rig: Rig, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old, new = new_job(), new_job()
    async with rig.running() as callers:
        await callers.attempt(old)
    coming = write_key(rig.directory / "next.pem")
    rig.write_producers({rigs.HUB: rig.hub, rigs.SPOKE: rig.spoke, AUDIT: coming})
    async with rig.running():
        pass
    (rig.directory / "next.pem").rename(rig.directory / "signing.pem")
    pinned = tmp_path / "vkey"
    pinned.write_text(str(rig.vkey))
    async with rig.running() as callers:
        await callers.attempt(new)
        assert await callers.findings() == []
        for job in (old, new):
            path = tmp_path / "bundle.zip"
            path.write_bytes(await callers.bundle(job))
            assert verdict(path, capsys, "--vkey", str(pinned)) == (0, "VALID")


async def test_rows_that_somebody_inserted_with_a_key_of_his_own_are_never_signed(rig: Rig) -> None:
    """The tree fits, and so do head and index: only the missing voucher tells."""
    async with rig.running() as callers:
        await callers.attempt(new_job())
    stranger = SigningKey.generate()
    _insert(
        rig,
        _key(EVIL, NEXT, NEXT, EVIL),
        _key(rigs.HUB, stranger, NEXT, EVIL),
        _entry(intent(new_job()), stranger),
    )
    await _refuses(rig, f"entry 5: {UNVOUCHED}")
    checked = _fsck(rig)
    assert checked.returncode == 1
    # What a key says that nobody vouched for is not believed either.
    assert checked.stdout.splitlines()[:3] == [f"entry {index}: {UNVOUCHED}" for index in (5, 6, 7)]


def _insert(rig: Rig, *entries: Entry) -> None:
    stored = rig.as_superuser("SELECT encode(leaf_hash, 'hex') FROM log_entry ORDER BY idx").split()
    tree = Tree(0, [])
    tree.accept(tree.grow([bytes.fromhex(leaf) for leaf in stored] + [entry.leaf for entry in entries]))
    script = ""
    for index, entry in enumerate(entries, len(stored)):
        values = [None if value is None else str(value) for value in index_row(entry.statement)]
        quoted = ", ".join("NULL" if value is None else f"'{value}'" for value in values)
        names = ", ".join(index_row(entry.statement)._fields)
        script += (
            f"INSERT INTO log_entry VALUES ({index}, '{entry.statement.id}',"
            f" decode('{entry.leaf.hex()}', 'hex'), decode('{entry.envelope.hex()}', 'hex'), now());"
            f"INSERT INTO entry_ix (idx, {names}) VALUES ({index}, {quoted});"
        )
    root = f"decode('{tree.root.hex()}', 'hex')"
    rig.as_superuser(script + f"UPDATE log_state SET size = {tree.size}, root = {root};")


async def test_nothing_is_taken_before_the_logs_own_first_key(rig: Rig) -> None:
    audit: Audit = rig.audit()
    try:
        with pytest.raises(LogUnavailable, match="does not hold its own first key yet"):
            await audit._sequencer.append([_entry(intent(new_job()), rig.hub)])
        await asyncio.wait_for(audit.start(), 20)
        assert rig.as_superuser("SELECT kind FROM entry_ix ORDER BY idx").split() == ["key.add"] * 3
    finally:
        await audit.drain()
