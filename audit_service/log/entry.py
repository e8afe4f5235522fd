"""From envelope to entry: the profile, the signature, and who may say what."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import assert_never

from mesh.evidence import dsse
from mesh.evidence.errors import BadSignature, EvidenceError
from mesh.evidence.keys import Producer
from mesh.evidence.merkle import leaf_hash
from mesh.evidence.parse import parse_statement
from mesh.evidence.statement import Action, Confirmation, Evidence, Intent, KeyAdd, Statement

UNPROVEN_OUTCOMES = frozenset({"unknown", "not_sent"})
"""What the hub may say itself about an attempt, where no spoke can."""


class Reason(Enum):
    """Why a statement is not taken."""

    MALFORMED = "malformed"
    BAD_SIGNATURE = "bad signature"
    NOT_ENTITLED = "not entitled"
    CONFLICT = "conflict"
    NO_INTENT = "no intent"
    ALREADY_STATED = "already stated"


@dataclass(frozen=True, slots=True)
class Refusal:
    """A statement that is not taken, and a sentence for people that names the member at fault."""

    reason: Reason
    message: str


@dataclass(frozen=True, slots=True)
class Entry:
    """A verified statement on its way into the log."""

    envelope: bytes
    leaf: bytes
    statement: Statement


@dataclass(frozen=True, slots=True)
class Candidate:
    """A well-formed statement by a known producer; its signature is still to be verified."""

    entry: Entry
    opened: dsse.Opened
    producer: Producer


def read_candidate(envelope: bytes, producers: Mapping[str, Producer]) -> Candidate | Refusal:
    """Opens the envelope; everything but the costly signature is decided here."""
    try:
        opened = dsse.open_envelope(envelope)
        statement = parse_statement(opened.payload)
    except EvidenceError as error:
        return Refusal(Reason.MALFORMED, str(error))
    producer = producers.get(opened.keyid)
    if producer is None:
        return Refusal(Reason.BAD_SIGNATURE, "signatures.keyid: no known producer's key")
    complaint = entitlement_complaint(statement, producer)
    if complaint:
        return Refusal(Reason.NOT_ENTITLED, complaint)
    return Candidate(Entry(envelope, leaf_hash(envelope), statement), opened, producer)


def verify_candidate(candidate: Candidate) -> Entry | Refusal:
    """Verifies the signature: about 120 us, most of it outside Python's lock."""
    try:
        dsse.verify(candidate.opened, candidate.producer.public)
    except BadSignature:
        return Refusal(Reason.BAD_SIGNATURE, "signatures.sig: does not verify")
    return candidate.entry


def entitlement_complaint(statement: Statement, producer: Producer) -> str:
    """Says why the producer may not make the statement; empty if it may."""
    if statement.maker.id != producer.holder:
        return "producer.id: not the holder of the key"
    match statement:
        case Intent() | Action():
            return _only("hub", producer)
        case Evidence():
            if producer.role == "hub":
                proven = statement.res.outcome not in UNPROVEN_OUTCOMES
                return "res.outcome: not for the hub to say" if proven else ""
            return _only_spoke(statement.op.provider, producer)
        case Confirmation():
            return _only_spoke(statement.op.provider, producer)
        case KeyAdd():
            return _only("audit", producer)
    assert_never(statement)


def _only(role: str, producer: Producer) -> str:
    return "" if producer.role == role else f"kind: only for the role {role}"


def _only_spoke(provider: str, producer: Producer) -> str:
    if producer.role != "spoke":
        return "kind: only for the role spoke"
    named = producer.holder.rpartition("/")[2]
    return "" if named == provider else "op.provider: a spoke speaks of its own provider only"
