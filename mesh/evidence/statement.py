"""The statements of the log: what is signed before and after an attempt, and who may sign."""

import hashlib
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import ClassVar, Final, Literal, TypeAlias

from mesh.evidence.canonical import Value, encode

Purpose: TypeAlias = Literal["execute", "look_up", "cancel", "read"]
"""What an attempt is for; one of a read belongs to no job, and its `job` is the read's own id."""
OutcomeWord: TypeAlias = Literal["succeeded", "pending", "declined", "not_sent", "unknown"]
Members: TypeAlias = dict[str, Value]

VERSION: Final = 1
STANDARD_RETENTION: Final = "std-1y"


def timestamp(moment: datetime) -> str:
    """Writes an aware time as `YYYY-MM-DDTHH:MM:SS.nnnnnnnnnZ`."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f000Z")


def moment(written: str) -> datetime:
    """Reads what `timestamp` writes, to the microsecond."""
    return datetime.fromisoformat(f"{written[:26]}+00:00")


def commit(salt: bytes, body: bytes) -> bytes:
    """Returns the salted commitment to a body, 32 bytes; the salt has 32 bytes."""
    if len(salt) != 32:
        raise ValueError("a salt has 32 bytes")
    return hashlib.sha256(b"audit-commit/v1\x00" + salt + body).digest()


def statement_id(kind: str, *parts: str) -> str:
    """Returns the id that a statement about the same thing always gets: UUIDv5 of `kind:part/part`."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, f"{kind}:{'/'.join(parts)}"))


@dataclass(frozen=True, slots=True)
class Maker:
    """Who makes the statement: SPIFFE URI, random hex of the process, and its running number there."""

    id: str
    boot: str
    seq: int

    def members(self) -> Members:
        """Returns the JSON members."""
        return {"id": self.id, "boot": self.boot, "seq": str(self.seq)}


@dataclass(frozen=True, slots=True)
class Operation:
    """What is called at whom. Confirmations name no service and no method."""

    provider: str
    account: str
    service: str = ""
    method: str = ""

    def members(self) -> Members:
        """Returns the JSON members."""
        return _filled(
            {
                "provider": self.provider,
                "account": self.account,
                "service": self.service,
                "method": self.method,
            }
        )


@dataclass(frozen=True, slots=True)
class Body:
    """A body that stays outside the log: its commitment (hex), its length, its type name if known."""

    commit: str
    bytes: int
    media: str = ""

    def members(self) -> Members:
        """Returns the JSON members."""
        return _filled({"commit": self.commit, "bytes": self.bytes, "media": self.media})


@dataclass(frozen=True, slots=True)
class Actor:
    """On whose behalf: SPIFFE URI of the caller, and the principal it speaks for if any."""

    ref: str
    obo: str = ""

    def members(self) -> Members:
        """Returns the JSON members."""
        return _filled({"ref": self.ref, "obo": self.obo})


@dataclass(frozen=True, slots=True)
class Intent:
    """Said by the hub before an attempt. `t` is written by `timestamp`; empty texts are left out."""

    kind: ClassVar[str] = "intent"

    id: str
    tenant: str
    t: str
    maker: Maker
    job: str
    attempt: str
    purpose: Purpose
    actor: Actor
    op: Operation
    req: Body
    term: int
    trace: str = ""
    ret: str = STANDARD_RETENTION

    def payload(self) -> bytes:
        """Returns the canonical bytes."""
        return encode(
            _filled(
                {
                    "v": VERSION,
                    "id": self.id,
                    "kind": self.kind,
                    "tenant": self.tenant,
                    "t": self.t,
                    "producer": self.maker.members(),
                    "job": self.job,
                    "attempt": self.attempt,
                    "purpose": self.purpose,
                    "trace": self.trace,
                    "actor": self.actor.members(),
                    "op": self.op.members(),
                    "req": self.req.members(),
                    "term": str(self.term),
                    "ret": self.ret,
                }
            )
        )


@dataclass(frozen=True, slots=True)
class Result:
    """What an attempt came to. `progress` is how far the request got, lower snake case.

    `commit` (hex) and `size` speak of the result's bytes, salted as the request was.
    """

    outcome: OutcomeWord
    t_done: str
    progress: str = ""
    reason: str = ""
    t_sent: str = ""
    provider_ref: str = ""
    commit: str = ""
    size: int | None = None

    def members(self) -> Members:
        """Returns the JSON members."""
        members = _filled(
            {
                "outcome": self.outcome,
                "reason": self.reason,
                "progress": self.progress,
                "t_sent": self.t_sent,
                "t_done": self.t_done,
                "provider_ref": self.provider_ref,
                "commit": self.commit,
            }
        )
        return members if self.size is None else {**members, "bytes": self.size}


