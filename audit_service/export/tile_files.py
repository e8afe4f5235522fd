"""The whole log as the files of C2SP tlog-tiles."""

from collections.abc import AsyncIterator
from typing import Final, NamedTuple

from audit_service.errors import LogInconsistent
from audit_service.log.opening import OpenLog
from audit_service.log.ports import EntryReader
from audit_service.log.tiles import HEIGHT, WIDTH, TilePart, bundle_bytes, bundle_path, parts_of, tile_path
from mesh.evidence.merkle import Node

MAX_PIECE_BYTES: Final = 1 << 20


class FilePiece(NamedTuple):
    """A file, or the next piece of a long one: pieces of one path follow one another."""

    path: str
    content: bytes


class TileExport:
    """Writes the log out, as of one head."""

    def __init__(self, *, reader: EntryReader, vkey: str) -> None:
        self._reader = reader
        self._vkey = vkey

    async def export(self, log: OpenLog) -> AsyncIterator[FilePiece]:
        """Yields the checkpoint, the key, the tiles and the entries; each content up to 1 MiB."""
        head = log.head
        yield FilePiece("checkpoint", head.note)
        yield FilePiece("vkey", f"{self._vkey}\n".encode())
        for part in parts_of(head.size):
            yield FilePiece(tile_path(part), await self._tile(part, log))
        for start in range(0, head.size, WIDTH):
            end = min(start + WIDTH, head.size)
            content = bundle_bytes([envelope async for envelope in self._reader.envelopes(start, end)])
            path = bundle_path(start // WIDTH, end - start)
            for first in range(0, len(content), MAX_PIECE_BYTES):
                yield FilePiece(path, content[first : first + MAX_PIECE_BYTES])

    async def _tile(self, part: TilePart, log: OpenLog) -> bytes:
        if part.width == WIDTH:
            tiles = await self._reader.tiles([part.tile])
            if part.tile not in tiles:
                raise LogInconsistent(f"a tile is missing: {tile_path(part)}")
            return tiles[part.tile]
        level, first = part.tile.level * HEIGHT, part.tile.number * WIDTH
        return b"".join([await log.proofs.node(Node(level, first + place)) for place in range(part.width)])
