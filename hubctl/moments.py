"""Moments as operators type and read them, in UTC."""

import re
from datetime import UTC, datetime, timedelta

import click
from google.protobuf.timestamp_pb2 import Timestamp

from mesh.clock import Clock, SystemClock

FORMS = "RFC 3339, -90s, -15m, -2h, -3d, today or now"

SPANS = "90s, 15m, 2h or 3d"

_SPAN = re.compile(r"(\d{1,6})([smhd])")
_AGO = re.compile(r"-(\d{1,6})([smhd])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def parse_moment(text: str, now: datetime) -> datetime:
    """The moment that a text means at `now`; ValueError where it means none."""
    if text == "now":
        return now
    if text == "today":
        return now.replace(hour=0, minute=0, second=0, microsecond=0)
    if ago := _AGO.fullmatch(text):
        return _ago(now, **{_UNITS[ago[2]]: int(ago[1])})
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise ValueError(f"{text} is no moment; give {FORMS}") from error
    if moment.tzinfo is None:
        raise ValueError(f"{text} says no time zone; end it with Z for UTC")
    return moment.astimezone(UTC)


def parse_span(text: str) -> timedelta:
    """The time that a text means; ValueError where it means none."""
    if not (span := _SPAN.fullmatch(text)):
        raise ValueError(f"{text} is no span of time; give {SPANS}")
    return timedelta(**{_UNITS[span[2]]: int(span[1])})


def shown(moment: Timestamp) -> str:
    """A moment to the second; empty where it is not set."""
    if not (moment.seconds or moment.nanos):
        return ""
    return moment.ToDatetime(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def lasting(span: timedelta) -> str:
    """A span of time in its greatest unit."""
    seconds = int(span.total_seconds())
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


class Moment(click.ParamType[datetime]):
    """The click type of a moment."""

    name = "time"

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()

    def convert(
        self, value: str | datetime, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        """The moment, or wrong usage."""
        if isinstance(value, datetime):
            return value
        try:
            return parse_moment(value, self._clock.now())
        except ValueError as error:
            self.fail(str(error), param, ctx)


class Span(click.ParamType[timedelta]):
    """The click type of a span of time."""

    name = "span"

    def convert(
        self, value: str | timedelta, param: click.Parameter | None, ctx: click.Context | None
    ) -> timedelta:
        """The span, or wrong usage."""
        if isinstance(value, timedelta):
            return value
        try:
            return parse_span(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


def _ago(now: datetime, **span: int) -> datetime:
    try:
        return now - timedelta(**span)
    except OverflowError as error:
        raise ValueError("that is before the calendar begins") from error
