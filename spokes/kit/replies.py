"""A provider's reply, and what follows from one that a handler cannot use. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final

import orjson

from spokes.kit.errors import Interrupted
from spokes.kit.outcome import Cause, Doing, NotSent, Unknown

LONGEST_RETRY_AFTER: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Reply:
    """One reply, read to its end."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> dict[str, object]:
        """The body as a JSON object; raises Interrupted with Unknown if it is none."""
        try:
            value = orjson.loads(self.body)
        except orjson.JSONDecodeError:
            value = None
        if not isinstance(value, dict):
            raise not_understood()
        return value


def not_understood() -> Interrupted:
    """To be raised for a reply that is not what the provider documents."""
    return Interrupted(Unknown("REPLY_NOT_UNDERSTOOD", "the provider's reply is not what it documents"))


def refusal(reply: Reply) -> NotSent | Unknown | None:
    """What follows from a reply that says nothing of the work; None: the handler reads it."""
    status, wait = reply.status, retry_after(reply.headers)
    if status == 429:
        return NotSent(Cause.THROTTLED, "THROTTLED", "the provider says that we send too much", wait)
    if status in (401, 403):
        return NotSent(Cause.MISCONFIGURED, "CREDENTIALS_REFUSED", "the provider refuses our credentials")
    if status == 503 and wait is not None:
        return NotSent(Cause.PROVIDER_DOWN, "PROVIDER_SAYS_DOWN", "the provider says that it is down", wait)
    if status >= 500:
        return Unknown("PROVIDER_ERROR", f"the provider failed with status {status}", cause=Doing.PROVIDER)
    if status < 200 or 300 <= status < 400 or status == 408:
        return Unknown("UNEXPECTED_REPLY", f"the provider answered with status {status}")
    return None


def retry_after(headers: Mapping[str, str]) -> timedelta | None:
    """What Retry-After asks us to wait, up to a day; a date counts from the reply's own Date."""
    value = headers.get("Retry-After", "").strip()
    if not value:
        return None
    if value.isdecimal() and len(value) < 10:
        return min(timedelta(seconds=int(value)), LONGEST_RETRY_AFTER)
    until, now = _date(value), _date(headers.get("Date", ""))
    if until is None or now is None:
        return None
    return min(max(until - now, timedelta()), LONGEST_RETRY_AFTER)


def _date(text: str) -> datetime | None:
    try:
        return parsedate_to_datetime(text).astimezone(UTC)
    except (ValueError, TypeError):
        return None
