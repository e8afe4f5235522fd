"""A zip file in pieces: stored, not compressed, with no times, so the same files give the same bytes."""

import zipfile
from typing import IO, Final, cast

_TIME: Final = (1980, 1, 1, 0, 0, 0)


class _Pieces:
    """Collects what is written; it cannot seek, so the zip needs no second look at what went out."""

    def __init__(self) -> None:
        self.waiting = bytearray()

    def write(self, data: bytes) -> int:
        self.waiting += data
        return len(data)

    def flush(self) -> None:
        """Does nothing: there is nothing behind it."""


class ZipStream:
    """Takes files and gives the zip's bytes as they come."""

    def __init__(self) -> None:
        self._pieces = _Pieces()
        self._zip = zipfile.ZipFile(cast(IO[bytes], self._pieces), "w", zipfile.ZIP_STORED)

    def add(self, path: str, content: bytes) -> None:
        """Adds one file."""
        info = zipfile.ZipInfo(path, _TIME)
        info.external_attr = 0o644 << 16
        info.create_system = 3
        self._zip.writestr(info, content)

    def finish(self) -> None:
        """Ends the zip; what remains is still to be taken."""
        self._zip.close()

    def take(self, size: int, *, rest: bool = False) -> list[bytes]:
        """Returns pieces of that size; with `rest`, also the last and shorter one."""
        waiting = self._pieces.waiting
        end = len(waiting) if rest else len(waiting) - len(waiting) % size
        pieces = [bytes(waiting[start : min(start + size, end)]) for start in range(0, end, size)]
        del waiting[:end]
        return pieces
