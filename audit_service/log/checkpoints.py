"""Heads of the log and their signed notes."""

from dataclasses import dataclass

from mesh.evidence.checkpoint import Checkpoint, Vkey, open_checkpoint, sign_checkpoint
from mesh.evidence.keys import SigningKey


@dataclass(frozen=True, slots=True)
class Head:
    """A durable head and its signed note."""

    size: int
    root: bytes
    note: bytes


class Notary:
    """Signs heads with the log's key; always after they are durable, so none is signed and lost."""

    def __init__(self, origin: str, key: SigningKey) -> None:
        self.origin = origin
        self.vkey = Vkey(origin, key.public)
        self._key = key

    def sign(self, size: int, root: bytes) -> Head:
        """Returns the head with its note; the same head always has the same note."""
        return Head(size, root, sign_checkpoint(Checkpoint(self.origin, size, root), self._key))

    def read(self, note: bytes) -> Checkpoint:
        """Verifies a note of ours; BadCheckpoint if it is not."""
        return open_checkpoint(note, self.vkey)
