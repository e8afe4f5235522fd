"""Alerts by e-mail."""

import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Literal

import aiosmtplib

from hub.alerts.model import AlertState
from mesh.mail import write_letter

REPLY_SECONDS = 15.0
SUBJECT_CHARACTERS = 160

_log = logging.getLogger(__name__)
_FAILURES = (aiosmtplib.SMTPException, OSError, TypeError, ValueError)

Tls = Literal["implicit", "starttls", "none"]

_NOT_ON_ONE_LINE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail system and who gets its letters; addresses and password are never shown."""

    name: str
    host: str
    port: int
    tls: Tls
    sender: str = field(repr=False)
    receivers: tuple[str, ...] = field(repr=False)
    username: str = field(default="", repr=False)
    password: str = field(default="", repr=False)
    batch: int = 16
    repeats: bool = False

    async def send(self, states: Sequence[AlertState], now: datetime) -> list[str | None]:
        """Hands the letters over on one connection."""
        client = self._client()
        try:
            await client.connect()
            return [await self._hand_over(client, state) for state in states]
        except _FAILURES as error:
            return [_reason(error)] * len(states)
        finally:
            client.close()

    async def _hand_over(self, client: aiosmtplib.SMTP, state: AlertState) -> str | None:
        try:
            content = letter(state, self.sender, self.receivers)
            refused, _ = await client.sendmail(self.sender, self.receivers, content)
        except _FAILURES as error:
            return _reason(error)
        codes = [reply.code for reply in refused.values()]
        if any(code < 500 for code in codes):
            # Who is refused for now gets it later; the others get it again, with the same Message-ID.
            return f"SMTP {min(codes)}"
        if codes:
            _log.warning("a mail system refuses receivers", extra={"sink": self.name, "count": len(codes)})
        return None

    def _client(self) -> aiosmtplib.SMTP:
        return aiosmtplib.SMTP(
            hostname=self.host,
            port=self.port,
            use_tls=self.tls == "implicit",
            start_tls=self.tls == "starttls",
            username=self.username or None,
            password=self.password or None,
            timeout=REPLY_SECONDS,
        )


def letter(state: AlertState, sender: str, receivers: Sequence[str]) -> bytes:
    """The letter: the same whenever this change is sent. Mail programs join it to the start's others."""
    domain = sender.rpartition("@")[2]
    fields = {
        "Date": format_datetime(state.changed_at),
        "Message-ID": f"<{state.change_id}@{domain}>",
        "References": f"<{state.start_id}@{domain}>",
        "Auto-Submitted": "auto-generated",
    }
    body = EmailMessage(policy=SMTP)
    body.set_content(_text(state), cte="quoted-printable")
    return write_letter(sender, receivers, subject(state), fields=fields, body=body)


def subject(state: AlertState) -> str:
    """One line, whatever the alert says: `[SEV1] DeadLetters stripe/default`."""
    alert = state.alert
    about = "/".join(alert.labels[name] for name in ("provider", "account") if name in alert.labels)
    said = (f"[{alert.severity}]", "ended:" if state.ended_at else "", alert.name, about)
    return _one_line(" ".join(word for word in said if word))[:SUBJECT_CHARACTERS]


def _text(state: AlertState) -> str:
    alert = state.alert
    lines = [
        alert.summary,
        "",
        f"Alert: {alert.key}",
        f"Severity: {alert.severity}",
        *(f"{name}: {value}" for name, value in sorted(alert.labels.items())),
        f"Started: {state.started_at:%Y-%m-%d %H:%M:%S} UTC",
        f"Ended: {state.ended_at:%Y-%m-%d %H:%M:%S} UTC" if state.ended_at else "It goes on.",
        f"What to do: {alert.runbook}" if alert.runbook else "",
    ]
    return "\n".join(_one_line(line) for line in lines).rstrip() + "\n"


def _one_line(text: str) -> str:
    return _NOT_ON_ONE_LINE.sub(" ", text).strip()


def _reason(error: Exception) -> str:
    code = getattr(error, "code", None)
    return f"SMTP {code}" if isinstance(code, int) else type(error).__name__
