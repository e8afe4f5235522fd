"""Statements: what is written is read back, and nothing else is."""

import hashlib
import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import orjson
import pytest

from mesh.evidence import statement as said
from mesh.evidence.errors import BadStatement, EvidenceError, NotCanonical
from mesh.evidence.parse import parse_statement

JOB = "0198f6e0-0000-7000-8000-000000000001"
T = "2026-11-24T09:00:00.123456000Z"
MAKER = said.Maker("spiffe://integration.local/hub/hub", "00ff", 7)
OP = said.Operation("stripe", "default", "integration.payments.v1.PaymentsService", "Charge")
INTENT = said.Intent(
    id=str(uuid.UUID(int=5)),
    tenant="acme",
    t=T,
    maker=MAKER,
    job=JOB,
    attempt=f"{JOB}.1",
    purpose="execute",
    actor=said.Actor("spiffe://integration.local/core/demo", "Zoë"),
    op=OP,
    req=said.Body("ab" * 32, 10, "integration.payments.v1.ChargeRequest"),
    term=3,
    trace="0a" * 16,
)
EVIDENCE = said.Evidence(
    t=T,
    maker=MAKER,
    job=JOB,
    attempt=f"{JOB}.1",
    purpose="execute",
    op=OP,
    intent=said.IntentRef(12, "cd" * 32),
    res=said.Result("succeeded", T, "reply_read", "", T, "ch_1", "ef" * 32, 0),
    tenant="acme",
)
CONFIRMATION = said.Confirmation(
    t=T,
    maker=MAKER,
    job=JOB,
    op=said.Operation("stripe", "default"),
    event=said.Event("evt_1", "charge.succeeded"),
    body=said.Body("01" * 32, 20),
    res=said.Settled("declined", "CARD_DECLINED", "ch_1"),
)
KEY_ADD = said.KeyAdd(t=T, maker=MAKER, keyid="0011223344556677", holder=MAKER.id, public="A" * 43 + "=")
ALL = [INTENT, EVIDENCE, CONFIRMATION, KEY_ADD]


@pytest.mark.parametrize("statement", ALL, ids=lambda statement: statement.kind)
def test_a_statement_reads_back_as_it_was_written(statement: said.Statement) -> None:
    assert parse_statement(statement.payload()) == statement


def test_optional_members_may_be_left_out() -> None:
    bare = replace(EVIDENCE, res=said.Result("unknown", T), tenant="", trace="")
    assert b'"res":{"outcome":"unknown","t_done"' in bare.payload()
    assert parse_statement(bare.payload()) == bare


@pytest.mark.parametrize("statement", ALL, ids=lambda statement: statement.kind)
def test_no_member_can_be_missing_renamed_retyped_or_added(statement: said.Statement) -> None:
    optional = {"trace", "obo", "reason", "progress", "t_sent", "provider_ref"}
    optional |= {"commit", "bytes", "tenant"} if statement.kind == "evidence" else set()
    for path in _paths(orjson.loads(statement.payload())):
        for change in (_remove, _retype, _empty, _add_beside):
            if change is _remove and path[-1] in optional:
                continue
            mangled = orjson.loads(statement.payload())
            change(mangled, path)
            with pytest.raises(EvidenceError):
                parse_statement(orjson.dumps(mangled, option=orjson.OPT_SORT_KEYS))


def _paths(members: dict[str, object], above: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    paths: list[tuple[str, ...]] = []
    for key, value in members.items():
        paths.append((*above, key))
        if isinstance(value, dict):
            paths += _paths(value, (*above, key))
    return paths


def _holder(members: dict[str, dict], path: tuple[str, ...]) -> dict:  # type: ignore[type-arg]
    for key in path[:-1]:
        members = members[key]
    return members


def _remove(members: dict[str, dict], path: tuple[str, ...]) -> None:  # type: ignore[type-arg]
    del _holder(members, path)[path[-1]]


def _retype(members: dict[str, dict], path: tuple[str, ...]) -> None:  # type: ignore[type-arg]
    _holder(members, path)[path[-1]] = True


def _empty(members: dict[str, dict], path: tuple[str, ...]) -> None:  # type: ignore[type-arg]
    _holder(members, path)[path[-1]] = ""


def _add_beside(members: dict[str, dict], path: tuple[str, ...]) -> None:  # type: ignore[type-arg]
    _holder(members, path)["zz_extra"] = "x"


@pytest.mark.parametrize(
    ("statement", "member"),
    [
        (replace(INTENT, attempt="0198f6e0-0000-7000-8000-000000000002.1"), "attempt"),
        (replace(INTENT, attempt=f"{JOB}.0"), "attempt"),
        (replace(INTENT, purpose="resend"), "purpose"),
        (replace(INTENT, t="2026-11-24T09:00:60.000000000Z"), "t"),
        (replace(INTENT, t="2026-13-24T09:00:00.000000000Z"), "t"),
        (replace(INTENT, id=str(uuid.UUID(int=5)).upper().replace("0", "A")), "id"),
        (replace(INTENT, req=replace(INTENT.req, commit="AB" * 32)), "req.commit"),
        (replace(INTENT, req=replace(INTENT.req, bytes=-1)), "req.bytes"),
        (replace(INTENT, term=-1), "term"),
        (replace(EVIDENCE, res=replace(EVIDENCE.res, outcome="maybe")), "res.outcome"),
        (replace(EVIDENCE, res=replace(EVIDENCE.res, reason="lower")), "res.reason"),
    ],
)
def test_the_member_at_fault_is_named(statement: said.Statement, member: str) -> None:
    with pytest.raises(BadStatement, match=f"^{member}: "):
        parse_statement(statement.payload())


def test_an_id_that_should_follow_from_the_content_cannot_be_another() -> None:
    payload = EVIDENCE.payload().replace(EVIDENCE.id.encode(), str(uuid.UUID(int=1)).encode())
    with pytest.raises(NotCanonical):
        parse_statement(payload)


def test_ids_follow_from_what_is_spoken_of() -> None:
    assert EVIDENCE.id == str(uuid.uuid5(uuid.NAMESPACE_OID, f"evidence:{JOB}.1"))
    assert CONFIRMATION.id == str(uuid.uuid5(uuid.NAMESPACE_OID, "confirmation:stripe/default/evt_1"))
    assert KEY_ADD.id == str(uuid.uuid5(uuid.NAMESPACE_OID, "key:0011223344556677"))


def test_times_are_utc_with_nine_digits() -> None:
    moment = datetime(2026, 1, 2, 3, 4, 5, 67, tzinfo=timezone(timedelta(hours=1)))
    assert said.timestamp(moment) == "2026-01-02T02:04:05.000067000Z"
    assert said.timestamp(datetime(2026, 1, 2, tzinfo=UTC)) == "2026-01-02T00:00:00.000000000Z"


def test_a_commitment_depends_on_salt_and_body() -> None:
    salt = bytes(32)
    assert said.commit(salt, b"x") == hashlib.sha256(b"audit-commit/v1\x00" + salt + b"x").digest()
    with pytest.raises(ValueError, match="32"):
        said.commit(b"short", b"x")
