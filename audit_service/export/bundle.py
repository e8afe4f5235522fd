"""A job's bundle: its statements, their proofs, and the keys that they are signed with."""

import hashlib
from collections.abc import AsyncIterator, Iterable, Sequence
from pathlib import Path
from typing import Final

from audit_service.errors import JobNotInLog
from audit_service.export.zip import ZipStream
from audit_service.log.checkpoints import Head
from audit_service.log.opening import OpenLog
from audit_service.log.ports import EntryReader, StoredEntry
from mesh.evidence.canonical import Value, encode
from mesh.evidence.dsse import BUNDLE_TYPE, open_envelope, seal
from mesh.evidence.keys import SigningKey
from mesh.evidence.parse import parse_statement
from mesh.evidence.receipt import TlogProof, write_proof
from mesh.evidence.statement import KeyAdd

PIECE_BYTES: Final = 65_536
_PAGE: Final = 200
_MAX_MANIFEST_BYTES: Final = 8 << 20
_README: Final = (Path(__file__).parent / "bundle_readme.txt").read_bytes()


class BundleExport:
    """Makes bundles of one log, signed by the audit service."""

    def __init__(self, *, reader: EntryReader, signing_key: SigningKey, origin: str, vkey: str) -> None:
        self._reader = reader
        self._key = signing_key
        self._origin = origin
        self._vkey = vkey

    async def export(self, job: str, log: OpenLog) -> AsyncIterator[bytes]:
        """Yields the zip in pieces of up to 64 KiB; JobNotInLog before the first if there is nothing."""
        head = log.head
        bundle = _Bundle()
        keyids = {self._key.keyid}
        async for entry in self._entries(job, head.size):
            keyids.add(open_envelope(entry.envelope).keyid)
            bundle.add(f"entries/{entry.index}.json", entry.envelope)
            bundle.add(f"proofs/{entry.index}.tlog-proof", await _proof(log, head, entry.index))
            for piece in bundle.take():
                yield piece
        if len(keyids) == 1:
            raise JobNotInLog("the log holds nothing about the job")
        await self._add_keys(bundle, log, head, keyids)
        bundle.add("keys/vkey", f"{self._vkey}\n".encode())
        bundle.add("checkpoint", head.note)
        bundle.add("README.txt", _README)
        bundle.seal(self._manifest(job, head, bundle.listed()), self._key)
        for piece in bundle.take(rest=True):
            yield piece

    async def _entries(self, job: str, below: int) -> AsyncIterator[StoredEntry]:
        after = -1
        while page := await self._reader.of_job(job, after=after, below=below, limit=_PAGE):
            for entry in page:
                yield entry
            after = page[-1].index

    async def _add_keys(self, bundle: "_Bundle", log: OpenLog, head: Head, keyids: Iterable[str]) -> None:
        for entry in _vouched(await self._reader.keys(head.size), keyids):
            bundle.add(f"keys/{entry.index}.json", entry.envelope)
            bundle.add(f"keys/{entry.index}.tlog-proof", await _proof(log, head, entry.index))

    def _manifest(self, job: str, head: Head, files: list[Value]) -> bytes:
        members: dict[str, Value] = {
            "v": 1,
            "job": job,
            "origin": self._origin,
            "size": str(head.size),
            "files": files,
        }
        return encode(members, max_bytes=_MAX_MANIFEST_BYTES)


class _Bundle:
    """The zip, and what the manifest will say of it."""

    def __init__(self) -> None:
        self._zip = ZipStream()
        self._listed: list[tuple[str, str, int]] = []

    def add(self, path: str, content: bytes) -> None:
        self._zip.add(path, content)
        self._listed.append((path, hashlib.sha256(content).hexdigest(), len(content)))

    def listed(self) -> list[Value]:
        return [
            {"path": path, "sha256": digest, "bytes": size} for path, digest, size in sorted(self._listed)
        ]

    def seal(self, manifest: bytes, key: SigningKey) -> None:
        self._zip.add("manifest.json", manifest)
        self._zip.add("manifest.dsse.json", seal(manifest, key, BUNDLE_TYPE))
        self._zip.finish()

    def take(self, *, rest: bool = False) -> list[bytes]:
        return self._zip.take(PIECE_BYTES, rest=rest)


async def _proof(log: OpenLog, head: Head, index: int) -> bytes:
    return write_proof(TlogProof(index, await log.proofs.inclusion(index, head.size), head.note))


def _vouched(entries: Sequence[StoredEntry], keyids: Iterable[str]) -> list[StoredEntry]:
    """The entries that add those keys, and the keys that vouch for them, back to the log's first."""
    needed, found = set(keyids), []
    for entry in reversed(entries):
        if _added_keyid(entry) in needed:
            needed.add(open_envelope(entry.envelope).keyid)
            found.append(entry)
    return found[::-1]


def _added_keyid(entry: StoredEntry) -> str:
    statement = parse_statement(open_envelope(entry.envelope).payload)
    return statement.keyid if isinstance(statement, KeyAdd) else ""
