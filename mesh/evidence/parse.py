"""Reads statements back, strictly: what comes out writes the very bytes that went in."""

import re
from collections.abc import Callable
from typing import Final, cast, get_args

import orjson

from mesh.evidence import statement as said
from mesh.evidence.canonical import MAX_PAYLOAD_BYTES
from mesh.evidence.errors import BadStatement, NotCanonical

_Grammar = Callable[[str], object]

_UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}").fullmatch
_ATTEMPT: Final = re.compile(r"[0-9a-f-]{36}\.[1-9][0-9]{0,8}").fullmatch
_TIME: Final = re.compile(
    r"[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T([01][0-9]|2[0-3])(:[0-5][0-9]){2}\.[0-9]{9}Z"
).fullmatch
_SPIFFE: Final = re.compile(r"spiffe://[a-z0-9._-]+(/[A-Za-z0-9._-]+)+").fullmatch
_DECIMAL: Final = re.compile(r"0|[1-9][0-9]{0,17}").fullmatch
_HASH: Final = re.compile(r"[0-9a-f]{64}").fullmatch
_BOOT: Final = re.compile(r"[0-9a-f]{1,64}").fullmatch
_TRACE: Final = re.compile(r"[0-9a-f]{32}").fullmatch
_KEYID: Final = re.compile(r"[0-9a-f]{16}").fullmatch
_PUBLIC: Final = re.compile(r"[A-Za-z0-9+/]{43}=").fullmatch
_REASON: Final = re.compile(r"[A-Z][A-Z0-9_]*").fullmatch
_SNAKE: Final = re.compile(r"[a-z][a-z0-9_]*").fullmatch
_CLASS: Final = re.compile(r"[a-z0-9-]{1,32}").fullmatch
_NAME: Final = re.compile(r".{1,255}").fullmatch
_LONG: Final = re.compile(r".{1,1024}").fullmatch
_ACT: Final = re.compile(r"[a-z]{1,32}(\.[a-z_]{1,32}){1,3}").fullmatch
_PURPOSE: Final = frozenset(get_args(said.Purpose)).__contains__
_OUTCOME: Final = frozenset(get_args(said.OutcomeWord)).__contains__


def parse_statement(payload: bytes) -> said.Statement:
    """Returns the statement. BadStatement names the member at fault; NotCanonical is about the bytes."""
    if len(payload) > MAX_PAYLOAD_BYTES:
        raise NotCanonical(f"more than {MAX_PAYLOAD_BYTES} bytes")
    try:
        members = orjson.loads(payload)
    except orjson.JSONDecodeError as error:
        raise NotCanonical("not JSON") from error
    fields = _Fields(members, "")
    if fields.number("v") != said.VERSION:
        raise BadStatement("v: not 1")
    read = _READERS.get(fields.text("kind", _NAME))
    if read is None:
        raise BadStatement("kind: not known")
    statement = read(fields)
    if statement.payload() != payload:
        raise NotCanonical("bytes are not the canonical form of the statement, or hold a member beyond it")
    return statement


class _Fields:
    """The members of one object and where it stands."""

    __slots__ = ("_members", "_where")

    def __init__(self, members: object, where: str) -> None:
        if type(members) is not dict:
            raise BadStatement(f"{where.rstrip('.') or 'statement'}: not an object")
        self._members: dict[str, object] = members
        self._where = where

    def text(self, name: str, grammar: _Grammar) -> str:
        """Returns a text that must be there."""
        value = self._members.get(name)
        if type(value) is not str or not grammar(value):
            raise BadStatement(f"{self._where}{name}: missing or malformed")
        return value

    def optional(self, name: str, grammar: _Grammar) -> str:
        """Returns a text, or an empty one if it is not there."""
        return self.text(name, grammar) if name in self._members else ""

    def number(self, name: str) -> int:
        """Returns a count, zero or more."""
        value = self._members.get(name)
        if type(value) is not int or value < 0:
            raise BadStatement(f"{self._where}{name}: missing or malformed")
        return value

    def optional_number(self, name: str) -> int | None:
        """Returns a count, or None if it is not there."""
        return self.number(name) if name in self._members else None

    def inner(self, name: str) -> "_Fields":
        """Returns the members of an object that must be there."""
        return _Fields(self._members.get(name), f"{self._where}{name}.")


