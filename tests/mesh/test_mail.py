"""Mailboxes and letters: what is written is what was given, for every reader."""

import email
import email.policy
from email.message import EmailMessage
from email.utils import parseaddr

import pytest
from aiosmtplib.email import quote_address
from hypothesis import example, given
from hypothesis import strategies as st

from integration.common.v1 import rules_pb2
from integration.messaging.v1.messaging_service_pb2 import SendEmailRequest
from mesh.mail import MAILBOX, MAILBOX_CHARACTERS, UnfitLetter, is_mailbox, write_letter
from mesh.validation import violations
from tests.letters import MAILBOXES, NO_MAILBOXES, SUBJECTS, decoded, head

OURS = ["From", "To", "Subject", "Date", "Content-Type", "Content-Transfer-Encoding", "MIME-Version"]
ANN, BOB = "ann@example.com", "bob@example.com"

MAILBOX_TEXTS = st.from_regex(MAILBOX, fullmatch=True).filter(is_mailbox)
PARTS = st.sampled_from(
    [*SUBJECTS[:5], "=?", "?=", "?q?", "=0d=0a", " ", "  ", "\u00a0", "a", "é", "\U0001f389", "=?utf-8?b?"]
)
TEXTS = st.text(st.characters(exclude_categories=["Cs"])) | st.lists(PARTS).map("".join)


def body(text: str = "Hello") -> EmailMessage:
    """A body of plain text."""
    message = EmailMessage(policy=email.policy.SMTP)
    message.set_content(text)
    return message


def write(
    sender: str = ANN, receivers: tuple[str, ...] = (BOB,), subject: str = "Hi", date: str = "x"
) -> bytes:
    """A letter."""
    return write_letter(sender, receivers, subject, fields={"Date": date}, body=body())


def accepted(subject: str) -> bool:
    """Whether the contract takes a subject."""
    broken = violations(SendEmailRequest(subject=subject))
    return not any(violation.field == "subject" for violation in broken)


@pytest.mark.parametrize("text", NO_MAILBOXES)
def test_what_is_no_mailbox_is_not_written(text: str) -> None:
    assert not is_mailbox(text)
    for sender, receivers in ((text, (BOB,)), (ANN, (text,)), (ANN, (BOB, text))):
        with pytest.raises(UnfitLetter) as refused:
            write(sender, receivers)
        assert text not in str(refused.value)


@pytest.mark.parametrize("text", MAILBOXES)
def test_what_is_a_mailbox_is_written_as_it_is(text: str) -> None:
    assert is_mailbox(text)
    assert head(write(text, (BOB, text)))[:2] == [("From", text), ("To", f"{BOB}, {text}")]


@given(text=MAILBOX_TEXTS, others=st.lists(MAILBOX_TEXTS, max_size=3))
def test_header_envelope_and_text_of_a_mailbox_are_equal_byte_for_byte(text: str, others: list[str]) -> None:
    assert quote_address(text) == f"<{text}>"
    assert parseaddr(text) == ("", text)
    letter = write(text, (*others, text))
    assert head(letter)[:2] == [("From", text), ("To", ", ".join((*others, text)))]


@pytest.mark.parametrize("value", [None, 7, [ANN], b"ann@example.com", ""])
def test_what_is_no_text_is_no_mailbox(value: object) -> None:
    assert not is_mailbox(value)


def test_the_contract_asks_for_what_is_written() -> None:
    fields = SendEmailRequest.DESCRIPTOR.fields_by_name
    sender = fields["from_address"].GetOptions().Extensions[rules_pb2.rules]
    receiver = fields["to_addresses"].GetOptions().Extensions[rules_pb2.rules].items
    for rules in (sender, receiver):
        assert (rules.pattern, rules.max_len) == (MAILBOX, MAILBOX_CHARACTERS)


@given(subject=TEXTS.filter(accepted))
@example(subject=SUBJECTS[0])
@example(subject=SUBJECTS[1])
@example(subject=SUBJECTS[2])
def test_a_subject_that_the_contract_takes_is_read_back_and_nothing_else_is_said(subject: str) -> None:
    letter = write(subject=subject)
    assert [name for name, _ in head(letter)] == OURS
    assert decoded(dict(head(letter))["Subject"]) == subject
    got = email.message_from_bytes(letter, policy=email.policy.default)
    assert got.keys() == OURS
    assert got["Subject"] == subject
    assert got.get_content().rstrip() == "Hello"
    assert not got.defects


@pytest.mark.parametrize("subject", SUBJECTS)
def test_no_line_of_a_head_is_longer_than_mail_systems_take(subject: str) -> None:
    receivers = tuple(f"{n}{'x' * 60}@{'y' * 60}.example" for n in range(50))
    letter = write(subject=subject, receivers=receivers)
    assert max(map(len, letter.split(b"\r\n"))) <= 320
    assert decoded(dict(head(letter))["Subject"]) == subject


@pytest.mark.parametrize("subject", ["x\r\nBcc: a", "x\ny", "x\ry", "x\0", "x\x85y", "x\u2028y", "x\ud800"])
def test_a_subject_of_more_than_a_line_is_refused(subject: str) -> None:
    with pytest.raises(UnfitLetter):
        write(subject=subject)


@pytest.mark.parametrize(
    "date", ["x\r\nBcc: thief@example.com", "x\nBcc: a", "x\r\n\r\nbody", "x\r\n", "x\r\n \r\ny", "\x0bx"]
)
def test_a_letter_whose_head_is_not_what_was_given_is_not_made(date: str) -> None:
    with pytest.raises(UnfitLetter):
        write(date=date)
