"""The tree: golden roots, foreign probes, and every proof of every small tree."""

import base64
import json
from pathlib import Path

import pytest

from mesh.evidence import merkle
from mesh.evidence.errors import BadProof
from mesh.evidence.merkle import Node, Range
from tests.mesh.evidence.vectors import files

LEAVES = [
    bytes.fromhex(text)
    for text in [
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    ]
]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def reader(leaves: list[bytes]) -> merkle.NodeReader:
    """Reads nodes of a tree by definition, with no cleverness."""

    def read(node: Node) -> bytes:
        if node.level == 0:
            return merkle.leaf_hash(leaves[node.offset])
        left = read(Node(node.level - 1, 2 * node.offset))
        return merkle.node_hash(left, read(Node(node.level - 1, 2 * node.offset + 1)))

    return read


READ = reader(LEAVES)


@pytest.mark.parametrize("size", range(9))
def test_the_classic_roots_come_out(size: int) -> None:
    assert merkle.root_hash(size, READ).hex() == ROOTS[size]


def test_the_leaf_and_node_prefixes_keep_leaves_and_nodes_apart() -> None:
    assert merkle.leaf_hash(b"").hex() == "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
    assert merkle.node_hash(b"a" * 32, b"b" * 32) != merkle.leaf_hash(b"a" * 32 + b"b" * 32)


def _prove(ranges: list[Range], read: merkle.NodeReader) -> list[bytes]:
    return [merkle.range_hash(leaves, read) for leaves in ranges]


def test_every_proof_of_every_small_tree_verifies_and_no_other_does() -> None:
    leaves = [bytes([number]) for number in range(40)]
    read = reader(leaves)
    roots = [merkle.root_hash(size, read) for size in range(41)]
    for size in range(1, 41):
        for index in range(size):
            leaf, path = read(Node(0, index)), _prove(merkle.inclusion_ranges(index, size), read)
            merkle.verify_inclusion(leaf=leaf, index=index, size=size, path=path, root=roots[size])
            _refuses_inclusion(leaf, index, size, path, roots[size])
        for smaller in range(1, size + 1):
            path = _prove(merkle.consistency_ranges(smaller, size), read)
            _accepts_consistency(smaller, size, path, roots)
            _refuses_consistency(smaller, size, path, roots)


def _refuses_inclusion(leaf: bytes, index: int, size: int, path: list[bytes], root: bytes) -> None:
    wrong = [
        (leaf, index + 1, size, path, root),
        (leaf, index, size, [*path, root], root),
        (leaf, index, size, [root, *path], root),
        (root[::-1], index, size, path, root),
        (leaf, index, size, path, leaf[::-1]),
        (leaf, -1, size, path, root),
        (leaf, size, size, path, root),
    ]
    if path:
        wrong.append((leaf, index, size, path[:-1], root))
        wrong.append((leaf, index, size, [*path[:-1], path[-1][:31]], root))
    for leaf_hash, at, of, hashes, to in wrong:
        with pytest.raises(BadProof):
            merkle.verify_inclusion(leaf=leaf_hash, index=at, size=of, path=hashes, root=to)


def _accepts_consistency(smaller: int, size: int, path: list[bytes], roots: list[bytes]) -> None:
    merkle.verify_consistency(
        from_size=smaller, to_size=size, path=path, from_root=roots[smaller], to_root=roots[size]
    )


def _refuses_consistency(smaller: int, size: int, path: list[bytes], roots: list[bytes]) -> None:
    wrong = [
        (smaller, size, [*path, roots[0]], roots[smaller], roots[size]),
        (smaller, size, path, roots[smaller][::-1], roots[size]),
        (smaller, size, path, roots[smaller], roots[size][::-1]),
        (0, size, path, roots[smaller], roots[size]),
        (size + 1, size, path, roots[smaller], roots[size]),
    ]
    if path:
        wrong.append((smaller, size, path[:-1], roots[smaller], roots[size]))
    for first, second, hashes, from_root, to_root in wrong:
        with pytest.raises(BadProof):
            merkle.verify_consistency(
                from_size=first, to_size=second, path=hashes, from_root=from_root, to_root=to_root
            )


def test_a_proof_of_an_absent_leaf_is_not_made() -> None:
    for index, size in [(0, 0), (8, 8), (-1, 8)]:
        with pytest.raises(BadProof):
            merkle.inclusion_ranges(index, size)
    for first, second in [(0, 3), (4, 3)]:
        with pytest.raises(BadProof):
            merkle.consistency_ranges(first, second)


def _bytes(text: str | None) -> bytes:
    return base64.b64decode(text or "")


@pytest.mark.parametrize("path", files("merkle/testdata/inclusion/**/*.json"))
def test_foreign_inclusion_probes(path: Path) -> None:
    probe = json.loads(path.read_bytes())

    def verify() -> None:
        merkle.verify_inclusion(
            leaf=_bytes(probe["leafHash"]),
            index=probe["leafIdx"],
            size=probe["treeSize"],
            path=[_bytes(item) for item in probe["proof"] or []],
            root=_bytes(probe["root"]),
        )

    _expect(verify, refused=probe["wantErr"])


@pytest.mark.parametrize("path", files("merkle/testdata/consistency/**/*.json"))
def test_foreign_consistency_probes(path: Path) -> None:
    probe = json.loads(path.read_bytes())

    def verify() -> None:
        merkle.verify_consistency(
            from_size=probe["size1"],
            to_size=probe["size2"],
            path=[_bytes(item) for item in probe["proof"] or []],
            from_root=_bytes(probe["root1"]),
            to_root=_bytes(probe["root2"]),
        )

    # One probe takes roots of 12 bytes. We take none but hashes of 32.
    short = any(len(_bytes(probe[root])) != 32 for root in ("root1", "root2"))
    _expect(verify, refused=probe["wantErr"] or short)


def _expect(verify: object, *, refused: bool) -> None:
    assert callable(verify)
    if refused:
        with pytest.raises(BadProof):
            verify()
    else:
        verify()