@dataclass(frozen=True, slots=True)
class IntentRef:
    """The intent that evidence answers: its index and its leaf hash (hex)."""

    index: int
    leaf: str

    def members(self) -> Members:
        """Returns the JSON members."""
        return {"index": str(self.index), "leaf": self.leaf}


@dataclass(frozen=True, slots=True)
class Evidence:
    """Said by the spoke after an attempt, or by the hub where no spoke can say anything."""

    kind: ClassVar[str] = "evidence"

    t: str
    maker: Maker
    job: str
    attempt: str
    purpose: Purpose
    op: Operation
    intent: IntentRef
    res: Result
    tenant: str = ""
    trace: str = ""

    @property
    def id(self) -> str:
        """The same for every statement about one attempt, so a resend is recognised."""
        return statement_id(self.kind, self.attempt)

    def payload(self) -> bytes:
        """Returns the canonical bytes."""
        return encode(
            _filled(
                {
                    "v": VERSION,
                    "id": self.id,
                    "kind": self.kind,
                    "tenant": self.tenant,
                    "t": self.t,
                    "producer": self.maker.members(),
                    "job": self.job,
                    "attempt": self.attempt,
                    "purpose": self.purpose,
                    "trace": self.trace,
                    "op": self.op.members(),
                    "intent": self.intent.members(),
                    "res": self.res.members(),
                }
            )
        )


@dataclass(frozen=True, slots=True)
class Event:
    """The provider's event: its id and type there."""

    id: str
    type: str

    def members(self) -> Members:
        """Returns the JSON members."""
        return {"id": self.id, "type": self.type}


@dataclass(frozen=True, slots=True)
class Settled:
    """What a confirmation says about the work."""

    outcome: OutcomeWord
    reason: str = ""
    provider_ref: str = ""

    def members(self) -> Members:
        """Returns the JSON members."""
        return _filled({"outcome": self.outcome, "reason": self.reason, "provider_ref": self.provider_ref})


@dataclass(frozen=True, slots=True)
class Confirmation:
    """Said by the spoke about a verified webhook; `body.commit` is the plain SHA-256 of its raw bytes."""

    kind: ClassVar[str] = "confirmation"

    t: str
    maker: Maker
    job: str
    op: Operation
    event: Event
    body: Body
    res: Settled

    @property
    def id(self) -> str:
        """The same for every delivery of one event."""
        return statement_id(self.kind, self.op.provider, self.op.account, self.event.id)

    def payload(self) -> bytes:
        """Returns the canonical bytes."""
        return encode(
            {
                "v": VERSION,
                "id": self.id,
                "kind": self.kind,
                "t": self.t,
                "producer": self.maker.members(),
                "job": self.job,
                "op": self.op.members(),
                "event": self.event.members(),
                "body": self.body.members(),
                "res": self.res.members(),
            }
        )


@dataclass(frozen=True, slots=True)
class KeyAdd:
    """Said by the audit service: from this entry on the holder signs with the key (base64, 32 bytes)."""

    kind: ClassVar[str] = "key.add"

    t: str
    maker: Maker
    keyid: str
    holder: str
    public: str

    @property
    def id(self) -> str:
        """The same whenever this key is added."""
        return statement_id("key", self.keyid)

    def payload(self) -> bytes:
        """Returns the canonical bytes."""
        return encode(
            {
                "v": VERSION,
                "id": self.id,
                "kind": self.kind,
                "t": self.t,
                "producer": self.maker.members(),
                "key": {
                    "id": self.keyid,
                    "holder": self.holder,
                    "alg": "ed25519",
                    "public": self.public,
                },
            }
        )


@dataclass(frozen=True, slots=True)
class Action:
    """Said by the hub about what a person did, or what it did itself while it carried a plan out.

    `act` is dotted lower case, "plan.approve"; `subject` is "lane:…", "job:…" or "plan:…"; `job` is the job,
    or the plan, in whose bundle it stands; `digest` (hex) is that of the frozen ids. `reason` and `ticket`
    are the person's own words.
    """

    kind: ClassVar[str] = "action"

    id: str
    t: str
    maker: Maker
    actor: Actor
    act: str
    subject: str
    job: str = ""
    reason: str = ""
    ticket: str = ""
    digest: str = ""
    detail: str = ""

    def payload(self) -> bytes:
        """Returns the canonical bytes."""
        return encode(
            _filled(
                {
                    "v": VERSION,
                    "id": self.id,
                    "kind": self.kind,
                    "t": self.t,
                    "producer": self.maker.members(),
                    "actor": self.actor.members(),
                    "act": self.act,
                    "subject": self.subject,
                    "job": self.job,
                    "reason": self.reason,
                    "ticket": self.ticket,
                    "digest": self.digest,
                    "detail": self.detail,
                }
            )
        )


Statement: TypeAlias = Intent | Evidence | Confirmation | KeyAdd | Action


def _filled(members: Members) -> Members:
    return {key: value for key, value in members.items() if value != ""}
