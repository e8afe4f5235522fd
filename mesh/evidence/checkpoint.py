"""Checkpoints of the log: C2SP tlog-checkpoint in a C2SP signed note, and the verifier key's text."""

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass
from typing import Final

from mesh.evidence.errors import BadCheckpoint, BadKey
from mesh.evidence.keys import PublicKey, SigningKey

_ED25519: Final = b"\x01"
_MAX_NOTE_BYTES: Final = 65_536
_SIZE = re.compile(r"0|[1-9][0-9]{0,18}").fullmatch
_NAME = re.compile(r"[^\s+\x00-\x1f\x7f]+").fullmatch
_HINT = re.compile(r"[0-9a-f]{8}").fullmatch


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The log's head: how many entries, and the root over them (32 bytes)."""

    origin: str
    size: int
    root: bytes

    @property
    def text(self) -> str:
        """The note's text, the signed part."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"


@dataclass(frozen=True, slots=True)
class Vkey:
    """The log's verifier key; `str()` is its C2SP text `name+hint+base64`."""

    name: str
    public: PublicKey

    def __post_init__(self) -> None:
        if not _NAME(self.name):
            raise BadKey("a log's name is not empty and has no space and no plus")

    @classmethod
    def parse(cls, text: str) -> "Vkey":
        """Reads the text; a mangled one is refused by its own hint."""
        try:
            name, hint, encoded = text.strip("\n").split("+", 2)
            blob = base64.b64decode(encoded, validate=True)
        except (ValueError, binascii.Error) as error:
            raise BadKey("verifier key is not name+hint+base64") from error
        if blob[:1] != _ED25519 or len(blob) != 33 or base64.b64encode(blob).decode() != encoded:
            raise BadKey("verifier key is not an Ed25519 key")
        vkey = cls(name, PublicKey(blob[1:]))
        if not _HINT(hint) or vkey.key_id.hex() != hint:
            raise BadKey("verifier key and its hint disagree")
        return vkey

    @property
    def key_id(self) -> bytes:
        """The 4 bytes that mark this key's signatures."""
        return hashlib.sha256(self.name.encode() + b"\n" + _ED25519 + self.public.raw).digest()[:4]

    def __str__(self) -> str:
        blob = base64.b64encode(_ED25519 + self.public.raw).decode()
        return f"{self.name}+{self.key_id.hex()}+{blob}"


def sign_checkpoint(checkpoint: Checkpoint, key: SigningKey) -> bytes:
    """Returns the signed note; the signer's name is the origin."""
    text = checkpoint.text.encode()
    blob = Vkey(checkpoint.origin, key.public).key_id + key.sign(text)
    return text + f"\n— {checkpoint.origin} {base64.b64encode(blob).decode()}\n".encode()


def open_checkpoint(note: bytes, vkey: Vkey) -> Checkpoint:
    """Verifies the note and reads it. Signatures by others are ignored; a bad one by ours refuses."""
    text, signatures = _split_note(note)
    blobs = [blob for name, blob in signatures if name == vkey.name and blob[:4] == vkey.key_id]
    if not blobs:
        raise BadCheckpoint("note without a signature of the log's key")
    if not all(vkey.public.verifies(blob[4:], text.encode()) for blob in blobs):
        raise BadCheckpoint("signature of the log's key does not verify")
    checkpoint = _read_text(text)
    if checkpoint.origin != vkey.name:
        raise BadCheckpoint("checkpoint of another log")
    return checkpoint


def _split_note(note: bytes) -> tuple[str, list[tuple[str, bytes]]]:
    if len(note) > _MAX_NOTE_BYTES:
        raise BadCheckpoint("note too large")
    try:
        whole = note.decode()
    except UnicodeDecodeError as error:
        raise BadCheckpoint("note is not UTF-8") from error
    if any(character < " " and character != "\n" for character in whole):
        raise BadCheckpoint("control character in a note")
    text, separator, block = whole.rpartition("\n\n")
    if not separator or not block.endswith("\n"):
        raise BadCheckpoint("note without signatures")
    return text + "\n", [_read_signature(line) for line in block[:-1].split("\n")]


def _read_signature(line: str) -> tuple[str, bytes]:
    try:
        dash, name, encoded = line.split(" ")
        blob = base64.b64decode(encoded, validate=True)
    except (ValueError, binascii.Error) as error:
        raise BadCheckpoint("signature line out of form") from error
    if dash != "—" or not _NAME(name) or len(blob) < 5 or base64.b64encode(blob).decode() != encoded:
        raise BadCheckpoint("signature line out of form")
    return name, blob


def _read_text(text: str) -> Checkpoint:
    lines = text.split("\n")
    if len(lines) != 4 or not _SIZE(lines[1]):
        raise BadCheckpoint("checkpoint out of form")
    try:
        root = base64.b64decode(lines[2], validate=True)
    except binascii.Error as error:
        raise BadCheckpoint("checkpoint out of form") from error
    checkpoint = Checkpoint(lines[0], int(lines[1]), root)
    if len(root) != 32 or checkpoint.text != text:
        raise BadCheckpoint("checkpoint out of form")
    return checkpoint
