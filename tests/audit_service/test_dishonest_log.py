"""A log that took what it should not have: invalid to the verifier, with the entry named."""

import base64
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from audit_service import verify
from audit_service.log.tree import Tree
from mesh.evidence.canonical import encode
from mesh.evidence.checkpoint import Checkpoint, Vkey, sign_checkpoint
from mesh.evidence.dsse import BUNDLE_TYPE, seal
from mesh.evidence.keys import SigningKey
from mesh.evidence.merkle import leaf_hash
from mesh.evidence.receipt import TlogProof, write_proof
from mesh.evidence.statement import (
    Evidence,
    Intent,
    IntentRef,
    KeyAdd,
    Maker,
    Operation,
    Result,
    Statement,
)
from tests.audit_service import rig
from tests.audit_service.test_bundle import verdict, zipped

AUDIT = "spiffe://integration.local/audit/audit"
EVIL = "spiffe://integration.local/audit/evil"
FOREIGN = "of another trust domain than the log"
SMTP = "spiffe://integration.local/spoke/smtp"
JOB = "0198f6e0-0000-7000-8000-000000000001"
LOG, SIGNING, HUB, SPOKE, STRANGER, OTHER = (
    SigningKey.from_seed(bytes([number]) * 32) for number in range(1, 7)
)

Signed = tuple[Statement, SigningKey]


def _key(holder: str, key: SigningKey, voucher: SigningKey | None = None, by: str = AUDIT) -> Signed:
    maker = Maker(by, "ab", 1)
    return KeyAdd(rig.T, maker, key.keyid, holder, key.public.to_base64()), voucher or SIGNING


KEYS = [_key(AUDIT, SIGNING), _key(rig.HUB, HUB), _key(rig.SPOKE, SPOKE)]
INTENT = replace(rig.intent(JOB), id="00000000-0000-4000-8000-000000000001")


def _answer(of: Intent, index: int = 3, **changes: object) -> Evidence:
    whole = Evidence(
        t=rig.T,
        maker=Maker(rig.SPOKE, "cd", 1),
        job=of.job,
        attempt=of.attempt,
        purpose=of.purpose,
        op=of.op,
        intent=IntentRef(index, leaf_hash(seal(of.payload(), HUB)).hex()),
        res=Result("succeeded", rig.T, commit="ef" * 32),
        tenant=of.tenant,
    )
    return replace(whole, **changes)  # type: ignore[arg-type]


