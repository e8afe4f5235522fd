"""Checks a bundle of evidence, offline: `python -m audit_service.verify bundle.zip --vkey FILE [--job JOB]`.

Needs Python 3.11 or newer and the package `cryptography`; of the product only this file and
`audit_service/offline` are used. Take them from the project, by their hash, never from whoever handed you
the bundle; and the log's key, FILE, from a source that you trust.

Prints what was verified, and the verdict on its last line: VALID (exit 0); INVALID: <file>: <what> (exit 1);
CONSISTENT WITH ITSELF ONLY (exit 3), where no key was given: anybody can make such a bundle; VALID WITH GAPS
and a list of them (exit 4). Wrong usage exits 2.
"""

import argparse
import hashlib
import json
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from audit_service.offline.canonical import read_json, unbase64
from audit_service.offline.report import INVALID, USAGE, VERDICTS, Proven, Said, plain
from audit_service.offline.zipped import (
    CHECKPOINT,
    MANIFEST,
    PLAIN_FILES,
    SEALED,
    VKEY,
    Invalid,
    read_files,
)

STATEMENT = "application/vnd.integration.statement.v1+json"
BUNDLE = "application/vnd.integration.bundle.v1+json"
MAX_ATTEMPTS = 10_000
SPIFFE_ID = re.compile(r"spiffe://(?P<domain>[a-z0-9._-]+)/(?P<role>[a-z0-9-]+)/[A-Za-z0-9._-]+", re.A)
SPKI_PREFIX = bytes.fromhex("302a300506032b6570032100")


class Envelope(NamedTuple):
    """A signed envelope: what is said, who is said to have signed it, and over which bytes."""

    payload: bytes
    keyid: str
    signature: bytes
    signed: bytes


class Key(NamedTuple):
    """A producer's key, valid for entries after `since`."""

    holder: str
    role: str
    raw: bytes
    since: int

    def signed(self, envelope: Envelope) -> bool:
        """Tells whether this key signed the envelope."""
        return _verifies(self.raw, envelope.signature, envelope.signed)


class Head(NamedTuple):
    """The checkpoint that every proof must lead to."""

    note: bytes
    origin: str
    size: int
    root: bytes


class Entry(NamedTuple):
    """A statement at its place in the log."""

    file: str
    place: int
    leaf: bytes
    said: dict[str, Any]
    envelope: Envelope

    def text(self, path: str, pattern: str = ".+") -> str:
        """Returns a text that must be there."""
        value: Any = self.said
        for name in path.split("."):
            value = value.get(name) if isinstance(value, dict) else None
        if not isinstance(value, str) or not re.fullmatch(pattern, value):
            raise Invalid(self.file, f"{path} is missing or malformed")
        return value


def _read_envelope(file: str, data: bytes, kind: str) -> Envelope:
    envelope = read_json(file, data)
    match envelope:
        case {"payload": str(payload), "signatures": [{"keyid": str(keyid), "sig": str(sig)}]}:
            body, signatures = unbase64(file, payload), [{"keyid": keyid, "sig": sig}]
            if envelope == {"payload": payload, "payloadType": kind, "signatures": signatures}:
                signed = b"DSSEv1 %d %b %d %b" % (len(kind), kind.encode(), len(body), body)
                return Envelope(body, keyid, unbase64(file, sig), signed)
    raise Invalid(file, "not an envelope of the expected type with one signature")


