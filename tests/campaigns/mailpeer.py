"""A mail system that takes a letter and hangs up before it says so: nobody can know what it did."""

from pathlib import Path
from typing import Any

from aiosmtpd.handlers import Mailbox
from aiosmtpd.smtp import SMTP, Envelope, Session


class Unsure(Mailbox):
    """Keeps letters in the inbox. Hangs up after the letters whose subject it is told of.

    `kept`: of those, whether the letter is kept all the same. Each counts once.
    """

    def __init__(self, inbox: Path, kept: dict[str, bool]) -> None:
        super().__init__(inbox)
        self._kept = kept
        self.cut: list[str] = []

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """Keeps the letter, and says so or hangs up."""
        content = envelope.content
        assert isinstance(content, bytes)
        subject = next((s for s in self._kept if s.encode() in content), "")
        kept = self._kept.pop(subject, None)
        if kept is not False:
            await super().handle_DATA(server, session, envelope)
        if kept is not None:
            self.cut.append(subject)
            transport: Any = server.transport
            transport.abort()
        return "250 taken"
