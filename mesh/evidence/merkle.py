"""The tree of RFC 6962 and RFC 9162: hashes, proofs from a reader of nodes, and their verification."""

import hashlib
import hmac
from collections.abc import Callable, Sequence
from typing import NamedTuple

from mesh.evidence.errors import BadProof

EMPTY_ROOT = hashlib.sha256(b"").digest()
_sha256 = hashlib.sha256


class Node(NamedTuple):
    """A perfect subtree: the leaves from `offset << level` up to `(offset + 1) << level`."""

    level: int
    offset: int


class Range(NamedTuple):
    """Leaves from `start` up to, not including, `end`."""

    start: int
    end: int


NodeReader = Callable[[Node], bytes]
"""Gives the hash of a perfect subtree; raises KeyError for one that it does not have."""


def leaf_hash(data: bytes) -> bytes:
    """Hashes a leaf."""
    return _sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hashes two subtrees into one."""
    return _sha256(b"\x01" + left + right).digest()


def cover(leaves: Range) -> list[Node]:
    """Splits a range into the fewest perfect subtrees, left to right."""
    nodes = []
    start, end = leaves
    while start < end:
        level = (end - start).bit_length() - 1
        if start:
            level = min(level, (start & -start).bit_length() - 1)
        nodes.append(Node(level, start >> level))
        start += 1 << level
    return nodes


def fold(hashes: Sequence[bytes]) -> bytes:
    """Joins the hashes of a cover, right to left, into one."""
    if not hashes:
        return EMPTY_ROOT
    folded = hashes[-1]
    for left in reversed(hashes[:-1]):
        folded = node_hash(left, folded)
    return folded


def range_hash(leaves: Range, read: NodeReader) -> bytes:
    """Returns the hash over a range of leaves that starts at a multiple of its tree's width."""
    return fold([read(node) for node in cover(leaves)])


def root_hash(size: int, read: NodeReader) -> bytes:
    """Returns the root of the tree with `size` leaves."""
    return range_hash(Range(0, size), read)


def inclusion_ranges(index: int, size: int) -> list[Range]:
    """Returns the ranges whose hashes prove a leaf, leaf side first."""
    if not 0 <= index < size:
        raise BadProof("index outside the tree")
    ranges = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            ranges.append(Range(middle, end))
            end = middle
        else:
            ranges.append(Range(start, middle))
            start = middle
    return ranges[::-1]


def consistency_ranges(from_size: int, to_size: int) -> list[Range]:
    """Returns the ranges whose hashes prove the smaller tree a prefix of the larger."""
    if not 0 < from_size <= to_size:
        raise BadProof("sizes out of order")
    ranges = []
    start, end, whole = 0, to_size, True
    while from_size != end:
        middle = start + _split(end - start)
        if from_size <= middle:
            ranges.append(Range(middle, end))
            end = middle
        else:
            ranges.append(Range(start, middle))
            start, whole = middle, False
    if not whole:
        ranges.append(Range(start, end))
    return ranges[::-1]


def verify_inclusion(*, leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> None:
    """Raises BadProof unless the path leads from the leaf's hash to the root (RFC 9162 2.1.3.2)."""
    if not 0 <= index < size:
        raise BadProof("index outside the tree")
    _check_lengths([leaf, root, *path])
    position, last, reached = index, size - 1, leaf
    for sibling in path:
        if last == 0:
            raise BadProof("path longer than the tree is high")
        if position & 1 or position == last:
            reached = node_hash(sibling, reached)
            while not position & 1 and position:
                position, last = position >> 1, last >> 1
        else:
            reached = node_hash(reached, sibling)
        position, last = position >> 1, last >> 1
    if last:
        raise BadProof("path shorter than the tree is high")
    if not hmac.compare_digest(reached, root):
        raise BadProof("path leads to another root")


def verify_consistency(
    *, from_size: int, to_size: int, path: Sequence[bytes], from_root: bytes, to_root: bytes
) -> None:
    """Raises BadProof unless the smaller tree is a prefix of the larger (RFC 9162 2.1.4.2)."""
    if not 0 < from_size <= to_size:
        raise BadProof("sizes out of order")
    _check_lengths([from_root, to_root, *path])
    if from_size == to_size:
        if path or from_root != to_root:
            raise BadProof("same size, but another root or a path")
        return
    rest = list(path) if from_size & (from_size - 1) else [from_root, *path]
    if not rest:
        raise BadProof("path is empty")
    reached = _walk_consistency(from_size - 1, to_size - 1, rest)
    if reached != (from_root, to_root):
        raise BadProof("path leads to another root")


def _walk_consistency(position: int, last: int, path: list[bytes]) -> tuple[bytes, bytes]:
    while position & 1:
        position, last = position >> 1, last >> 1
    smaller = larger = path[0]
    for sibling in path[1:]:
        if last == 0:
            raise BadProof("path longer than the tree is high")
        if position & 1 or position == last:
            smaller, larger = node_hash(sibling, smaller), node_hash(sibling, larger)
            while not position & 1 and position:
                position, last = position >> 1, last >> 1
        else:
            larger = node_hash(larger, sibling)
        position, last = position >> 1, last >> 1
    if last:
        raise BadProof("path shorter than the tree is high")
    return smaller, larger


def _split(width: int) -> int:
    """Returns the largest power of two smaller than the width."""
    return 1 << ((width - 1).bit_length() - 1)


def _check_lengths(hashes: Sequence[bytes]) -> None:
    if any(len(item) != 32 for item in hashes):
        raise BadProof("a hash without 32 bytes")