def _verifies(raw: bytes, signature: bytes, message: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(raw).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def _read_vkey(file: str, data: bytes) -> tuple[str, bytes, bytes]:
    parts = data.decode("utf-8", "replace").removesuffix("\n").split("+", 2)
    blob = unbase64(file, parts[2]) if len(parts) == 3 else b""
    hint = hashlib.sha256(parts[0].encode() + b"\n" + blob).digest()[:4]
    if not parts[0] or len(blob) != 33 or blob[:1] != b"\x01" or hint.hex() != parts[1]:
        raise Invalid(file, "not an Ed25519 verifier key, or mangled")
    return parts[0], blob[1:], hint


def _read_head(files: dict[str, bytes]) -> Head:
    name, raw, hint = _read_vkey(VKEY, files[VKEY])
    text, separator, block = files[CHECKPOINT].rpartition(b"\n\n")
    lines = text.decode("utf-8", "replace").split("\n")
    sized = len(lines) == 3 and lines[0] == name and re.fullmatch("0|[1-9][0-9]{0,18}", lines[1])
    if not separator or not sized or not block.endswith(b"\n"):
        raise Invalid(CHECKPOINT, "not a checkpoint of the log")
    own = []
    for line in block.decode("utf-8", "replace")[:-1].split("\n"):
        parts = line.split(" ")
        if len(parts) != 3 or parts[0] != "—":
            raise Invalid(CHECKPOINT, "signature line out of form")
        blob = unbase64(CHECKPOINT, parts[2])
        if parts[1] == name and blob[:4] == hint:
            own.append(blob[4:])
    if not own or not all(_verifies(raw, signature, text + b"\n") for signature in own):
        raise Invalid(CHECKPOINT, "not signed by the log's key")
    return Head(files[CHECKPOINT], name, int(lines[1]), unbase64(CHECKPOINT, lines[2]))


def _check_proof(files: dict[str, bytes], file: str, *, index: int, leaf: bytes, head: Head) -> None:
    if file not in files:
        raise Invalid(file, "missing")
    text, _, note = files[file].partition(b"\n\n")
    lines = text.decode("ascii", "replace").split("\n")
    if lines[:2] != ["c2sp.org/tlog-proof@v1", f"index {index}"] or note != head.note:
        raise Invalid(file, "not the proof of this entry for the checkpoint")
    if not _includes(leaf, index, [unbase64(file, line) for line in lines[2:]], head):
        raise Invalid(file, "does not lead from the entry to the checkpoint")


def _includes(leaf: bytes, index: int, path: Sequence[bytes], head: Head) -> bool:
    position, last, reached = index, head.size - 1, leaf
    if position > last:
        return False
    for sibling in path:
        if last == 0 or len(sibling) != 32:
            return False
        if position % 2 or position == last:
            reached = hashlib.sha256(b"\x01" + sibling + reached).digest()
            while position % 2 == 0 and position:
                position, last = position // 2, last // 2
        else:
            reached = hashlib.sha256(b"\x01" + reached + sibling).digest()
        position, last = position // 2, last // 2
    return last == 0 and reached == head.root


def _check_files(files: dict[str, bytes]) -> tuple[Envelope, dict[str, Any]]:
    for file in sorted(PLAIN_FILES - set(files)):
        raise Invalid(file, "missing")
    sealed = _read_envelope(SEALED, files[SEALED], BUNDLE)
    if sealed.payload != files[MANIFEST]:
        raise Invalid(MANIFEST, f"differs from its signed copy in {SEALED}")
    manifest = read_json(MANIFEST, files[MANIFEST])
    listed = {}
    rows = manifest.get("files")
    for row in rows if isinstance(rows, list) else []:
        match row:
            case {"path": str(path), "sha256": str(digest), "bytes": int(size)} if path not in listed:
                listed[path] = (size, digest)
            case _:
                raise Invalid(MANIFEST, "list of files out of form")
    for file, expected in listed.items():
        if file not in files:
            raise Invalid(file, "missing")
        if expected != (len(files[file]), hashlib.sha256(files[file]).hexdigest()):
            raise Invalid(file, "not as in the manifest")
    for file in sorted(set(files) - set(listed) - {MANIFEST, SEALED}):
        raise Invalid(file, "not in the manifest")
    return sealed, manifest


def _read_entries(files: dict[str, bytes], folder: str, proofs: str, head: Head) -> list[Entry]:
    indexes = sorted(int(f.split("/")[1][:-5]) for f in files if re.fullmatch(rf"{folder}/\d+\.json", f))
    entries = []
    for index in indexes:
        file = f"{folder}/{index}.json"
        envelope = _read_envelope(file, files[file], STATEMENT)
        leaf = hashlib.sha256(b"\x00" + files[file]).digest()
        _check_proof(files, f"{proofs}/{index}.tlog-proof", index=index, leaf=leaf, head=head)
        entries.append(Entry(file, index, leaf, read_json(file, envelope.payload), envelope))
    expected = {f"{proofs}/{index}.tlog-proof" for index in indexes}
    for stray in sorted(f for f in set(files) - expected if re.fullmatch(rf"{proofs}/\d+\.tlog-proof", f)):
        raise Invalid(stray, "proof without an entry")
    return entries


def _read_keys(entries: Iterable[Entry]) -> dict[str, Key]:
    keys: dict[str, Key] = {}
    domain = ""
    for entry in entries:
        raw, holder = unbase64(entry.file, entry.text("key.public")), entry.text("key.holder")
        keyid = hashlib.sha256(SPKI_PREFIX + raw).hexdigest()[:16]
        if entry.text("kind") != "key.add" or entry.text("key.id") != keyid or keyid in keys:
            raise Invalid(entry.file, "does not add a new key")
        parts = SPIFFE_ID.fullmatch(holder)
        if parts is None or parts["domain"] != (domain or parts["domain"]):
            raise Invalid(entry.file, "of another trust domain than the log")
        domain, role = parts["domain"], parts["role"]
        # Nobody is there to vouch for the first; from then on nobody vouches for himself.
        own = {keyid: Key(holder, role, raw, -1)} if entry.place == 0 else {}
        _check_signature(entry, {**keys, **own}, "audit")
        keys[keyid] = Key(holder, role, raw, entry.place)
    return keys


def _check_signature(entry: Entry, keys: dict[str, Key], *roles: str) -> Key:
    key = keys.get(entry.envelope.keyid)
    if key is None or key.since >= entry.place:
        raise Invalid(entry.file, "signed with a key that was not in the log by then")
    if key.holder != entry.text("producer.id") or key.role not in roles:
        raise Invalid(entry.file, "not for this producer to say")
    if not key.signed(entry.envelope):
        raise Invalid(entry.file, "signature does not verify")
    return key


def _check_statement(entry: Entry, keys: dict[str, Key], job: str) -> None:
    if entry.said.get("v") != 1 or entry.text("job") != job:
        raise Invalid(entry.file, "not a statement about the job")
    kind = entry.text("kind", "intent|evidence|confirmation|action")
    if kind in ("intent", "evidence"):
        entry.text("purpose", "execute|look_up|cancel|read")
    if kind in ("intent", "action"):
        entry.text("actor.ref", "spiffe://.+")
        if kind == "intent":
            entry.text("req.commit", "[0-9a-f]{64}")
        _check_signature(entry, keys, "hub")
        return
    unproven = entry.text("res.outcome", "succeeded|pending|declined|not_sent|unknown") in (
        "unknown",
        "not_sent",
    )
    key = _check_signature(entry, keys, "spoke", *(["hub"] if kind == "evidence" and unproven else []))
    if key.role == "spoke" and key.holder.rpartition("/")[2] != entry.text("op.provider"):
        raise Invalid(entry.file, "a spoke speaks of its own provider only")
    if kind == "confirmation" or "commit" in entry.said["res"]:
        entry.text("body.commit" if kind == "confirmation" else "res.commit", "[0-9a-f]{64}")


def _check_attempts(entries: Iterable[Entry], job: str) -> list[str]:
    intents: dict[int, Entry] = {}
    evidences: dict[int, Entry] = {}
    for entry in entries:
        if entry.said["kind"] in ("confirmation", "action"):
            continue
        number = int(entry.text("attempt", re.escape(job) + r"\.[1-9][0-9]{0,8}").rpartition(".")[2])
        phase = intents if entry.said["kind"] == "intent" else evidences
        if number in phase or len(phase) > MAX_ATTEMPTS:
            raise Invalid(entry.file, f"a second {entry.said['kind']} of attempt {number}, or far too many")
        phase[number] = entry
    for number, entry in evidences.items():
        _check_pair(intents.get(number), entry)
    numbers = range(1, min(max(intents, default=0), MAX_ATTEMPTS) + 1)
    silent = [f"attempt {number}: no statement" for number in numbers if number not in intents]
    return silent + [f"attempt {number}: no evidence yet" for number in sorted(set(intents) - set(evidences))]


def _check_pair(intent: Entry | None, evidence: Entry) -> None:
    if intent is None:
        raise Invalid(evidence.file, "evidence without its intent")
    named = evidence.text("intent.index"), evidence.text("intent.leaf")
    if named != (str(intent.place), intent.leaf.hex()) or evidence.place <= intent.place:
        raise Invalid(evidence.file, "does not answer the intent of its attempt")
    said = {"tenant": intent.said.get("tenant"), **evidence.said}
    for name in ("op", "purpose", "tenant"):
        if said.get(name) != intent.said.get(name):
            raise Invalid(evidence.file, f"{name} is not that of its intent")


def check_bundle(
    path: Path, pinned: Path | None, say: Callable[[str, str], None], *, job: str = ""
) -> Proven:
    """Runs all checks, says each, and returns what is proven; raises Invalid at the first failure."""
    files = read_files(path)
    sealed, manifest = _check_files(files)
    say("files", f"{len(files)}, as the manifest lists them")
    if pinned and _read_vkey(str(pinned), pinned.read_bytes()) != _read_vkey(VKEY, files[VKEY]):
        raise Invalid(VKEY, "not the log's key that was given")
    head = _read_head(files)
    say("checkpoint", f"signed with the log's key, {'as given' if pinned else 'out of the bundle itself'}")
    keys = _read_keys(_read_entries(files, "keys", "keys", head))
    say("keys", f"{len(keys)}, each in the log, each vouched for from the log's first on")
    signer = keys.get(sealed.keyid)
    if signer is None or signer.role != "audit" or not signer.signed(sealed):
        raise Invalid(SEALED, "not signed by the audit service")
    about = _check_manifest(manifest, head, job)
    say("manifest", f"signed by {signer.holder}")
    entries = _read_entries(files, "entries", "proofs", head)
    if not entries:
        raise Invalid(MANIFEST, "no statement about the job")
    say("inclusion", f"{len(entries)} statements, each in the log, each in canonical form")
    for entry in entries:
        _check_statement(entry, keys, about)
    say("signatures", "each by the producer it names, with a key valid at its place")
    gaps = _check_attempts(entries, about)
    say("order", "every evidence answers an earlier intent, one of each per attempt")
    said = [Said(entry.place, entry.said) for entry in entries]
    return Proven(
        plain(about), plain(head.origin), head.size, head.root.hex(), pinned is not None, said, gaps
    )


def _check_manifest(manifest: dict[str, Any], head: Head, job: str) -> str:
    if (manifest.get("v"), manifest.get("origin"), manifest.get("size")) != (1, head.origin, str(head.size)):
        raise Invalid(MANIFEST, "speaks of another checkpoint")
    about = str(manifest.get("job"))
    if job and about != job:
        raise Invalid(MANIFEST, f"about the job {plain(about)[:100]}, not the one that was asked for")
    return about


def main(arguments: Sequence[str] | None = None) -> int:
    """Checks the bundle named on the command line."""
    codes = ", ".join(f"{code} {words}" for code, words in sorted(VERDICTS.items() | {(INVALID, "INVALID")}))
    parser = argparse.ArgumentParser(
        prog="verify",
        description="Checks a bundle of evidence, offline.",
        epilog=f"Exit codes: {codes}, {USAGE} wrong usage.",
    )
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--vkey", type=Path, help="file with the log's verifier key, from a source you trust")
    parser.add_argument("--job", default="", help="the job, or plan, that the bundle must be about")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of lines")
    given = parser.parse_args(arguments)
    for path in filter(None, (given.bundle, given.vkey)):
        if not path.is_file():
            parser.error(f"{path} is not a file")
    lines: list[str] = []
    try:
        proven = check_bundle(
            given.bundle,
            given.vkey,
            lambda check, what: lines.append(f"ok  {check:<11} {what}"),
            job=given.job,
        )
        code, members = proven.code, proven.members()
        lines += proven.lines()
    except Invalid as invalid:
        code, members = INVALID, {"verdict": "INVALID", "exit_code": INVALID, "fault": str(invalid)}
        lines.append(f"INVALID: {invalid}")
    print(json.dumps({**members, "report": lines}) if given.json else "\n".join(lines))
    return code


if __name__ == "__main__":
    sys.exit(main())
