"""Alerts by e-mail to aiosmtpd, a server that we did not write."""

import email
import email.policy
import logging
import ssl
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.alerts.mail import Mail, Tls, letter, subject
from hub.alerts.model import Alert, AlertState
from mesh.ca import CertificateAuthority
from mesh.identity import SpiffeId
from tests.alerts.mailbox import Mailbox
from tests.alerts.rig import Desk, alert
from tests.hub.jobs import NOW
from tests.letters import NO_MAILBOXES, SUBJECTS, decoded, own_head

ANN, BOB = "ann@example.com", "bob@example.com"


@pytest.fixture
async def mailbox() -> AsyncIterator[Mailbox]:
    """A mail system that takes all."""
    mailbox = Mailbox()
    await mailbox.start()
    yield mailbox
    await mailbox.stop()


def sink(mailbox: Mailbox) -> Mail:
    """The mail system as a sink."""
    return Mail(
        "on-call",
        host="127.0.0.1",
        port=mailbox.port,
        tls="none",
        sender="hub@example.org",
        receivers=(ANN, BOB),
    )


async def test_a_letter_says_what_is_wrong_to_all_receivers(desk: Desk, mailbox: Mailbox) -> None:
    await desk.store.raise_alert(alert(summary="3 jobs are dead: Überlast"))
    await desk.tell(sink(mailbox))
    (state,) = await desk.store.firing()
    (got,) = mailbox.letters
    assert got["Subject"] == "[SEV1] DeadLetters stripe/default"
    assert got["Auto-Submitted"] == "auto-generated"
    assert got["Message-ID"] == f"<{state.change_id}@example.org>"
    assert mailbox.receivers == [[ANN, BOB]]
    assert got.get_content().splitlines() == [
        "3 jobs are dead: Überlast",
        "",
        "Alert: DeadLetters/stripe/default/provider_down",
        "Severity: SEV1",
        "account: default",
        "cause: provider_down",
        "provider: stripe",
        f"Started: {state.started_at:%Y-%m-%d %H:%M:%S} UTC",
        "It goes on.",
        "What to do: docs/runbooks/provider-down.md",
    ]


@pytest.mark.parametrize("words", [s for s in SUBJECTS if s.strip()])
async def test_what_an_alert_says_arrives_as_text_and_adds_no_header(
    desk: Desk, mailbox: Mailbox, words: str
) -> None:
    said = replace(alert(), name=words)
    await desk.store.raise_alert(said)
    await desk.tell(sink(mailbox))
    (state,), (raw,) = await desk.store.firing(), mailbox.raw
    got = own_head(raw)
    assert list(got) == [
        *("From", "To", "Subject", "Date", "Message-ID", "References", "Auto-Submitted"),
        *("Content-Type", "Content-Transfer-Encoding", "MIME-Version"),
    ]
    assert (got["From"], got["To"]) == ("hub@example.org", f"{ANN}, {BOB}")
    assert decoded(got["Subject"]) == subject(state)
    assert mailbox.senders == ["hub@example.org"]
    assert mailbox.receivers == [[ANN, BOB]]


@pytest.mark.parametrize("address", NO_MAILBOXES)
async def test_to_what_is_no_mailbox_nothing_is_sent_and_nothing_breaks(
    desk: Desk, mailbox: Mailbox, address: str
) -> None:
    await desk.store.raise_alert(alert())
    states = await desk.store.firing()
    for unfit in (replace(sink(mailbox), sender=address), replace(sink(mailbox), receivers=(ANN, address))):
        assert await unfit.send(states, desk.clock.now()) == ["UnfitLetter"]
    assert mailbox.raw == []


async def test_killed_between_sending_and_writing_it_down_it_sends_the_same_letter_again(
    desk: Desk, mailbox: Mailbox
) -> None:
    await desk.store.raise_alert(alert())
    assert await sink(mailbox).send(await desk.store.firing(), desk.clock.now()) == [None]
    desk.clock.move(5)
    await desk.tell(sink(mailbox))
    first, second = mailbox.letters
    assert first.as_bytes() == second.as_bytes()


async def test_the_end_is_a_letter_of_its_own_in_the_same_conversation(desk: Desk, mailbox: Mailbox) -> None:
    await desk.store.raise_alert(alert())
    await desk.tell(sink(mailbox))
    await desk.store.end_alert(alert().key)
    await desk.tell(sink(mailbox))
    await desk.store.raise_alert(alert())
    await desk.tell(sink(mailbox))
    begun, ended, again = mailbox.letters
    assert ended["Subject"] == "[SEV1] ended: DeadLetters stripe/default"
    assert len({m["Message-ID"] for m in mailbox.letters}) == 3
    assert begun["References"] == ended["References"] != again["References"]


