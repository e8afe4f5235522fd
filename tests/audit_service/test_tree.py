"""The right edge in memory against a tree by definition, and the names of the files of tlog-tiles."""

import hashlib
from itertools import pairwise

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from audit_service.log.tiles import (
    HEIGHT,
    WIDTH,
    TileId,
    TilePart,
    bundle_bytes,
    bundle_path,
    hashes_of,
    node_in,
    parts_of,
    tile_of,
    tile_path,
)
from audit_service.log.tree import Tree
from mesh.evidence.merkle import EMPTY_ROOT, Node, node_hash, root_hash, verify_inclusion

LEAVES = [hashlib.sha256(number.to_bytes(4, "big")).digest() for number in range(70_000)]


def _rows() -> list[list[bytes]]:
    rows = [LEAVES]
    while len(rows[-1]) > 1:
        below = rows[-1]
        rows.append([node_hash(below[place], below[place + 1]) for place in range(0, len(below) - 1, 2)])
    return rows


ROWS = _rows()


def _read(node: Node) -> bytes:
    return ROWS[node.level][node.offset]


def _edge(size: int) -> list[list[bytes]]:
    levels = range((size.bit_length() + HEIGHT - 1) // HEIGHT)
    counts = [size >> (HEIGHT * level) for level in levels]
    return [ROWS[HEIGHT * level][count - count % WIDTH : count] for level, count in enumerate(counts)]


def test_an_empty_tree_has_the_root_of_nothing() -> None:
    assert Tree(0, []).root == EMPTY_ROOT


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 69_000), st.lists(st.integers(1, 300), min_size=1, max_size=4))
def test_a_tree_opened_anywhere_grows_like_the_tree_by_definition(start: int, steps: list[int]) -> None:
    tree = Tree(start, _edge(start))
    assert tree.root == root_hash(start, _read)
    for first, last in pairwise([start, *[start + sum(steps[: n + 1]) for n in range(len(steps))]]):
        last = min(last, len(LEAVES))
        growth = tree.grow(LEAVES[first:last])
        assert tree.size == first
        tree.accept(growth)
        assert (tree.size, tree.root) == (last, root_hash(last, _read))
        for tile, content in growth.tiles.items():
            row = ROWS[HEIGHT * tile.level]
            assert hashes_of(content) == row[tile.number * WIDTH : (tile.number + 1) * WIDTH]
        for index, path in zip(range(first, last), tree.inclusion_paths(range(first, last)), strict=True):
            verify_inclusion(leaf=LEAVES[index], index=index, size=last, path=path, root=tree.root)


def test_growing_from_nothing_makes_every_tile_once_and_forgets_the_old() -> None:
    tree, tiles = Tree(0, []), set[TileId]()
    for first in range(0, len(LEAVES), 512):
        growth = tree.grow(LEAVES[first : first + 512])
        assert not tiles & set(growth.tiles)
        tiles |= set(growth.tiles)
        tree.accept(growth)
    assert tiles == {part.tile for part in parts_of(len(LEAVES)) if part.width == WIDTH}
    assert tree.root == root_hash(len(LEAVES), _read)
    assert len(tree._nodes) < 10_000
    with pytest.raises(KeyError):
        tree.read(Node(0, 0))


def test_what_is_not_accepted_changes_nothing() -> None:
    tree = Tree(5, _edge(5))
    growth = tree.grow(LEAVES[5:300])
    assert (tree.size, tree.root) == (5, root_hash(5, _read))
    with pytest.raises(KeyError):
        tree.read(Node(0, 5))
    tree.accept(tree.grow(LEAVES[5:7]))
    with pytest.raises(ValueError, match="another tree"):
        tree.accept(growth)


@pytest.mark.parametrize("level", range(2 * HEIGHT))
def test_a_node_is_computed_from_its_tile(level: int) -> None:
    node = Node(level, len(ROWS[level]) // 2)
    tile = tile_of(node)
    row = ROWS[HEIGHT * tile.level][tile.number * WIDTH : (tile.number + 1) * WIDTH]
    assert node_in(b"".join(row), node) == _read(node)


def test_paths_are_those_of_the_specification() -> None:
    assert tile_path(TilePart(TileId(0, 1_234_067), WIDTH)) == "tile/0/x001/x234/067"
    assert tile_path(TilePart(TileId(0, 0), WIDTH)) == "tile/0/000"
    assert tile_path(TilePart(TileId(1, 1_000), 7)) == "tile/1/x001/000.p/7"
    assert bundle_path(999, WIDTH) == "tile/entries/999"
    assert bundle_path(1_001, 255) == "tile/entries/x001/001.p/255"


def test_the_tiles_of_a_size_are_those_of_the_specification() -> None:
    assert list(map(tile_path, parts_of(70_000)))[-3:] == ["tile/1/000", "tile/1/001.p/17", "tile/2/000.p/1"]
    assert [tile_path(part) for part in parts_of(256)] == ["tile/0/000", "tile/1/000.p/1"]
    assert list(parts_of(0)) == []


def test_a_bundle_has_each_entry_behind_its_length() -> None:
    assert bundle_bytes([b"ab", b"", b"c" * 300]) == b"\x00\x02ab" + b"\x00\x00" + b"\x01\x2c" + b"c" * 300
