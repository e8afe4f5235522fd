"""The high-water mark: a small file, best on another volume than the database."""

import asyncio
import hashlib
import json
import os
from pathlib import Path

from audit_service.errors import LogInconsistent
from audit_service.log.ports import Mark

SLOT = 512
SLOTS = 2


class HighWaterFile:
    """Keeps the newest head that was acknowledged, synced before it counts.

    Two slots of one sector each are written in turn, each record with its own digest: a write that
    is torn leaves the mark before it whole.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._turn = 0

    async def read(self) -> Mark | None:
        """Returns the mark, or None if there is none yet; LogInconsistent if the file holds none."""
        try:
            content = await asyncio.to_thread(self._path.read_bytes)
        except FileNotFoundError:
            return None
        slots = [content[SLOT * n : SLOT * (n + 1)] for n in range(SLOTS)]
        marks = [mark for slot in slots if (mark := _mark(slot)) is not None]
        if not marks:
            raise LogInconsistent(f"{self._path} holds no mark")
        newest = max(marks, key=lambda mark: mark.size)
        self._turn = 1 + next(n for n, slot in enumerate(slots) if _mark(slot) == newest)
        return newest

    async def write(self, mark: Mark) -> None:
        """Makes the mark durable."""
        # Here and not in a thread: syncing one sector takes less than changing threads, and nothing
        # else can be acknowledged meanwhile.
        self._write(_record(mark))

    def _write(self, record: bytes) -> None:
        # Opened anew each time: a file that was moved away must not be written to unseen.
        descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT, 0o600)
        try:
            os.pwrite(descriptor, record, SLOT * (self._turn % SLOTS))
            os.fdatasync(descriptor)
        finally:
            os.close(descriptor)
        self._turn += 1


def _record(mark: Mark) -> bytes:
    body = json.dumps({"size": mark.size, "root": mark.root.hex()}).encode()
    return (hashlib.sha256(body).hexdigest().encode() + b" " + body + b"\n").ljust(SLOT)


def _mark(slot: bytes) -> Mark | None:
    digest, _, body = slot.rstrip().partition(b" ")
    if hashlib.sha256(body).hexdigest().encode() != digest:
        return None
    members = json.loads(body)
    return Mark(int(members["size"]), bytes.fromhex(members["root"]))
