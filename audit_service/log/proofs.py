"""Proofs from the right edge where it reaches, else from the stored tiles."""

from collections.abc import Iterable, Sequence

from audit_service.errors import LogInconsistent
from audit_service.log.ports import LogReader
from audit_service.log.tiles import node_in, tile_of
from audit_service.log.tree import Tree
from mesh.evidence.merkle import Node, Range, consistency_ranges, cover, fold, inclusion_ranges


class Proofs:
    """Makes proofs for any size up to the tree's."""

    def __init__(self, tree: Tree, reader: LogReader) -> None:
        self._tree = tree
        self._reader = reader

    async def inclusion(self, index: int, size: int) -> tuple[bytes, ...]:
        """Returns the path from a leaf to the root of the tree of that size."""
        return tuple(await self._hashes(inclusion_ranges(index, size)))

    async def consistency(self, from_size: int, to_size: int) -> list[bytes]:
        """Returns the path from the smaller root to the larger."""
        return await self._hashes(consistency_ranges(from_size, to_size))

    async def root(self, size: int) -> bytes:
        """Returns the root of the tree of that size."""
        return (await self._hashes([Range(0, size)]))[0]

    async def node(self, node: Node) -> bytes:
        """Returns one perfect subtree's hash."""
        return (await self._nodes([node]))[node]

    async def _hashes(self, ranges: Sequence[Range]) -> list[bytes]:
        covers = [cover(leaves) for leaves in ranges]
        nodes = await self._nodes({node for nodes in covers for node in nodes})
        return [fold([nodes[node] for node in nodes_of]) for nodes_of in covers]

    async def _nodes(self, wanted: Iterable[Node]) -> dict[Node, bytes]:
        found: dict[Node, bytes] = {}
        missing = []
        for node in wanted:
            try:
                found[node] = self._tree.read(node)
            except KeyError:
                missing.append(node)
        if missing:
            tiles = await self._reader.tiles({tile_of(node) for node in missing})
            try:
                found.update({node: node_in(tiles[tile_of(node)], node) for node in missing})
            except KeyError as error:
                raise LogInconsistent(f"a tile is missing: {error}") from error
        return found
