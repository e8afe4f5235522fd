"""When an event is posted again, and when on-call hears that a tenant's endpoint takes none. Pure."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from hub.alerts.model import Alert
from hub.events.told import Told

GIVEN_UP_AFTER = timedelta(days=3)
TOLD_AFTER = timedelta(hours=1)
FIRST_BACKOFF = timedelta(seconds=5)
LAST_BACKOFF = timedelta(hours=1)
NAME = "EventsUndelivered"


@dataclass(frozen=True, slots=True)
class Due:
    """An event that a tenant's endpoint has not taken yet."""

    event: Told
    since: datetime
    failures: int


@dataclass(frozen=True, slots=True)
class Refused:
    """An event that was not taken: why, and when it is posted again; None: it is given up."""

    cursor: int
    reason: str
    next_at: datetime | None


@dataclass(frozen=True, slots=True)
class Answers:
    """What became of some events of one tenant. `gone`: its endpoint wants no more."""

    taken: Sequence[int]
    refused: Sequence[Refused]
    gone: bool
    alert: Alert | None


def weigh(
    tenant: str,
    posted: Iterable[tuple[Due, str | None]],
    *,
    gone: str,
    now: datetime,
    draw: Callable[[], float],
) -> Answers:
    """What answers come to: for each event None, or why it was not taken; `gone` is the word for 410.

    `draw` gives a number in [0, 1).
    """
    answers = list(posted)
    taken = [due.event.cursor for due, reason in answers if reason is None]
    failed = [(due, reason) for due, reason in answers if reason is not None]
    is_gone = any(reason == gone for _, reason in failed)
    refused = [Refused(due.event.cursor, why, _again(due, now, draw, gone=is_gone)) for due, why in failed]
    is_long = any(now - due.since >= TOLD_AFTER for due, _ in failed)
    is_told = is_gone or (is_long and not taken) or any(each.next_at is None for each in refused)
    return Answers(taken, refused, is_gone, _alert(tenant, gone=is_gone) if is_told else None)


def _again(due: Due, now: datetime, draw: Callable[[], float], *, gone: bool) -> datetime | None:
    """What an endpoint that is switched off has not taken waits for the next one."""
    if now - due.since >= GIVEN_UP_AFTER and not gone:
        return None
    return now + min(FIRST_BACKOFF * (1 << min(due.failures, 16)), LAST_BACKOFF) * (0.5 + draw() / 2)


def key(tenant: str) -> str:
    """The key of a tenant's alert."""
    return f"{NAME}/{tenant}"


def _alert(tenant: str, *, gone: bool) -> Alert:
    said = (
        f"The endpoint of {tenant} has answered 410 Gone: it gets no events until its entry changes"
        if gone
        else f"The endpoint of {tenant} takes no events: each is given up after {GIVEN_UP_AFTER.days} days"
    )
    return Alert(key(tenant), NAME, "SEV1", {"tenant": tenant}, said, "docs/runbooks/events-undelivered.md")
