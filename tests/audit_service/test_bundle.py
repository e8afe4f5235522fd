"""Bundles: valid with nothing but `cryptography`, and invalid however they are changed."""

import hashlib
import io
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
from mesh.evidence.checkpoint import Vkey
from mesh.evidence.dsse import BUNDLE_TYPE, seal
from mesh.evidence.keys import SigningKey
from tests.audit_service.rig import ORIGIN, Callers, Rig, confirmation, evidence, intent, new_job

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
    """The exit code and the last line."""
    code = verify.main([str(path), *options])
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
    pinned = tmp_path / "vkey"
    pinned.write_text(f"{callers.rig.vkey}\n")
    assert verdict(path, capsys, "--vkey", str(pinned)) == (0, "VALID")


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
        0,
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


async def test_the_verifier_runs_from_the_bundle_and_needs_only_cryptography(
    bundle: bytes, tmp_path: Path
) -> None:
    path = tmp_path / "bundle.zip"
    path.write_bytes(bundle)
    own = tmp_path / "verify.py"
    own.write_bytes(unzip(bundle)["verify.py"])
    # -S -I: no site packages, no environment; then only what cryptography needs is let in.
    script = (
        "import sys, runpy; sys.path.insert(0, sys.argv[1]);"
        "allowed = {'cryptography', 'cffi', '_cffi_backend', 'pycparser'} | sys.stdlib_module_names;"
        "find = sys.meta_path[-1].find_spec;"
        "sys.meta_path[-1] = type('Only', (), {'find_spec': staticmethod(lambda name, path=None, target=None:"
        " find(name, path, target) if name.split('.')[0] in allowed else None)});"
        "sys.argv = ['verify.py', sys.argv[2]]; runpy.run_path(sys.argv[0], run_name='__main__')"
    )
    packages = str(Path(sys.modules["cryptography"].__file__ or "").parents[1])
    done = subprocess.run(
        [sys.executable, "-S", "-I", "-c", script, packages, str(path)],
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
        "import sys; sys.argv[:] = ['verify', sys.argv[1]];"
        "import audit_service.verify as v; code = v.main();"
        "heavy = {'grpc', 'sqlalchemy', 'orjson', 'mesh', 'integration', 'click'} & set(sys.modules);"
        "sys.exit(f'imports {heavy}' if heavy else code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(path)], cwd=ROOT, capture_output=True, text=True, check=False
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
    assert len(files) == 6 + 2 * 5 + 2 * 3
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
    old = verify._read_json("manifest.json", files["manifest.json"])
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
