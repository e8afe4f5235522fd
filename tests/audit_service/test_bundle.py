"""Bundles: valid with nothing but `cryptography`, and invalid however they are changed."""

import hashlib
import io
import json
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path

import grpc
import pytest

from audit_service import verify
from mesh.errors import reason_of
from mesh.evidence.canonical import encode
from mesh.evidence.checkpoint import Vkey, open_checkpoint
from mesh.evidence.dsse import BUNDLE_TYPE, seal
from mesh.evidence.keys import SigningKey
from tests.audit_service.rig import ORIGIN, Callers, Rig, T, confirmation, evidence, intent, new_job

ROOT = Path(__file__).parents[2]


def unzip(bundle: bytes) -> dict[str, bytes]:
    """The bundle's files."""
    with zipfile.ZipFile(io.BytesIO(bundle)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def zipped(path: Path, files: Mapping[str, bytes], *more: tuple[str, bytes]) -> Path:
    """Writes files as a bundle."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in [*files.items(), *more]:
            archive.writestr(zipfile.ZipInfo(name), content)
    return path


def verdict(path: Path, capsys: pytest.CaptureFixture[str], *options: str) -> tuple[int, str]:
    """The exit code and the last line, with the log's key given unless another is."""
    pin = [] if "--vkey" in options else ["--vkey", str(path.with_name("log.vkey"))]
    code = verify.main([str(path), *options, *pin])
    return code, capsys.readouterr().out.splitlines()[-1]


@pytest.fixture
async def bundle(callers: Callers) -> bytes:
    """Two attempts and a confirmation, among the entries of others."""
    job = new_job()
    await callers.receipts(*[intent(new_job()) for _ in range(5)])
    await callers.attempt(job)
    await callers.receipts(*[intent(new_job()) for _ in range(3)])
    await callers.attempt(job, 2)
    await callers.receipts(confirmation(job))
    return await callers.bundle(job)


async def test_a_bundle_is_valid_and_the_same_each_time(
    callers: Callers, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    job = new_job()
    await callers.attempt(job)
    bundle = await callers.bundle(job)
    assert bundle == await callers.bundle(job)
    path = tmp_path / "bundle.zip"
    path.write_bytes(bundle)
    assert verdict(path, capsys) == (0, "VALID")


async def test_without_a_key_to_compare_with_nothing_is_called_valid(
    bundle: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "bundle.zip"
    path.write_bytes(bundle)
    assert verify.main([str(path)]) == 3
    said = capsys.readouterr().out
    assert said.splitlines()[-1] == "CONSISTENT WITH ITSELF ONLY"
    assert "VALID" not in said
    assert verify.main([str(path), "--json"]) == 3
    told = json.loads(capsys.readouterr().out)
    assert (told["verdict"], told["anchored"]) == ("CONSISTENT WITH ITSELF ONLY", False)


async def test_the_verifier_says_what_it_verified(
    callers: Callers, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    job, path = new_job(), tmp_path / "bundle.zip"
    await callers.attempt(job)
    path.write_bytes(await callers.bundle(job))
    options = [str(path), "--vkey", str(tmp_path / "log.vkey"), "--job", job]
    assert verify.main(options) == 0
    checkpoint = open_checkpoint(unzip(path.read_bytes())["checkpoint"], callers.rig.vkey)
    assert capsys.readouterr().out.splitlines()[-7:] == [
        f"job: {job}",
        "tenant: acme",
        "provider: stripe",
        "operation: integration.payments.v1.PaymentsService/Charge",
        f"attempt 1 (execute): succeeded; intent at entry 3 of {T}, evidence at entry 4 of {T}",
        f"checkpoint: 5 entries of {ORIGIN}, root {checkpoint.root.hex()}",
        "VALID",
    ]
    assert verify.main([*options, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["verdict"], told["exit_code"], told["anchored"], told["job"]) == ("VALID", 0, True, job)
    assert told["checkpoint"] == {"origin": ORIGIN, "size": 5, "root": checkpoint.root.hex()}
    (attempt,) = told["attempts"]
    assert (attempt["outcome"], attempt["intent"]["index"], attempt["evidence"]["index"]) == (
        "succeeded",
        3,
        4,
    )


async def test_the_bundle_of_another_job_is_not_what_was_asked_for(
    callers: Callers, bundle: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, wanted = tmp_path / "bundle.zip", new_job()
    path.write_bytes(bundle)
    code, line = verdict(path, capsys, "--job", wanted)
    assert (code, line.startswith("INVALID: manifest.json: about the job ")) == (1, True)
    assert line.endswith(", not the one that was asked for")


async def test_a_zip_with_anything_beside_its_files_is_invalid(
    bundle: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, files = tmp_path / "b.zip", unzip(bundle)
    path.write_bytes(bundle)
    assert verdict(path, capsys) == (0, "VALID")
    expected = (1, "INVALID: b.zip: holds bytes that belong to none of its files")
    path.write_bytes(b"<html>anything</html>" + bundle)
    assert verdict(path, capsys) == expected
    hiding = zipfile.ZipInfo("README.txt")
    hiding.extra = b"\xfe\xca\x04\x00hide"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(hiding, files.pop("README.txt"))
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name), content)
    assert verdict(path, capsys) == expected


async def test_another_logs_key_does_not_do(
    bundle: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, pinned = tmp_path / "bundle.zip", tmp_path / "vkey"
    path.write_bytes(bundle)
    pinned.write_text(str(Vkey(ORIGIN, SigningKey.generate().public)))
    code, line = verdict(path, capsys, "--vkey", str(pinned))
    assert (code, line) == (1, "INVALID: keys/vkey: not the log's key that was given")


async def test_attempts_without_evidence_are_listed_as_gaps(
    callers: Callers, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    job = new_job()
    await callers.receipts(intent(job, 1), intent(job, 3))
    path = tmp_path / "bundle.zip"
    path.write_bytes(await callers.bundle(job))
    assert verdict(path, capsys) == (
        4,
        "VALID WITH GAPS (attempt 2: no statement; attempt 1: no evidence yet; attempt 3: no evidence yet)",
    )


async def test_a_job_that_the_log_does_not_know_is_not_found(callers: Callers) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await callers.bundle(new_job())
    assert caught.value.code() is grpc.StatusCode.NOT_FOUND
    assert reason_of(caught.value) == "JOB_NOT_IN_LOG"


async def test_a_long_job_makes_a_valid_bundle(
    callers: Callers, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    job = new_job()
    receipts = await callers.receipts(*[intent(job, number) for number in range(1, 251)])
    answers = [evidence(job, receipt, number) for number, receipt in enumerate(receipts, 1)]
    await callers.receipts(*answers)
    path = tmp_path / "bundle.zip"
    path.write_bytes(await callers.bundle(job))
    assert verdict(path, capsys) == (0, "VALID")


async def test_the_verifier_needs_only_cryptography_and_its_own_files(bundle: bytes, tmp_path: Path) -> None:
    path = tmp_path / "bundle.zip"
    path.write_bytes(bundle)
    own = tmp_path / "own" / "audit_service"
    own.mkdir(parents=True)
    for file in ("__init__.py", "verify.py"):
        shutil.copy(ROOT / "audit_service" / file, own)
    shutil.copytree(ROOT / "audit_service" / "offline", own / "offline")
    # -S -I: no site packages, no environment; then only what cryptography needs is let in.
    script = (
        "import sys, runpy; sys.path[:0] = [sys.argv[1], 'own'];"
        "allowed = {'audit_service', 'cryptography', 'cffi', '_cffi_backend', 'pycparser'};"
        "allowed |= sys.stdlib_module_names;"
        "find = sys.meta_path[-1].find_spec;"
        "sys.meta_path[-1] = type('Only', (), {'find_spec': staticmethod(lambda name, path=None, target=None:"
        " find(name, path, target) if name.split('.')[0] in allowed else None)});"
        "sys.argv = ['verify', *sys.argv[2:]]; runpy.run_module('audit_service.verify', run_name='__main__')"
    )
    packages = str(Path(sys.modules["cryptography"].__file__ or "").parents[1])
    done = subprocess.run(
        [sys.executable, "-S", "-I", "-c", script, packages, str(path), "--vkey", "log.vkey"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout.splitlines()[-1:]) == (0, ["VALID"]), done.stderr


async def test_the_module_runs_without_the_products_dependencies(bundle: bytes, tmp_path: Path) -> None:
    path = tmp_path / "bundle.zip"
    path.write_bytes(bundle)
    script = (
        "import sys; sys.argv[0] = 'verify';"
        "import audit_service.verify as v; code = v.main();"
        "heavy = {'grpc', 'sqlalchemy', 'orjson', 'mesh', 'integration', 'click'} & set(sys.modules);"
        "sys.exit(f'imports {heavy}' if heavy else code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(path), "--vkey", str(tmp_path / "log.vkey")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout.splitlines()[-1:]) == (0, ["VALID"]), done.stderr
    usage = subprocess.run(
        [sys.executable, "-m", "audit_service.verify"], cwd=ROOT, capture_output=True, check=False
    )
    assert usage.returncode == 2


def _mutations(content: bytes) -> list[bytes]:
    """Every class of byte at several places, and what is cut, doubled, emptied or put behind."""
    places = sorted({0, 1, 2, len(content) // 3, len(content) // 2, len(content) - 2, len(content) - 1})
    changed = [
        content[:place] + bytes([content[place] ^ bit]) + content[place + 1 :]
        for place in places
        for bit in (0x01, 0x20, 0x80)
    ]
    first: dict[str, int] = {}
    for place, byte in enumerate(content):
        first.setdefault(_class_of(byte), place)
    changed += [content[:p] + bytes([content[p] ^ 2]) + content[p + 1 :] for p in first.values()]
    return [*changed, b"", content[:-1], content[1:], content + b"\n", content + b" ", content + content]


def _class_of(byte: int) -> str:
    letter = chr(byte)
    if letter.isalpha() and byte < 128:
        return "upper" if letter.isupper() else "lower"
    return "digit" if letter.isdigit() else letter


async def test_every_change_of_every_file_is_invalid_and_names_the_file(
    bundle: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files, tried = unzip(bundle), 0
    assert len(files) == 5 + 2 * 5 + 2 * 3
    for name, content in files.items():
        for mutated in _mutations(content):
            assert mutated != content
            code, line = verdict(zipped(tmp_path / "b.zip", {**files, name: mutated}), capsys)
            assert code == 1, (name, line)
            assert line.startswith("INVALID: ") and name in line, (name, line)
            tried += 1
    assert tried > 500


async def test_files_removed_added_or_swapped_are_invalid_and_named(
    bundle: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files, path = unzip(bundle), tmp_path / "b.zip"
    for name in files:
        rest = {other: content for other, content in files.items() if other != name}
        assert verdict(zipped(path, rest), capsys) == (1, f"INVALID: {name}: missing")
    for name in ("entries/99.json", "keys/99.tlog-proof", "extra.txt", "../x", "/etc/x", "entries/01.json"):
        code, line = verdict(zipped(path, files, (name, b"{}")), capsys)
        assert (code, line.startswith(f"INVALID: {name}: ")) == (1, True), line
    with pytest.warns(UserWarning, match="Duplicate"):
        zipped(path, files, ("checkpoint", files["checkpoint"]))
    assert verdict(path, capsys) == (1, "INVALID: checkpoint: in the zip twice")
    names = sorted(files)
    for one, other in pairwise(names):
        code, line = verdict(zipped(path, {**files, one: files[other], other: files[one]}), capsys)
        assert (code, one in line or other in line) == (1, True), line


async def test_what_is_not_a_zip_or_hides_something_is_invalid(
    bundle: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, files = tmp_path / "b.zip", unzip(bundle)
    for content in (b"", b"PK", bundle[:-30], bundle[: len(bundle) // 2]):
        path.write_bytes(content)
        code, line = verdict(path, capsys)
        assert (code, line.startswith("INVALID: b.zip: ")) == (1, True), line
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("README.txt", b"0" * 100_000_000)
    assert verdict(path, capsys) == (1, "INVALID: README.txt: compressed, or too large")
    with zipfile.ZipFile(zipped(path, files), "a") as archive:
        archive.comment = b"hello"
    assert verdict(path, capsys)[0] == 1


async def test_a_manifest_signed_by_anyone_else_is_invalid(
    rig: Rig, bundle: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = unzip(bundle)
    for key in (SigningKey.generate(), rig.hub, rig.log_key):
        sealed = seal(files["manifest.json"], key, BUNDLE_TYPE)
        code, line = verdict(zipped(tmp_path / "b.zip", {**files, "manifest.dsse.json": sealed}), capsys)
        assert (code, line) == (1, "INVALID: manifest.dsse.json: not signed by the audit service")


def _resealed(rig: Rig, files: dict[str, bytes]) -> dict[str, bytes]:
    """What an operator who holds the signing key could hand out: a fresh manifest over other files."""
    listed = [
        {"path": name, "sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
        for name, content in sorted(files.items())
        if not name.startswith("manifest")
    ]
    old = verify.read_json("manifest.json", files["manifest.json"])
    manifest = encode({**old, "files": listed}, max_bytes=1 << 20)
    key = SigningKey.load(rig.directory / "signing.pem")
    return {**files, "manifest.json": manifest, "manifest.dsse.json": seal(manifest, key, BUNDLE_TYPE)}


async def test_even_the_audit_service_cannot_forge_drop_or_reorder_statements(
    rig: Rig, bundle: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = unzip(bundle)
    assert verdict(zipped(tmp_path / "b.zip", _resealed(rig, files)), capsys) == (0, "VALID")
    entries = sorted(n for n in files if n.startswith("entries/"))
    proofs = sorted(n for n in files if n.startswith("proofs/"))
    first = entries[0]
    intent_index = "8"
    forged = seal(intent(new_job()).payload(), rig.hub)
    without_intent = {
        n: c
        for n, c in files.items()
        if n not in (f"entries/{intent_index}.json", f"proofs/{intent_index}.tlog-proof")
    }
    without_keys = {n: c for n, c in files.items() if not n.startswith("keys/1")}
    cases = [
        ({**files, first: forged}, "does not lead"),
        ({**files, entries[0]: files[entries[1]], entries[1]: files[entries[0]]}, "does not lead"),
        ({**files, proofs[0]: files[proofs[1]]}, "not the proof of this entry"),
        ({n: c for n, c in files.items() if n != proofs[0]}, "missing"),
        ({n: c for n, c in files.items() if n != entries[0]}, "proof without an entry"),
        (without_intent, "evidence without its intent"),
        (without_keys, "a key that was not in the log by then"),
    ]
    for changed, what in cases:
        code, line = verdict(zipped(tmp_path / "b.zip", _resealed(rig, changed)), capsys)
        assert (code, what in line) == (1, True), line
