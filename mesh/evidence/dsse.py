"""DSSE v1.0.2 envelopes with one Ed25519 signature, in one byte form."""

import base64
import binascii
from dataclasses import dataclass
from typing import Final

import orjson

from mesh.evidence.errors import BadEnvelope, BadSignature
from mesh.evidence.keys import PublicKey, SigningKey

STATEMENT_TYPE: Final = "application/vnd.integration.statement.v1+json"
BUNDLE_TYPE: Final = "application/vnd.integration.bundle.v1+json"
MAX_ENVELOPE_BYTES: Final = 24_576


@dataclass(frozen=True, slots=True)
class Opened:
    """An envelope's parts. Nothing is verified yet; `keyid` is a hint."""

    payload: bytes
    payload_type: str
    keyid: str
    signature: bytes


def pae(payload: bytes, payload_type: str) -> bytes:
    """Returns the bytes that are signed."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def seal(payload: bytes, key: SigningKey, payload_type: str = STATEMENT_TYPE) -> bytes:
    """Signs the payload and returns the envelope's bytes."""
    return _write(Opened(payload, payload_type, key.keyid, key.sign(pae(payload, payload_type))))


def open_envelope(
    envelope: bytes, payload_type: str = STATEMENT_TYPE, *, max_bytes: int = MAX_ENVELOPE_BYTES
) -> Opened:
    """Takes an envelope apart; refuses every form of it but the one that `seal` writes."""
    if len(envelope) > max_bytes:
        raise BadEnvelope(f"more than {max_bytes} bytes")
    try:
        members = orjson.loads(envelope)
        (signature,) = members["signatures"]
        opened = Opened(
            base64.b64decode(members["payload"], validate=True),
            members["payloadType"],
            signature["keyid"],
            base64.b64decode(signature["sig"], validate=True),
        )
        if opened.payload_type != payload_type:
            raise BadEnvelope("envelope of another payload type")
        canonical = _write(opened) == envelope
    except (ValueError, TypeError, KeyError, AttributeError, binascii.Error) as error:
        raise BadEnvelope("not an envelope with one signature") from error
    if not canonical:
        raise BadEnvelope("envelope not in its canonical form")
    return opened


def verify(opened: Opened, public: PublicKey) -> None:
    """Raises BadSignature unless the key signed the envelope."""
    if not public.verifies(opened.signature, pae(opened.payload, opened.payload_type)):
        raise BadSignature("signature of the envelope does not verify")


def _write(opened: Opened) -> bytes:
    return b'{"payload":"%b","payloadType":"%b","signatures":[{"keyid":"%b","sig":"%b"}]}' % (
        base64.b64encode(opened.payload),
        opened.payload_type.encode(),
        opened.keyid.encode(),
        base64.b64encode(opened.signature),
    )
