"""E-mail by SMTP: one connection per letter, and at most one letter per job."""

from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

import aiosmtplib

from integration.messaging.v1.messaging_service_pb2 import SendEmailRequest
from mesh.mail import is_mailbox
from spokes.kit.accounts import Account
from spokes.kit.errors import BadAccounts
from spokes.kit.outcome import Cause, Doing, NotSent, Outcome, Unknown
from spokes.kit.progress import Progress, Track
from spokes.kit.spoke import Call, Handler
from spokes.smtp import mapping

REPLY_SECONDS: Final = 50.0
_NO_CONNECTION: Final = NotSent(Cause.PROVIDER_DOWN, "CONNECTION_REFUSED", "no connection to the mail system")
_UNFIT: Final = NotSent(
    Cause.MISCONFIGURED, "UNFIT_SETTINGS", "the account's settings cannot be used to connect"
)
_CUT: Final = Unknown(
    "REPLY_CUT", "the connection broke before the mail system had answered", cause=Doing.PROVIDER
)


class SmtpSpoke:
    """Sends letters; SMTP has nothing to look up and sends no webhooks."""

    def check_account(self, account: Account) -> None:
        """Refuses an account without a mailbox to send from."""
        if not is_mailbox(account.extra.get("from_address")):
            raise BadAccounts(f"{account.name}.from_address: missing, or not one mailbox without a name")

    def handlers(self) -> Mapping[str, Handler]:
        """The handlers by RPC name."""
        return {"SendEmail": self.send_email}

    async def send_email(self, call: Call, request: SendEmailRequest) -> Outcome:
        """Sends one letter."""
        letter = mapping.letter(
            request,
            job_id=call.job_id,
            job_created_at=call.job_created_at,
            default_sender=call.account.extra.get("from_address", ""),
        )
        if isinstance(letter, NotSent):
            return letter
        try:
            client = _client(call.account)
        except (TypeError, ValueError):
            return _UNFIT
        try:
            return await _deliver(client, letter, call.track)
        finally:
            client.close()


async def _deliver(client: aiosmtplib.SMTP, letter: mapping.Letter, track: Track) -> Outcome:
    track.advance(Progress.CONNECTING)
    try:
        await client.connect()
        await client.mail(letter.sender)
        refusals = [code for r in letter.receivers if (code := await _refusal(client, r))]
    except aiosmtplib.SMTPAuthenticationError:
        return NotSent(Cause.MISCONFIGURED, "CREDENTIALS_REFUSED", "the mail system refuses our credentials")
    except aiosmtplib.SMTPResponseException as error:
        return mapping.said_no(error.code) or _NO_CONNECTION
    except (aiosmtplib.SMTPException, OSError):
        # Whatever it was, no letter had begun to leave.
        return _NO_CONNECTION
    except (TypeError, ValueError):
        # What is written before a letter comes from the settings, but for addresses, which are mailboxes.
        return _UNFIT
    if len(refusals) == len(letter.receivers):
        return mapping.said_no(min(refusals)) or _NO_CONNECTION
    return await _hand_over(client, letter, len(refusals), track)


async def _hand_over(
    client: aiosmtplib.SMTP, letter: mapping.Letter, refused_count: int, track: Track
) -> Outcome:
    track.advance(Progress.WRITING)
    try:
        await client.data(letter.content)
    except aiosmtplib.SMTPResponseException as error:
        track.advance(Progress.REPLY_READ)
        return mapping.said_no(error.code) or _CUT
    except (aiosmtplib.SMTPException, OSError):
        return _CUT
    track.advance(Progress.REPLY_READ)
    return mapping.accepted(letter, refused_count)


async def _refusal(client: aiosmtplib.SMTP, receiver: str) -> int:
    """The code with which the mail system refuses a receiver; 0 if it takes it."""
    try:
        await client.rcpt(receiver)
    except aiosmtplib.SMTPRecipientRefused as error:
        return error.code
    return 0


def _client(account: Account) -> aiosmtplib.SMTP:
    tls = urlsplit(account.base_url).scheme == "smtps"
    username = account.extra.get("username")
    return aiosmtplib.SMTP(
        hostname=account.host,
        port=account.port,
        use_tls=tls,
        # Outside a sandbox a connection without TLS is no connection.
        start_tls=not (tls or account.sandbox),
        username=username,
        password=account.api_key.reveal() if username else None,
        timeout=REPLY_SECONDS,
    )


def build() -> SmtpSpoke:
    """Makes the spoke."""
    return SmtpSpoke()
