"""A mail system: aiosmtpd, that we did not write, keeping letters in memory."""

import asyncio
import email
import email.policy
import ssl
from email.message import EmailMessage

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session


class Mailbox:
    """Keeps the letters that it takes. `refusals` holds its replies to receivers that it refuses.

    With `tls` it asks for STARTTLS, with a password for a login.
    """

    def __init__(self, *, tls: ssl.SSLContext | None = None, password: bytes = b"") -> None:
        self._tls = tls
        self._password = password
        self.letters: list[EmailMessage] = []
        self.raw: list[bytes] = []
        self.senders: list[str] = []
        self.receivers: list[list[str]] = []
        self.refusals: dict[str, str] = {}
        self.port = 0

    async def start(self) -> None:
        """Listens."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: SMTP(
                self,
                hostname="mailbox",
                loop=loop,
                tls_context=self._tls,
                require_starttls=self._tls is not None,
                auth_required=bool(self._password),
                authenticator=self._authenticate,
            ),
            "127.0.0.1",
            self.port,
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Listens no more."""
        self._server.close()

    def _authenticate(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: object
    ) -> AuthResult:
        assert isinstance(data, LoginPassword)
        return AuthResult(success=data.password == self._password, handled=False)

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Takes a receiver, or refuses it."""
        if address in self.refusals:
            return self.refusals[address]
        envelope.rcpt_tos.append(address)
        return "250 ok"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """Keeps the letter."""
        content = envelope.content
        assert isinstance(content, bytes)
        assert envelope.mail_from is not None
        self.raw.append(content)
        self.senders.append(envelope.mail_from)
        self.letters.append(email.message_from_bytes(content, policy=email.policy.default))
        self.receivers.append(list(envelope.rcpt_tos))
        return "250 taken"
