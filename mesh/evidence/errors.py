"""What evidence can be refused for.

EvidenceError
├── NotCanonical   bytes or values that break the canonical profile
├── BadStatement   a statement with a member missing, unknown or out of its grammar
├── BadEnvelope    bytes that are not a signed envelope of ours
├── BadKey         a key file, a producers file or a verifier key that cannot be read
├── BadSignature   a signature that does not verify
├── BadCheckpoint  a signed note that is not a checkpoint of the expected log
└── BadProof       a path that does not lead to the root
"""


class EvidenceError(Exception):
    """Something does not prove what it should; `reason` is what callers branch on."""

    reason = "EVIDENCE_REFUSED"


class NotCanonical(EvidenceError):
    """Bytes or values break the canonical profile."""

    reason = "NOT_CANONICAL"


class BadStatement(EvidenceError):
    """A statement has a member missing, unknown or out of its grammar."""

    reason = "BAD_STATEMENT"


class BadEnvelope(EvidenceError):
    """Bytes are not a signed envelope of ours."""

    reason = "BAD_ENVELOPE"


class BadKey(EvidenceError):
    """A key file, a producers file or a verifier key cannot be read."""

    reason = "BAD_KEY"


class BadSignature(EvidenceError):
    """A signature does not verify."""

    reason = "BAD_SIGNATURE"


class BadCheckpoint(EvidenceError):
    """A signed note is not a checkpoint of the expected log."""

    reason = "BAD_CHECKPOINT"


class BadProof(EvidenceError):
    """A path does not lead to the root."""

    reason = "BAD_PROOF"
