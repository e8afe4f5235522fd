"""From the contract's request to a letter. Pure."""

import re
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Final

from integration.messaging.v1.messaging_service_pb2 import EmailReceipt, SendEmailRequest
from spokes.kit.outcome import Cause, Declined, NotSent, Outcome, Succeeded

# One mailbox, plain ASCII, nothing that could end a header or an SMTP command.
_ADDRESS: Final = re.compile(r'[^@\s<>,;"\x00-\x1f\x7f-\U0010ffff]{1,64}@[A-Za-z0-9.-]{1,253}').fullmatch
_ONE_LINE: Final = re.compile(r"[^\x00-\x1f\x7f\u0085\u2028\u2029]*").fullmatch


@dataclass(frozen=True, slots=True)
class Letter:
    """What is handed over: envelope addresses, Message-ID without brackets, and the bytes."""

    sender: str
    receivers: tuple[str, ...]
    message_id: str
    content: bytes


def letter(
    request: SendEmailRequest, *, job_id: str, job_created_at: datetime, default_sender: str
) -> Letter | NotSent:
    """The same letter on every attempt; NotSent where the request cannot be one."""
    sender = request.from_address or default_sender
    addresses = (sender, *request.to_addresses)
    if not request.to_addresses or not all(_ADDRESS(a) for a in addresses) or not _ONE_LINE(request.subject):
        return NotSent(
            Cause.UNSUPPORTED, "NOT_A_LETTER", "an address or the subject cannot stand in a letter"
        )
    message_id = f"{job_id}@{sender.rpartition('@')[2]}"
    message = EmailMessage(policy=SMTP)
    message["From"] = sender
    message["To"] = ", ".join(request.to_addresses)
    message["Subject"] = request.subject
    message["Date"] = format_datetime(job_created_at)
    message["Message-ID"] = f"<{message_id}>"
    message.set_content(request.text_body)
    if request.html_body:
        message.add_alternative(request.html_body, subtype="html")
        message.set_boundary(f"=_{job_id}")
    return Letter(sender, tuple(request.to_addresses), message_id, message.as_bytes())


def accepted(letter: Letter, refused_count: int) -> Outcome:
    """The mail system took the letter, for at least one receiver."""
    receipt = EmailReceipt(
        message_id=letter.message_id,
        accepted_count=len(letter.receivers) - refused_count,
        refused_count=refused_count,
    )
    return Succeeded(receipt, letter.message_id)


def said_no(code: int) -> NotSent | Declined | None:
    """What a reply code says: 4xx not now, 5xx never; None: nothing that we know."""
    if 400 <= code < 500:
        return NotSent(Cause.PROVIDER_DOWN, f"SMTP_{code}", "the mail system cannot take it now")
    if 500 <= code < 600:
        return Declined(f"SMTP_{code}", "the mail system refuses the letter")
    return None
