"""The smtp spoke against aiosmtpd, a server that we did not write, and against one that breaks."""

import asyncio
import email
import sys
from contextlib import asynccontextmanager

import pytest

from integration.messaging.v1.messaging_service_pb2 import EmailReceipt, SendEmailRequest
from integration.spoke.v1 import outcome_pb2
from spokes.kit.accounts import Account, Secret
from spokes.kit.errors import BadAccounts
from spokes.kit.outcome import Cause
from spokes.kit.progress import Track
from spokes.kit.spoke import Call
from spokes.smtp import mapping
from spokes.smtp.spoke import SmtpSpoke
from tests.alerts.mailbox import Mailbox
from tests.fakes import HandClock
from tests.letters import MAILBOXES, NO_MAILBOXES, SUBJECTS, decoded, own_head
from tests.spokes.harness import Work, account, free_port, operation, process, serving

SEND = operation("smtp", "SendEmail")
SHOP = "shop@example.com"
BODYS = {"Content-Type", "Content-Transfer-Encoding", "MIME-Version"}
OURS = ["From", "To", "Subject", "Date", "Message-ID"]


def letter(*receivers, **fields):
    fields = {"subject": "Grüße", "text_body": "Hello\n.\nbye", **fields}
    return SendEmailRequest(to_addresses=receivers or ["ann@example.com"], **fields)


@asynccontextmanager
async def smtp(port, tmp_path, **more):
    accounts = account(f"smtp://127.0.0.1:{port}", **{"from_address": SHOP, **more})
    async with serving("smtp", accounts, tmp_path) as running:
        yield running


async def send(running, request):
    work = Work(SEND, request)
    (result,) = await running.hub.execute(work)
    return work, result.outcome


async def test_a_letter_arrives_once_with_an_id_derived_from_the_job(tmp_path):
    port, mailbox = free_port(), tmp_path / "mailbox"
    command = ["-m", "aiosmtpd", "-n", "-l", f"127.0.0.1:{port}", "-c", "aiosmtpd.handlers.Mailbox"]
    async with process(sys.executable, *command, str(mailbox), port=port), smtp(port, tmp_path) as running:
        work, outcome = await send(
            running, letter("ann@example.com", "bob@example.com", html_body="<b>x</b>")
        )
    receipt = EmailReceipt()
    assert outcome.succeeded.result.Unpack(receipt)
    assert receipt == EmailReceipt(message_id=f"{work.job_id}@example.com", accepted_count=2)
    (file,) = (mailbox / "new").iterdir()
    arrived = email.message_from_bytes(file.read_bytes(), policy=email.policy.default)
    assert arrived["Message-ID"] == f"<{work.job_id}@example.com>"
    assert arrived["Subject"] == "Grüße"
    assert arrived.get_body(("plain",)).get_content() == "Hello\n.\nbye\n"


@pytest.fixture
async def mailbox():
    """A mail system that takes all."""
    mailbox = Mailbox()
    await mailbox.start()
    yield mailbox
    await mailbox.stop()


async def send_all(mailbox, tmp_path, requests, **settings):
    works = [Work(SEND, request) for request in requests]
    async with smtp(mailbox.port, tmp_path, **settings) as running:
        return [result.outcome for result in await running.hub.execute(*works)]


@pytest.mark.parametrize("html", ["", "<b>x</b>"])
async def test_a_subject_arrives_as_text_and_adds_no_header_and_no_body(mailbox, tmp_path, html):
    outcomes = await send_all(mailbox, tmp_path, [letter(subject=s, html_body=html) for s in SUBJECTS])
    assert {o.WhichOneof("kind") for o in outcomes} == {"succeeded"}
    arrived = [own_head(raw) for raw in mailbox.raw]
    assert sorted(decoded(fields["Subject"]) for fields in arrived) == sorted(SUBJECTS)
    for fields in arrived:
        assert [name for name in fields if name not in BODYS] == OURS
        assert (fields["From"], fields["To"]) == (SHOP, "ann@example.com")
    assert all(b"another body" not in raw and b"thief@evil.example" not in raw for raw in mailbox.raw)