def _bundle(
    log: Sequence[Signed], *, note_key: SigningKey = LOG, posing: str = "", **manifest: str
) -> dict[str, bytes]:
    """The bundle of everything in a log, whatever stands in it; a stranger's key can pose as another."""
    envelopes = [seal(statement.payload(), key) for statement, key in log]
    envelopes = [
        data.replace(STRANGER.keyid.encode(), (posing or STRANGER.keyid).encode()) for data in envelopes
    ]
    tree = Tree(0, [])
    tree.accept(tree.grow([leaf_hash(envelope) for envelope in envelopes]))
    note = sign_checkpoint(Checkpoint(rig.ORIGIN, tree.size, tree.root), note_key)
    files = {
        "README.txt": b"",
        "checkpoint": note,
        "keys/vkey": str(Vkey(rig.ORIGIN, LOG.public)).encode(),
    }
    for index, path in enumerate(tree.inclusion_paths(range(tree.size))):
        of_key = isinstance(log[index][0], KeyAdd)
        files[f"{'keys' if of_key else 'entries'}/{index}.json"] = envelopes[index]
        proof = write_proof(TlogProof(index, path, note))
        files[f"{'keys' if of_key else 'proofs'}/{index}.tlog-proof"] = proof
    listed = [
        {"path": name, "sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
        for name, content in files.items()
    ]
    members = {"v": 1, "job": JOB, "origin": rig.ORIGIN, "size": str(tree.size), **manifest, "files": listed}
    sealed = encode(members, max_bytes=1 << 20)  # type: ignore[arg-type]
    return {**files, "manifest.json": sealed, "manifest.dsse.json": seal(sealed, SIGNING, BUNDLE_TYPE)}


@pytest.fixture(autouse=True)
def pinned(tmp_path: Path) -> None:
    """The log's key, as the auditor has it from elsewhere."""
    (tmp_path / "log.vkey").write_text(str(Vkey(rig.ORIGIN, LOG.public)))


def test_a_bundle_without_any_statement_proves_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    line = "INVALID: manifest.json: no statement about the job"
    assert verdict(zipped(tmp_path / "b.zip", _bundle(KEYS)), capsys) == (1, line)


def _op(**changes: str) -> Operation:
    return replace(rig.OP, **changes)


def test_an_honest_log_is_valid(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bundle = _bundle([*KEYS, (INTENT, HUB), (_answer(INTENT), SPOKE)])
    assert verdict(zipped(tmp_path / "b.zip", bundle), capsys) == (0, "VALID")


def test_a_later_audit_key_that_an_earlier_one_vouches_for_is_believed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = [KEYS[0], _key(EVIL, OTHER), _key(rig.HUB, HUB, OTHER, EVIL), (INTENT, HUB)]
    code, line = verdict(zipped(tmp_path / "b.zip", _bundle(log)), capsys)
    assert (code, line) == (4, "VALID WITH GAPS (attempt 1: no evidence yet)")


CASES: list[tuple[list[Signed], str]] = [
    ([*KEYS, (INTENT, SPOKE)], "entries/3.json: not for this producer to say"),
    (
        [*KEYS, (replace(INTENT, maker=Maker(rig.SPOKE, "ab", 1)), SPOKE)],
        "entries/3.json: not for this producer",
    ),
    (
        [*KEYS, (replace(INTENT, maker=Maker(rig.SPOKE, "ab", 1)), HUB)],
        "entries/3.json: not for this producer",
    ),
    ([*KEYS, (INTENT, STRANGER)], "entries/3.json: signed with a key"),
    (
        [KEYS[0], (INTENT, HUB), *KEYS[1:]],
        "entries/1.json: signed with a key that was not in the log by then",
    ),
    ([*KEYS, (rig.intent(rig.new_job()), HUB)], "entries/3.json: not a statement about the job"),
    (
        [*KEYS, (INTENT, HUB), (replace(INTENT, t=rig.T.replace("2026", "2027")), HUB)],
        "entries/4.json: a second intent",
    ),
    ([*KEYS, (_answer(INTENT, 4), SPOKE), (INTENT, HUB)], "entries/3.json: does not answer the intent"),
    ([*KEYS, (INTENT, HUB), (_answer(INTENT, 2), SPOKE)], "entries/4.json: does not answer the intent"),
    (
        [*KEYS, (INTENT, HUB), (_answer(INTENT, intent=IntentRef(3, "00" * 32)), SPOKE)],
        "entries/4.json: does not answer the intent",
    ),
    (
        [
            *KEYS,
            (INTENT, HUB),
            (_answer(INTENT), SPOKE),
            (_answer(INTENT, t=rig.T.replace("2026", "2027")), SPOKE),
        ],
        "entries/5.json: a second evidence",
    ),
    (
        [*KEYS, (INTENT, HUB), (_answer(INTENT, purpose="look_up"), SPOKE)],
        "entries/4.json: purpose is not that",
    ),
    ([*KEYS, (INTENT, HUB), (_answer(INTENT, op=_op(account="b")), SPOKE)], "entries/4.json: op is not that"),
    ([*KEYS, (INTENT, HUB), (_answer(INTENT, tenant="b"), SPOKE)], "entries/4.json: tenant is not that"),
    (
        [*KEYS, (INTENT, HUB), (_answer(INTENT, op=_op(provider="smtp")), SPOKE)],
        "entries/4.json: a spoke speaks of its own provider only",
    ),
    (
        [*KEYS, (INTENT, HUB), (_answer(INTENT, maker=Maker(rig.HUB, "ab", 1)), HUB)],
        "entries/4.json: not for this producer to say",
    ),
    ([*KEYS, (replace(INTENT, req=replace(INTENT.req, commit="00")), HUB)], "entries/3.json: req.commit"),
    ([*KEYS, (replace(INTENT, purpose="steal"), HUB)], "entries/3.json: purpose is missing"),  # type: ignore[arg-type]
    (
        [*KEYS, (INTENT, HUB), (_answer(INTENT, res=Result("sort_of", rig.T, commit="ef" * 32)), SPOKE)],  # type: ignore[arg-type]
        "entries/4.json: res.outcome is missing",
    ),
    ([KEYS[1], *KEYS[1:]], "keys/0.json: signed with a key that was not in the log by then"),
    ([*KEYS, KEYS[1]], "keys/3.json: does not add a new key"),
    ([*KEYS, (_key(SMTP, LOG)[0], HUB)], "keys/3.json: not for this producer to say"),
    ([*KEYS, _key(EVIL, OTHER, OTHER, EVIL)], "keys/3.json: signed with a key that was not in the log"),
    ([*KEYS, _key(AUDIT, OTHER, OTHER)], "keys/3.json: signed with a key that was not in the log by then"),
    (
        [*KEYS, _key(EVIL, OTHER, OTHER, EVIL), _key(rig.HUB, STRANGER, OTHER, EVIL), (INTENT, STRANGER)],
        "keys/3.json: signed with a key that was not in the log by then",
    ),
    ([*KEYS, _key("spiffe://evil.example/spoke/stripe", OTHER)], f"keys/3.json: {FOREIGN}"),
    ([*KEYS, _key("spiffe://evil.example/audit/evil", OTHER)], f"keys/3.json: {FOREIGN}"),
    ([*KEYS, _key("https://integration.local/audit/evil", OTHER)], f"keys/3.json: {FOREIGN}"),
    ([*KEYS, _key("spiffe://integration.local/spoke/a/stripe", OTHER)], f"keys/3.json: {FOREIGN}"),
    ([*KEYS, (replace(_key(SMTP, LOG)[0], keyid=HUB.keyid), SIGNING)], "keys/3.json: does not add a new key"),  # type: ignore[type-var]
]


@pytest.mark.parametrize(("log", "expected"), CASES, ids=[what for _, what in CASES])
def test_a_log_that_broke_its_rules_is_invalid(
    log: list[Signed], expected: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, line = verdict(zipped(tmp_path / "b.zip", _bundle(log)), capsys)
    assert (code, line[: len(f"INVALID: {expected}")]) == (1, f"INVALID: {expected}")


def test_a_stranger_cannot_pose_as_a_producer(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bundle = _bundle([*KEYS, (INTENT, STRANGER)], posing=HUB.keyid)
    assert verdict(zipped(tmp_path / "b.zip", bundle), capsys) == (
        1,
        "INVALID: entries/3.json: signature does not verify",
    )


def test_a_checkpoint_needs_the_logs_own_signature(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    foreign = _bundle([*KEYS, (INTENT, HUB)], note_key=STRANGER)
    unsigned = (1, "INVALID: checkpoint: not signed by the log's key")
    assert verdict(zipped(tmp_path / "b.zip", foreign), capsys) == unsigned
    stranger, own = Vkey(rig.ORIGIN, STRANGER.public), Vkey(rig.ORIGIN, LOG.public)
    name, hint, blob = foreign["checkpoint"].rsplit(b"\n\n", 1)[1].split(b" ")
    assert base64.b64decode(blob)[:4] == stranger.key_id
    posing = base64.b64encode(own.key_id + base64.b64decode(blob)[4:])
    for note in (
        foreign["checkpoint"].replace(blob.strip(), posing),
        _bundle([*KEYS, (INTENT, HUB)])["checkpoint"] + b" ".join([name, hint, posing]) + b"\n",
    ):
        mangled = _resealed({**foreign, "checkpoint": note})
        assert verdict(zipped(tmp_path / "b.zip", mangled), capsys) == unsigned


def _mangle(file: str, change: Callable[[bytes], bytes]) -> dict[str, bytes]:
    """A bundle whose manifest vouches for a file that was changed."""
    original = _bundle([*KEYS, (INTENT, HUB)])
    return _resealed({**original, file: change(original[file])})


def _resealed(changed: dict[str, bytes]) -> dict[str, bytes]:
    members = verify.read_json("manifest.json", changed["manifest.json"])
    for row in members["files"]:
        row["sha256"] = hashlib.sha256(changed[row["path"]]).hexdigest()
        row["bytes"] = len(changed[row["path"]])
    sealed = encode(members, max_bytes=1 << 20)
    return {**changed, "manifest.json": sealed, "manifest.dsse.json": seal(sealed, SIGNING, BUNDLE_TYPE)}


def _flip(place: int) -> Callable[[bytes], bytes]:
    return lambda data: data[:place] + bytes([data[place] ^ 1]) + data[place:][1:]


@pytest.mark.parametrize(
    ("file", "change"),
    [
        ("checkpoint", _flip(-5)),
        ("checkpoint", _flip(30)),
        ("checkpoint", lambda note: note + note.split(b"\n\n")[1][:-9] + b"AAAAAAA=\n"),
        ("checkpoint", lambda note: note.split(b"\n\n")[0] + b"\n\n"),
        ("keys/vkey", _flip(-9)),
        ("keys/0.json", _flip(-20)),
        ("keys/0.tlog-proof", lambda text: text.replace(b"index 0", b"index 1")),
        ("entries/3.json", _flip(-20)),
        ("entries/3.json", lambda data: data.replace(b'"payload"', b' "payload"')),
        ("entries/3.json", lambda data: data.replace(b'{"payload"', b'{"payload":"","payload"')),
    ],
)
def test_a_manifest_cannot_vouch_for_what_does_not_prove_itself(
    file: str, change: Callable[[bytes], bytes], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, line = verdict(zipped(tmp_path / "b.zip", _mangle(file, change)), capsys)
    assert code == 1
    # A changed entry still has its form; then it is the proof that does not fit.
    named = {file, file.replace(".json", ".tlog-proof").replace("entries/", "proofs/")}
    assert any(line.startswith(f"INVALID: {name}: ") for name in named), line


@pytest.mark.parametrize("manifest", [{"size": "9"}, {"origin": "elsewhere"}])
def test_a_manifest_of_another_checkpoint_is_invalid(
    manifest: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle = _bundle([*KEYS, (INTENT, HUB)], **manifest)
    assert verdict(zipped(tmp_path / "b.zip", bundle), capsys) == (
        1,
        "INVALID: manifest.json: speaks of another checkpoint",
    )
