"""Receipts: the way from one envelope to a checkpoint, as fields and as C2SP tlog-proof text."""

import base64
import binascii
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from mesh.evidence import merkle
from mesh.evidence.checkpoint import Checkpoint
from mesh.evidence.errors import BadProof

_HEADER: Final = "c2sp.org/tlog-proof@v1"
_INDEX = re.compile(r"index (0|[1-9][0-9]{0,18})").fullmatch
_MAX_PROOF_BYTES: Final = 131_072


class ReceiptFields(Protocol):
    """Where an entry stands and how it leads to the root; the protobuf Receipt fits."""

    @property
    def index(self) -> int:
        """Position of the entry, from zero."""

    @property
    def leaf_hash(self) -> bytes:
        """Leaf hash of the envelope, 32 bytes."""

    @property
    def path(self) -> Sequence[bytes]:
        """Inclusion path, leaf side first."""


@dataclass(frozen=True, slots=True)
class TlogProof:
    """A proof that stands on its own: position, path and the signed note it leads to."""

    index: int
    path: tuple[bytes, ...]
    note: bytes


def verify_receipt(receipt: ReceiptFields, *, envelope: bytes, checkpoint: Checkpoint) -> None:
    """Raises BadProof unless these very bytes stand in the checkpoint's tree at the index."""
    if merkle.leaf_hash(envelope) != receipt.leaf_hash:
        raise BadProof("receipt of another envelope")
    merkle.verify_inclusion(
        leaf=receipt.leaf_hash,
        index=receipt.index,
        size=checkpoint.size,
        path=receipt.path,
        root=checkpoint.root,
    )


def write_proof(proof: TlogProof) -> bytes:
    """Returns the proof's text."""
    lines = [_HEADER, f"index {proof.index}", *(base64.b64encode(item).decode() for item in proof.path)]
    return "\n".join(lines).encode() + b"\n\n" + proof.note


def read_proof(text: bytes) -> TlogProof:
    """Reads a proof's text; an `extra` line is skipped, nothing is verified."""
    if len(text) > _MAX_PROOF_BYTES:
        raise BadProof("proof too large")
    head, separator, note = text.partition(b"\n\n")
    try:
        lines = head.decode("ascii").split("\n")
    except UnicodeDecodeError as error:
        raise BadProof("proof is not ASCII") from error
    if not separator or lines.pop(0) != _HEADER:
        raise BadProof("not a tlog-proof")
    if lines and lines[0].startswith("extra "):
        lines.pop(0)
    index = _INDEX(lines[0]) if lines else None
    if index is None:
        raise BadProof("proof without an index")
    return TlogProof(int(index[1]), tuple(_read_hash(line) for line in lines[1:]), note)


def _read_hash(line: str) -> bytes:
    try:
        item = base64.b64decode(line, validate=True)
    except binascii.Error as error:
        raise BadProof("hash is not base64") from error
    if len(item) != 32 or base64.b64encode(item).decode() != line:
        raise BadProof("a hash without 32 bytes")
    return item
