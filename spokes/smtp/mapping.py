"""From the contract's request to a letter. Pure."""

from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Final

from integration.messaging.v1.messaging_service_pb2 import EmailReceipt, SendEmailRequest
from mesh.mail import write_letter
from spokes.kit.outcome import Cause, Declined, NotSent, Outcome, Succeeded

_NOT_A_LETTER: Final = NotSent(
    Cause.UNSUPPORTED, "NOT_A_LETTER", "an address or the subject cannot stand in a letter"
)


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
    message_id = f"{job_id}@{sender.rpartition('@')[2]}"
    fields = {"Date": format_datetime(job_created_at), "Message-ID": f"<{message_id}>"}
    receivers = tuple(request.to_addresses)
    try:
        content = write_letter(
            sender, receivers, request.subject, fields=fields, body=_body(request, f"=_{job_id}")
        )
    except (TypeError, ValueError):
        return _NOT_A_LETTER
    return Letter(sender, receivers, message_id, content)


def _body(request: SendEmailRequest, boundary: str) -> EmailMessage:
    body = EmailMessage(policy=SMTP)
    body.set_content(request.text_body)
    if request.html_body:
        body.add_alternative(request.html_body, subtype="html")
        body.set_boundary(boundary)
    return body


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