async def test_a_letter_goes_to_whom_it_names_byte_for_byte(mailbox, tmp_path):
    requests = [letter(*MAILBOXES, from_address=sender) for sender in MAILBOXES]
    outcomes = await send_all(mailbox, tmp_path, requests)
    assert {o.WhichOneof("kind") for o in outcomes} == {"succeeded"}
    assert sorted(mailbox.senders) == sorted(MAILBOXES)
    assert mailbox.receivers == [MAILBOXES] * len(MAILBOXES)
    for sender, raw in zip(mailbox.senders, mailbox.raw, strict=True):
        assert own_head(raw)["From"] == sender
        assert own_head(raw)["To"] == ", ".join(MAILBOXES)


async def test_to_what_is_no_mailbox_no_letter_goes_and_there_is_no_doubt(mailbox, tmp_path):
    unfit = [letter("ann@example.com", address) for address in NO_MAILBOXES]
    unfit += [letter(from_address=address) for address in NO_MAILBOXES]
    outcomes = await send_all(mailbox, tmp_path, unfit)
    assert {o.not_sent.reason for o in outcomes} == {"NOT_A_LETTER"}
    assert not any(o.HasField("sent_time") for o in outcomes)
    assert mailbox.raw == []


@pytest.mark.parametrize("from_address", ["", None, 7, "Shop <shop@example.com>", "nonsense", *NO_MAILBOXES])
async def test_an_account_without_a_mailbox_to_send_from_stops_the_start(tmp_path, from_address):
    with pytest.raises(BadAccounts, match=r"^default\.from_address: ") as refused:
        async with smtp(1, tmp_path, from_address=from_address):
            pass
    assert not from_address or str(from_address) not in str(refused.value)


@pytest.mark.parametrize("backend", ["inline", "ray"])
async def test_an_account_that_names_no_sender_stops_the_start(tmp_path, backend):
    with pytest.raises(BadAccounts, match=r"^default\.from_address: "):
        async with serving("smtp", account("smtp://127.0.0.1:1"), tmp_path, backend=backend):
            pass


@pytest.mark.parametrize(("port", "username"), [(99999, "shop"), (None, "sh\udcffop")])
async def test_settings_that_the_client_refuses_are_no_doubt(port, username):
    async with listening(Mta(EHLO="250-hello\r\n250 AUTH PLAIN")) as real:
        extra = {"from_address": SHOP, "username": username}
        settings = Account(
            "default", f"smtp://127.0.0.1:{port or real}", sandbox=True, api_key=Secret("x"), extra=extra
        )
        track = Track(HandClock())
        call = Call("job", settings, "key", "", HandClock().now(), http=None, track=track)
        outcome = await SmtpSpoke().send_email(call, letter())
    assert (outcome.cause, outcome.reason) == (Cause.MISCONFIGURED, "UNFIT_SETTINGS")
    assert not track.may_have_left


async def test_nobody_listens(tmp_path):
    async with smtp(free_port(), tmp_path) as running:
        _, outcome = await send(running, letter())
    assert outcome.not_sent.cause == outcome_pb2.NOT_SENT_CAUSE_PROVIDER_DOWN
    assert not outcome.HasField("sent_time")


GOOD = {
    "connect": "220 hello",
    "EHLO": "250 hello",
    "MAIL": "250 ok",
    "RCPT": "250 ok",
    "DATA": "354 go on",
    ".": "250 taken",
}


class Mta:
    """A mail system on a raw socket that answers by a script; "" cuts the connection, None is silence."""

    def __init__(self, **script):
        self.script = {**GOOD, **script}
        self.letters = 0
        self.rcpt = []

    async def serve(self, reader, writer):
        await self._say(writer, "connect")
        while not writer.is_closing() and (line := (await reader.readline()).decode()):
            verb = line[:4].strip().upper()
            if verb == "QUIT":
                break
            if verb == "RCPT" and self.rcpt:
                writer.write(f"{self.rcpt.pop(0)}\r\n".encode())
                continue
            await self._say(writer, verb)
            if verb == "DATA" and self.script["DATA"].startswith("354"):
                await reader.readuntil(b"\r\n.\r\n")
                self.letters += 1
                await self._say(writer, ".")
        writer.close()

    async def _say(self, writer, step):
        reply = self.script[step]
        if reply is None:
            await asyncio.sleep(3600)
        if reply:
            writer.write(f"{reply}\r\n".encode())
        else:
            writer.transport.abort()