def _intent(fields: _Fields) -> said.Intent:
    actor = fields.inner("actor")
    job, attempt = _attempt(fields)
    return said.Intent(
        id=fields.text("id", _UUID),
        tenant=fields.text("tenant", _NAME),
        t=fields.text("t", _TIME),
        maker=_maker(fields),
        job=job,
        attempt=attempt,
        purpose=cast(said.Purpose, fields.text("purpose", _PURPOSE)),
        actor=said.Actor(actor.text("ref", _SPIFFE), actor.optional("obo", _LONG)),
        op=_operation(fields),
        req=_body(fields.inner("req"), media_required=True),
        term=int(fields.text("term", _DECIMAL)),
        trace=fields.optional("trace", _TRACE),
        ret=fields.text("ret", _CLASS),
    )


def _evidence(fields: _Fields) -> said.Evidence:
    intent = fields.inner("intent")
    job, attempt = _attempt(fields)
    return said.Evidence(
        t=fields.text("t", _TIME),
        maker=_maker(fields),
        job=job,
        attempt=attempt,
        purpose=cast(said.Purpose, fields.text("purpose", _PURPOSE)),
        op=_operation(fields),
        intent=said.IntentRef(int(intent.text("index", _DECIMAL)), intent.text("leaf", _HASH)),
        res=_result(fields.inner("res")),
        tenant=fields.optional("tenant", _NAME),
        trace=fields.optional("trace", _TRACE),
    )


def _confirmation(fields: _Fields) -> said.Confirmation:
    op, event, res = fields.inner("op"), fields.inner("event"), fields.inner("res")
    return said.Confirmation(
        t=fields.text("t", _TIME),
        maker=_maker(fields),
        job=fields.text("job", _UUID),
        op=said.Operation(op.text("provider", _NAME), op.text("account", _NAME)),
        event=said.Event(event.text("id", _NAME), event.text("type", _NAME)),
        body=_body(fields.inner("body"), media_required=False),
        res=said.Settled(
            cast(said.OutcomeWord, res.text("outcome", _OUTCOME)),
            res.optional("reason", _REASON),
            res.optional("provider_ref", _NAME),
        ),
    )


def _key_add(fields: _Fields) -> said.KeyAdd:
    key = fields.inner("key")
    return said.KeyAdd(
        t=fields.text("t", _TIME),
        maker=_maker(fields),
        keyid=key.text("id", _KEYID),
        holder=key.text("holder", _SPIFFE),
        public=key.text("public", _PUBLIC),
    )


def _action(fields: _Fields) -> said.Action:
    actor = fields.inner("actor")
    return said.Action(
        id=fields.text("id", _UUID),
        t=fields.text("t", _TIME),
        maker=_maker(fields),
        actor=said.Actor(actor.text("ref", _SPIFFE), actor.optional("obo", _LONG)),
        act=fields.text("act", _ACT),
        subject=fields.text("subject", _NAME),
        job=fields.optional("job", _UUID),
        reason=fields.optional("reason", _LONG),
        ticket=fields.optional("ticket", _NAME),
        digest=fields.optional("digest", _HASH),
        detail=fields.optional("detail", _LONG),
    )


_READERS: Final[dict[str, Callable[[_Fields], said.Statement]]] = {
    said.Intent.kind: _intent,
    said.Evidence.kind: _evidence,
    said.Confirmation.kind: _confirmation,
    said.KeyAdd.kind: _key_add,
    said.Action.kind: _action,
}


def _attempt(fields: _Fields) -> tuple[str, str]:
    job, attempt = fields.text("job", _UUID), fields.text("attempt", _ATTEMPT)
    if attempt[:36] != job:
        raise BadStatement("attempt: not of the job")
    return job, attempt


def _maker(fields: _Fields) -> said.Maker:
    producer = fields.inner("producer")
    return said.Maker(
        producer.text("id", _SPIFFE), producer.text("boot", _BOOT), int(producer.text("seq", _DECIMAL))
    )


def _operation(fields: _Fields) -> said.Operation:
    op = fields.inner("op")
    return said.Operation(
        op.text("provider", _NAME),
        op.text("account", _NAME),
        op.text("service", _NAME),
        op.text("method", _NAME),
    )


def _body(fields: _Fields, *, media_required: bool) -> said.Body:
    media = fields.text if media_required else fields.optional
    return said.Body(fields.text("commit", _HASH), fields.number("bytes"), media("media", _NAME))


def _result(fields: _Fields) -> said.Result:
    return said.Result(
        outcome=cast(said.OutcomeWord, fields.text("outcome", _OUTCOME)),
        t_done=fields.text("t_done", _TIME),
        progress=fields.optional("progress", _SNAKE),
        reason=fields.optional("reason", _REASON),
        t_sent=fields.optional("t_sent", _TIME),
        provider_ref=fields.optional("provider_ref", _NAME),
        commit=fields.optional("commit", _HASH),
        size=fields.optional_number("bytes"),
    )
