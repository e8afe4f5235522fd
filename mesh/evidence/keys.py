"""Ed25519 keys: those that sign for us, and those of the producers that we know."""

import base64
import binascii
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from mesh.evidence.errors import BadKey

_SPKI_PREFIX: Final = bytes.fromhex("302a300506032b6570032100")


class PublicKey:
    """One Ed25519 public key; equal to another of the same 32 bytes."""

    __slots__ = ("_key", "keyid", "raw")

    def __init__(self, raw: bytes) -> None:
        if len(raw) != 32:
            raise BadKey("an Ed25519 public key has 32 bytes")
        self.raw: Final = raw
        self.keyid: Final = hashlib.sha256(_SPKI_PREFIX + raw).hexdigest()[:16]
        self._key: Final = Ed25519PublicKey.from_public_bytes(raw)

    @classmethod
    def from_base64(cls, text: str) -> "PublicKey":
        """Reads the 32 raw bytes from standard base64 with padding."""
        try:
            return cls(base64.b64decode(text, validate=True))
        except binascii.Error as error:
            raise BadKey("public key is not base64") from error

    def to_base64(self) -> str:
        """Writes the 32 raw bytes as standard base64 with padding."""
        return base64.b64encode(self.raw).decode()

    def verifies(self, signature: bytes, message: bytes) -> bool:
        """Tells whether this key made the signature over the message."""
        try:
            self._key.verify(signature, message)
        except InvalidSignature:
            return False
        return True

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PublicKey) and other.raw == self.raw

    def __hash__(self) -> int:
        return hash(self.raw)


class SigningKey:
    """One Ed25519 private key. It is never shown."""

    __slots__ = ("_key", "public")

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key: Final = key
        self.public: Final = PublicKey(key.public_key().public_bytes_raw())

    @classmethod
    def load(cls, path: Path) -> "SigningKey":
        """Reads an unencrypted PKCS#8 PEM file."""
        try:
            key = load_pem_private_key(path.read_bytes(), password=None)
        except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as error:
            raise BadKey(f"cannot read a private key from {path}") from error
        if not isinstance(key, Ed25519PrivateKey):
            raise BadKey(f"{path} holds no Ed25519 key")
        return cls(key)

    @classmethod
    def generate(cls) -> "SigningKey":
        """Makes a new random key."""
        return cls(Ed25519PrivateKey.generate())

    @classmethod
    def from_seed(cls, seed: bytes) -> "SigningKey":
        """Makes the key of a 32-byte seed."""
        return cls(Ed25519PrivateKey.from_private_bytes(seed))

    @property
    def keyid(self) -> str:
        """First 8 bytes, in hex, of the SHA-256 of the public key's SPKI: a hint, never trust."""
        return self.public.keyid

    def sign(self, message: bytes) -> bytes:
        """Returns the 64-byte signature."""
        return self._key.sign(message)


@dataclass(frozen=True, slots=True)
class Producer:
    """Who may sign statements with which key; `holder` is a SPIFFE URI."""

    holder: str
    public: PublicKey

    @property
    def keyid(self) -> str:
        """The key's id."""
        return self.public.keyid

    @property
    def role(self) -> str:
        """The role in the holder's URI, `spiffe://<trust domain>/<role>/<name>`; empty if it has none."""
        parts = self.holder.split("/")
        return parts[3] if len(parts) == 5 else ""


def load_producers(path: Path) -> dict[str, Producer]:
    """Reads `[{"holder": <spiffe uri>, "public_key": <base64>}]`; the answer is keyed by key id."""
    try:
        rows = json.loads(path.read_bytes())
        known = [Producer(str(row["holder"]), PublicKey.from_base64(row["public_key"])) for row in rows]
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise BadKey(f"cannot read producers from {path}") from error
    producers = {producer.keyid: producer for producer in known}
    if len(producers) != len(known):
        raise BadKey(f"{path} names a key twice")
    return producers
