"""The file of sinks: what the page shows is read, what is wrong is named and not shown."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from hub.alerts.alertmanager import Alertmanager
from hub.alerts.mail import Mail
from hub.alerts.signed_webhook import SignedWebhook
from hub.alerts.sinks import load_sinks
from mesh.settings import SettingsError
from tests.docs.readme import ROOT, blocks
from tests.letters import NO_MAILBOXES

PAGE = ROOT / "docs" / "alerts.md"
OLD, NEW = (base64.b64encode(bytes([n]) * 32).decode() for n in (1, 2))
HOOK = {"name": "h", "kind": "webhook", "url": "https://example.com/h", "secret_file": "secrets/operations"}
MAIL = {"name": "m", "kind": "smtp", "host": "::1", "port": 25, "from": "a@b.example", "to": ["c@d.example"]}


def sinks_file(directory: Path, content: Any) -> Path:
    """A file of sinks, with secrets beside it."""
    secrets = directory / "secrets"
    secrets.mkdir()
    (secrets / "operations").write_text(f"whsec_{OLD}\nwhsec_{NEW}\n")
    (secrets / "mail").write_text("pa55word\n")
    (secrets / "empty").write_text("\n")
    (secrets / "short").write_text("whsec_c2hvcnQ=")
    (secrets / "odd").write_text("to\nken")
    (secrets / "accented").write_text("s3cret\u00e9")
    (secrets / "bare").write_text(OLD)
    (secrets / "one-of-two").write_text(f"whsec_{OLD}\nwhsec_\n")
    path = directory / "sinks.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def test_the_file_that_the_page_shows_is_read(tmp_path: Path) -> None:
    _, shown = blocks("json", PAGE)
    alertmanager, hook, mail = load_sinks(sinks_file(tmp_path, shown))
    assert alertmanager == Alertmanager("alertmanager", "http://alertmanager.monitoring:9093")
    keys = (bytes([1]) * 32, bytes([2]) * 32)
    assert hook == SignedWebhook("operations", "https://operations.example.com/hooks/alerts", keys)
    assert mail == Mail(
        "on-call",
        host="mail.example.com",
        port=587,
        tls="starttls",
        sender="hub@example.com",
        receivers=("on-call@example.com",),
        username="hub",
        password="pa55word",
    )


def test_no_sinks_are_no_mistake(tmp_path: Path) -> None:
    assert list(load_sinks(sinks_file(tmp_path, []))) == []


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ("{", "sinks.json cannot be read"),
        ({}, "sinks.json is not a list"),
        ([7], "sinks.json[0] is not an object"),
        ([{**HOOK, "kind": "pager"}], "[0].kind is none of alertmanager, webhook, smtp"),
        ([{**HOOK, "name": "A b"}], "[0].name"),
        ([{**HOOK, "secret": "s3cret"}], "[0].secret is not known there"),
        ([{k: v for k, v in HOOK.items() if k != "secret_file"}], "[0].secret_file is missing"),
        ([{**HOOK, "secret_file": "s3cret"}], "[0].secret_file names a file that cannot be read"),
        ([{**HOOK, "secret_file": "secrets/empty"}], "[0].secret_file names a file that is empty"),
        ([{**HOOK, "secret_file": "secrets/short"}], "[0].secret_file"),
        ([{**HOOK, "url": "http://example.com/s3cret"}], "[0].url must be https"),
        ([{**HOOK, "url": "ftp://s3cret"}], "[0].url"),
        ([{**HOOK, "url": "https://u:s3cret@example.com"}], "[0].url"),
        ([{**HOOK, "url": "https://[s3cret"}], "[0].url"),
        ([{**HOOK, "url": "https://s3cret:99999"}], "[0].url"),
        ([{**HOOK, "url": "https://:s3cret@example.com"}], "[0].url"),
        ([{**HOOK, "url": "https://example.com/s3cret\n"}], "[0].url"),
        ([{**HOOK, "url": "https://example.com/s3 cret"}], "[0].url"),
        ([{**HOOK, "url": "https://example.com/s3cret\u00e9"}], "[0].url"),
        ([{**HOOK, "secret_file": "secrets/bare"}], "[0].secret_file names a secret that is not whsec_"),
        (
            [{**HOOK, "secret_file": "secrets/one-of-two"}],
            "[0].secret_file names a secret that is not whsec_",
        ),
        ([HOOK, {**MAIL, "username": "s3cret\n"}], "[1].username"),
        ([HOOK, {**MAIL, "username": " s3cret"}], "[1].username"),
        ([HOOK, {**MAIL, "password_file": "secrets/odd"}], "[1].password_file"),
        ([HOOK, {**MAIL, "password_file": "secrets/accented"}], "[1].password_file"),
        ([HOOK, {**MAIL, "port": "25"}], "[1].port"),
        ([HOOK, {**MAIL, "port": True}], "[1].port"),
        ([HOOK, {**MAIL, "host": "mail.example.com", "tls": "none"}], "[1].tls"),
        ([HOOK, {**MAIL, "tls": "ssl"}], "[1].tls"),
        ([HOOK, {**MAIL, "from": "s3cret"}], "[1].from"),
        ([HOOK, {**MAIL, "to": ["c@d.example", "s3cret\r\nBcc: e@f.example"]}], "[1].to"),
        ([HOOK, {**MAIL, "to": []}], "[1].to"),
        ([HOOK, {**MAIL, "name": "h"}], "two sinks the same"),
        (
            [
                {
                    "name": "a",
                    "kind": "alertmanager",
                    "url": "http://am:9093",
                    "bearer_token_file": "secrets/mail",
                }
            ],
            "[0].url must be https",
        ),
        (
            [{"name": "a", "kind": "alertmanager", "url": "https://am", "bearer_token_file": "secrets/odd"}],
            "[0].bearer_token_file",
        ),
    ],
)
def test_a_mistake_is_named_and_its_value_is_not_shown(tmp_path: Path, content: Any, named: str) -> None:
    with pytest.raises(SettingsError) as refused:
        load_sinks(sinks_file(tmp_path, content))
    assert named in str(refused.value)
    for hidden in ("s3cret", "pa55word", OLD):
        assert hidden not in str(refused.value)
        assert refused.value.__cause__ is None


@pytest.mark.parametrize("address", NO_MAILBOXES)
def test_a_mail_sink_of_no_mailbox_is_refused_by_its_key(tmp_path: Path, address: str) -> None:
    path = sinks_file(tmp_path, [])
    for key, value in (("from", address), ("to", ["c@d.example", address])):
        path.write_text(json.dumps([{**MAIL, key: value}]))
        with pytest.raises(SettingsError, match=rf"\[0\]\.{key} ") as refused:
            load_sinks(path)
        assert address not in str(refused.value)


def test_no_sink_shows_its_secrets(tmp_path: Path) -> None:
    _, shown = blocks("json", PAGE)
    said = repr(load_sinks(sinks_file(tmp_path, shown)))
    for hidden in ("pa55word", OLD, repr(bytes([1]) * 32), "on-call@example.com", "operations.example.com"):
        assert hidden not in said
