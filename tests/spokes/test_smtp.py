"""The smtp spoke against aiosmtpd, a server that we did not write, and against one that breaks."""

import asyncio
import email
import sys
from contextlib import asynccontextmanager

import pytest

from integration.messaging.v1.messaging_service_pb2 import EmailReceipt, SendEmailRequest
from integration.spoke.v1 import outcome_pb2
from spokes.smtp import mapping
from tests.fakes import HandClock
from tests.spokes.harness import Work, account, free_port, operation, process, serving

SEND = operation("smtp", "SendEmail")


def letter(*receivers, **fields):
    fields = {"subject": "Grüße", "text_body": "Hello\n.\nbye", **fields}
    return SendEmailRequest(to_addresses=receivers or ["ann@example.com"], **fields)


@asynccontextmanager
async def smtp(port, tmp_path):
    accounts = account(f"smtp://127.0.0.1:{port}", from_address="shop@example.com")
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
async def scripted(mta, tmp_path):
    tasks = []
    server = await asyncio.start_server(
        lambda r, w: tasks.append(asyncio.ensure_future(mta.serve(r, w))), "127.0.0.1", 0
    )
    try:
        async with smtp(server.sockets[0].getsockname()[1], tmp_path) as running:
            yield running
    finally:
        server.close()
        for task in tasks:
            task.cancel()


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
