"""The high-water mark: a small file, best on another volume than the database."""

import asyncio
import json
import os
from pathlib import Path

from audit_service.errors import LogInconsistent
from audit_service.log.ports import Mark


class HighWaterFile:
    """Keeps the newest head that was acknowledged; replaced as a whole, and synced before it counts."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._new = path.with_name(path.name + ".new")

    async def read(self) -> Mark | None:
        """Returns the mark, or None if there is none yet; LogInconsistent if the file holds none."""
        try:
            content = await asyncio.to_thread(self._path.read_bytes)
        except FileNotFoundError:
            return None
        try:
            members = json.loads(content)
            return Mark(int(members["size"]), bytes.fromhex(members["root"]))
        except (ValueError, TypeError, KeyError) as error:
            raise LogInconsistent(f"{self._path} holds no mark") from error

    async def write(self, mark: Mark) -> None:
        """Makes the mark durable."""
        content = json.dumps({"size": mark.size, "root": mark.root.hex()}).encode()
        await asyncio.to_thread(self._replace, content)

    def _replace(self, content: bytes) -> None:
        descriptor = os.open(self._new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            os.write(descriptor, content)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        self._new.replace(self._path)
