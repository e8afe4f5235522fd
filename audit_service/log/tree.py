"""The right edge of the tree, in memory: enough to grow it and to prove what is new."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from audit_service.log.tiles import HEIGHT, WIDTH, TileId
from mesh.evidence.merkle import Node, Range, cover, fold, inclusion_ranges, node_hash

_KEPT_TILES: Final = 4


@dataclass(frozen=True, slots=True)
class Growth:
    """What some more leaves would make of a tree: its new nodes, size and root, and the tiles now full."""

    nodes: Mapping[tuple[int, int], bytes]
    start: int
    size: int
    root: bytes
    tiles: Mapping[TileId, bytes]


class Tree:
    """The nodes of the last tiles of each level. It only ever holds what is durable.

    `edge` gives, for each tile level from 0, the hashes of the last tile if it is partial.
    """

    def __init__(self, size: int, edge: Sequence[Sequence[bytes]]) -> None:
        self.size = size
        self._nodes: dict[tuple[int, int], bytes] = {}
        for level, hashes in enumerate(edge):
            first = (size >> (HEIGHT * level)) - len(hashes)
            self._fill(HEIGHT * level, first, list(hashes))
        self.root = fold([self.read(node) for node in cover(Range(0, size))])

    def read(self, node: Node) -> bytes:
        """Returns a node of the right edge; KeyError for one further left."""
        return self._nodes[node]

    def grow(self, leaves: Sequence[bytes]) -> Growth:
        """Computes what the leaves would make of the tree, and changes nothing."""
        nodes: dict[tuple[int, int], bytes] = {}
        tiles: dict[TileId, bytes] = {}
        for index, leaf in enumerate(leaves, self.size):
            self._climb(index, leaf, nodes, tiles)
        size = self.size + len(leaves)
        root = fold([self._either(nodes, node) for node in cover(Range(0, size))])
        return Growth(nodes, self.size, size, root, tiles)

    def accept(self, growth: Growth) -> None:
        """Takes over what has become durable."""
        if growth.start != self.size:
            raise ValueError("growth of another tree")
        self._nodes.update(growth.nodes)
        self.size, self.root = growth.size, growth.root
        for tile in growth.tiles:
            self._forget(TileId(tile.level, tile.number - _KEPT_TILES))

    def inclusion_paths(self, indexes: Sequence[int]) -> list[tuple[bytes, ...]]:
        """Proves leaves of the right edge; KeyError for one further left."""
        known: dict[Range, bytes] = {}

        def hash_of(leaves: Range) -> bytes:
            found = known.get(leaves)
            if found is None:
                found = known[leaves] = fold([self._nodes[node] for node in cover(leaves)])
            return found

        return [tuple(hash_of(leaves) for leaves in inclusion_ranges(index, self.size)) for index in indexes]

    def _either(self, nodes: Mapping[tuple[int, int], bytes], node: tuple[int, int]) -> bytes:
        return nodes[node] if node in nodes else self._nodes[node]

    def _climb(
        self, index: int, leaf: bytes, nodes: dict[tuple[int, int], bytes], tiles: dict[TileId, bytes]
    ) -> None:
        level, offset, reached = 0, index, leaf
        nodes[0, index] = leaf
        while offset & 1:
            reached = node_hash(self._either(nodes, (level, offset - 1)), reached)
            level, offset = level + 1, offset >> 1
            nodes[level, offset] = reached
            if level % HEIGHT == 0:
                tile = TileId(level // HEIGHT - 1, offset)
                row = range(offset * WIDTH, (offset + 1) * WIDTH)
                tiles[tile] = b"".join([self._either(nodes, (level - HEIGHT, place)) for place in row])

    def _fill(self, level: int, first: int, hashes: list[bytes]) -> None:
        while hashes:
            self._nodes.update({(level, first + place): item for place, item in enumerate(hashes)})
            pairs = range(0, len(hashes) - 1, 2)
            hashes = [node_hash(hashes[place], hashes[place + 1]) for place in pairs]
            level, first = level + 1, first >> 1

    def _forget(self, tile: TileId) -> None:
        if tile.number < 0:
            return
        for above in range(HEIGHT):
            width = WIDTH >> above
            for offset in range(tile.number * width, (tile.number + 1) * width):
                self._nodes.pop((tile.level * HEIGHT + above, offset), None)
