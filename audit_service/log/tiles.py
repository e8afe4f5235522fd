"""C2SP tlog-tiles: which tile holds which node, the files' paths, and the entry bundles."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

from mesh.evidence.merkle import Node, node_hash

HEIGHT: Final = 8
WIDTH: Final = 1 << HEIGHT
HASH_BYTES: Final = 32
TILE_BYTES: Final = WIDTH * HASH_BYTES


class TileId(NamedTuple):
    """A tile: its level, in steps of 8 tree levels, and its number from the left."""

    level: int
    number: int


class TilePart(NamedTuple):
    """How many hashes of a tile a tree has: 256, or fewer at the right edge."""

    tile: TileId
    width: int


def tile_of(node: Node) -> TileId:
    """Returns the tile whose hashes give the node."""
    level, above = divmod(node.level, HEIGHT)
    return TileId(level, node.offset << above >> HEIGHT)


def hashes_of(tile: bytes) -> list[bytes]:
    """Splits a tile's bytes into its hashes."""
    return [tile[start : start + HASH_BYTES] for start in range(0, len(tile), HASH_BYTES)]


def node_in(tile: bytes, node: Node) -> bytes:
    """Computes a node from the bytes of its tile."""
    above = node.level % HEIGHT
    first = (node.offset << above) % WIDTH
    hashes = hashes_of(tile[first * HASH_BYTES : (first + (1 << above)) * HASH_BYTES])
    return perfect_root(hashes)


def perfect_root(hashes: Sequence[bytes]) -> bytes:
    """Joins a power of two of hashes into their root."""
    row = list(hashes)
    while len(row) > 1:
        row = [node_hash(row[place], row[place + 1]) for place in range(0, len(row), 2)]
    return row[0]


def parts_of(size: int) -> Iterator[TilePart]:
    """Lists the tiles of a tree, lowest level first, the partial one last in its level."""
    level = 0
    while count := size >> (HEIGHT * level):
        full, rest = divmod(count, WIDTH)
        yield from (TilePart(TileId(level, number), WIDTH) for number in range(full))
        if rest:
            yield TilePart(TileId(level, full), rest)
        level += 1


def tile_path(part: TilePart) -> str:
    """Returns the file path of a tile, for example `tile/0/x001/234` or `tile/1/000.p/7`."""
    return f"tile/{part.tile.level}/{_number_path(part.tile.number)}{_suffix(part.width)}"


def bundle_path(number: int, width: int) -> str:
    """Returns the file path of an entry bundle."""
    return f"tile/entries/{_number_path(number)}{_suffix(width)}"


def bundle_bytes(envelopes: Iterable[bytes]) -> bytes:
    """Writes an entry bundle: each entry behind its length, two bytes, big end first."""
    return b"".join(len(envelope).to_bytes(2, "big") + envelope for envelope in envelopes)


def _number_path(number: int) -> str:
    groups = [f"{number % 1000:03d}"]
    while number := number // 1000:
        groups.append(f"x{number % 1000:03d}")
    return "/".join(reversed(groups))


def _suffix(width: int) -> str:
    return "" if width == WIDTH else f".p/{width}"