@asynccontextmanager
async def listening(mta):
    tasks = []
    server = await asyncio.start_server(
        lambda r, w: tasks.append(asyncio.ensure_future(mta.serve(r, w))), "127.0.0.1", 0
    )
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in tasks:
            task.cancel()


@asynccontextmanager
async def scripted(mta, tmp_path):
    async with listening(mta) as port, smtp(port, tmp_path) as running:
        yield running


@pytest.mark.parametrize(
    ("script", "kind", "why"),
    [
        ({"connect": "421 busy"}, "not_sent", "SMTP_421"),
        ({"connect": ""}, "not_sent", "CONNECTION_REFUSED"),
        ({"EHLO": ""}, "not_sent", "CONNECTION_REFUSED"),
        ({"MAIL": "451 later"}, "not_sent", "SMTP_451"),
        ({"MAIL": "550 never"}, "declined", "SMTP_550"),
        ({"MAIL": ""}, "not_sent", "CONNECTION_REFUSED"),
        ({"RCPT": "450 later"}, "not_sent", "SMTP_450"),
        ({"RCPT": "550 no such"}, "declined", "SMTP_550"),
        ({"RCPT": ""}, "not_sent", "CONNECTION_REFUSED"),
        ({"DATA": "451 later"}, "not_sent", "SMTP_451"),
        ({"DATA": "554 never"}, "declined", "SMTP_554"),
        ({"DATA": ""}, "unknown", "REPLY_CUT"),
        ({".": "452 full"}, "not_sent", "SMTP_452"),
        ({".": "554 spam"}, "declined", "SMTP_554"),
        ({".": ""}, "unknown", "REPLY_CUT"),
    ],
    ids=lambda value: str(value),
)
async def test_each_step_that_fails_gives_its_outcome(script, kind, why, tmp_path):
    async with scripted(Mta(**script), tmp_path) as running:
        _, outcome = await send(running, letter())
    assert outcome.WhichOneof("kind") == kind
    assert getattr(outcome, kind).reason == why


async def test_silence_after_the_letter_is_unknown_and_the_letter_went_once(tmp_path):
    mta = Mta(**{".": None})
    async with scripted(mta, tmp_path) as running:
        (result,) = await running.hub.execute(Work(SEND, letter(), timeout=0.3))
    assert result.outcome.unknown.reason == "REPLY_TIMEOUT"
    assert mta.letters == 1


async def test_refused_receivers_are_counted(tmp_path):
    mta = Mta()
    mta.rcpt = ["250 ok", "550 no", "450 later"]
    async with scripted(mta, tmp_path) as running:
        _, outcome = await send(running, letter("a@x.org", "b@x.org", "c@x.org"))
    receipt = EmailReceipt()
    outcome.succeeded.result.Unpack(receipt)
    assert (receipt.accepted_count, receipt.refused_count) == (1, 2)


async def test_smtp_cannot_be_asked(tmp_path):
    async with smtp(free_port(), tmp_path) as running:
        (result,) = await running.hub.execute(Work(SEND, letter(), purpose="look_up"))
    assert result.outcome.unknown.reason == "NO_LOOK_UP"


@pytest.mark.parametrize(
    "fields",
    [
        {"subject": "x\r\nBcc: thief@example.com"},
        {"subject": "x\nBcc: thief@example.com"},
        {"subject": "x\u2028Bcc: thief@example.com"},
        {"from_address": "a@b.c\r\nRCPT TO:<thief@example.com>"},
        {"from_address": "a@b.c> SIZE=1 <"},
        {"to_addresses": ["a@b.c,thief@example.com"]},
        {"to_addresses": ["a@b.c\rthief"]},
    ],
    ids=lambda fields: repr(fields),
)
def test_nothing_can_be_smuggled_into_a_header(fields):
    request = SendEmailRequest(**{"to_addresses": ["ann@example.com"], "subject": "x", **fields})
    made = mapping.letter(
        request, job_id="job", job_created_at=HandClock().now(), default_sender="shop@example.com"
    )
    assert not isinstance(made, mapping.Letter)


def test_the_letter_is_the_same_on_every_attempt():
    def make():
        request = letter(html_body="<b>x</b>")
        return mapping.letter(
            request, job_id="job", job_created_at=HandClock().now(), default_sender="shop@example.com"
        )

    assert make() == make()