async def test_a_mail_system_that_is_down_gets_all_letters_when_it_is_back(
    desk: Desk, mailbox: Mailbox
) -> None:
    await mailbox.stop()
    for cause in ("provider_down", "poison"):
        await desk.store.raise_alert(alert(cause))
    await desk.tell(sink(mailbox))
    await mailbox.start()
    desk.clock.move(1)
    await desk.tell(sink(mailbox))
    assert len(mailbox.letters) == 2


async def test_a_receiver_refused_for_now_gets_it_later(desk: Desk, mailbox: Mailbox) -> None:
    mailbox.refusals = {BOB: "450 try again"}
    await desk.store.raise_alert(alert())
    await desk.tell(sink(mailbox))
    mailbox.refusals = {}
    desk.clock.move(1)
    await desk.tell(sink(mailbox))
    assert mailbox.receivers == [[ANN], [ANN, BOB]]
    assert len({m["Message-ID"] for m in mailbox.letters}) == 1


async def test_a_receiver_refused_for_good_is_logged_without_the_address(
    desk: Desk, mailbox: Mailbox, caplog: pytest.LogCaptureFixture
) -> None:
    mailbox.refusals = {BOB: f"550 no {BOB} here"}
    await desk.store.raise_alert(alert())
    await desk.tell(sink(mailbox))
    desk.clock.move(60)
    await desk.tell(sink(mailbox))
    assert mailbox.receivers == [[ANN]]
    (said,) = [r for r in caplog.records if r.name == "hub.alerts.mail"]
    assert said.levelno == logging.WARNING
    assert BOB not in str(vars(said))


@pytest.mark.parametrize(
    ("known", "password", "arrives"), [(True, "pa55word", 1), (True, "other", 0), (False, "pa55word", 0)]
)
async def test_it_logs_in_over_tls_to_a_mail_system_that_it_knows(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, known: bool, password: str, arrives: int
) -> None:
    CertificateAuthority.create("mail.example").issue(SpiffeId("mail.example", "mail", "a"), tmp_path)
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")
    if known:
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    mailbox = Mailbox(tls=tls, password=b"pa55word")
    await mailbox.start()
    await desk.store.raise_alert(alert())
    await desk.tell(replace(sink(mailbox), tls="starttls", username="hub", password=password))
    await mailbox.stop()
    assert len(mailbox.letters) == arrives


@pytest.mark.parametrize("tls", ["starttls", "implicit"])
@pytest.mark.parametrize("username", ["", "hub"])
async def test_nothing_leaves_without_tls_where_tls_is_wanted(
    desk: Desk, mailbox: Mailbox, tls: Tls, username: str, caplog: pytest.LogCaptureFixture
) -> None:
    secret = replace(sink(mailbox), tls=tls, username=username, password="pa55word")
    await desk.store.raise_alert(alert())
    await desk.tell(secret)
    assert mailbox.letters == []
    ours = [vars(r) for r in caplog.records if r.name.startswith("hub.")]
    assert len(ours) == 1
    for hidden in ("pa55word", ANN, "hub@example.org"):
        assert hidden not in str(ours) + repr(secret)


TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))


@given(name=TEXT, severity=TEXT, provider=TEXT, summary=TEXT, runbook=TEXT, ended=st.booleans())
def test_nothing_that_an_alert_says_can_end_a_header_or_a_line(
    name: str, severity: str, provider: str, summary: str, runbook: str, ended: bool
) -> None:
    said = Alert(
        key=name,
        name=name,
        severity=severity,
        labels={"provider": provider, "account": provider},
        summary=summary,
        runbook=runbook,
    )
    state = AlertState(said, 1, NOW, NOW, NOW + timedelta(seconds=1) if ended else None)
    got = email.message_from_bytes(letter(state, "hub@example.org", [ANN]))
    assert sorted(got.keys()) == sorted(
        [
            *("From", "To", "Subject", "Date", "Message-ID", "References", "Auto-Submitted"),
            *("Content-Type", "Content-Transfer-Encoding", "MIME-Version"),
        ]
    )
    assert got["To"] == ANN
    body = got.get_payload(decode=True)
    assert isinstance(body, bytes)
    assert len(body.decode().splitlines()) <= 9


def test_a_subject_with_line_breaks_is_one_line() -> None:
    said = Alert("k", "Dead\r\nBcc: eve@example.com\r\n\r\nx", "SEV1", {"provider": "a\nTo: b"}, "s")
    content = letter(AlertState(said, 1, NOW, NOW, None), "hub@example.org", [ANN])
    got = email.message_from_bytes(content, policy=email.policy.default)
    assert got["Subject"] == "[SEV1] Dead Bcc: eve@example.com x a To: b"
    assert got["Bcc"] is None
