"""The page on events is true: its sample is read, its body is what is sent, its snippet verifies it."""

import base64
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from hub import tenants_file
from hub.callbacks.sending import message_id, payload
from hub.events.told import EventKind, Side, Told
from hub.jobs.agreeing import Sum
from hub.jobs.contradicting import Proposal
from hub.jobs.model import JobState
from hub.posting.signing import signed_headers
from tests.docs.readme import ROOT, blocks

PAGE = ROOT / "docs" / "events.md"
KEYS = [bytes(range(24)), bytes(range(1, 33))]
SECRETS = [f"whsec_{base64.b64encode(key).decode()}" for key in KEYS]
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
TOLD = Told(
    cursor=41,
    tenant="acme",
    kind=EventKind.DISPUTE,
    lane="stripe/acme-live",
    event_id="evt_1",
    type="charge.dispute.created",
    kept_at=NOON,
    happened_at=datetime(2026, 11, 24, 11, 59, 58, tzinfo=UTC),
    job_id="01890000-0000-7000-8000-000000000001",
    operation="integration.payments.v1.PaymentsService/Charge",
    state=JobState.SUCCEEDED,
    job=Side("SUCCEEDED", "pi_1"),
    provider=Side("", "pi_1", Sum(1250, "EUR")),
    differs="",
    proposal=Proposal.INVESTIGATE,
)

Verify = Callable[[Sequence[str], Mapping[str, str], bytes], bool]


@pytest.fixture
def is_genuine() -> Verify:
    """The page's function, executed."""
    (source,) = blocks("python", PAGE)
    found: dict[str, Any] = {}
    exec(source, found)
    verify: Verify = found["is_genuine"]
    return verify


def test_the_entry_of_the_page_is_read(tmp_path: Path) -> None:
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "acme-events").write_text("\n".join(SECRETS))
    (tmp_path / "tenants.json").write_text(blocks("json", PAGE)[0])
    endpoint = tenants_file.load(tmp_path / "tenants.json").rights("acme").events
    assert endpoint is not None
    assert list(endpoint.keys) == KEYS
    assert not endpoint.allow_private


def test_the_page_shows_the_body_as_it_is() -> None:
    assert json.loads(blocks("json", PAGE)[1]) == json.loads(payload(TOLD))


def test_the_snippet_takes_what_the_hub_signs_and_nothing_else(is_genuine: Verify) -> None:
    body, now = payload(TOLD), datetime.fromtimestamp(time.time(), UTC)
    headers = signed_headers(KEYS, message_id(TOLD), body, now)
    for secret in SECRETS:
        assert is_genuine([secret], headers, body)
    assert not is_genuine(["whsec_" + base64.b64encode(b"x" * 24).decode()], headers, body)
    assert not is_genuine(SECRETS, headers, body.replace(b"1250", b"9250"))
    assert not is_genuine(SECRETS, {**headers, "webhook-id": "event_1"}, body)
    assert not is_genuine(SECRETS, signed_headers(KEYS, message_id(TOLD), body, NOON), body)


def test_an_event_has_one_id_however_its_cursor_or_kind_is_told() -> None:
    assert message_id(TOLD) == message_id(replace(TOLD, cursor=42))
    assert message_id(TOLD) != message_id(replace(TOLD, kind=EventKind.REVERSAL))
