"""Background loops: a duty says when it wants to run again, the loop keeps it going."""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar

FIRST_BACKOFF_SECONDS = 0.1
LAST_BACKOFF_SECONDS = 5.0

_log = logging.getLogger(__name__)

T = TypeVar("T")
Pause = Callable[[asyncio.Event, float | None], Awaitable[None]]


class Duty(Protocol):
    """Work that is never done."""

    name: str

    async def run_once(self) -> float | None:
        """Does what there is to do; returns the seconds until the next run, None: until hinted."""
        ...


async def pause(event: asyncio.Event, seconds: float | None) -> None:
    """Returns when the event is set or the seconds have passed; None: only the event counts."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()


async def patiently(
    attempt: Callable[[], Awaitable[T]],
    *,
    away: type[Exception],
    but: tuple[type[Exception], ...] = (),
    pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> T:
    """What an attempt gives, made again after a backoff for as long as it raises `away`, which is logged in
    a line whenever it says something new. Raises what is one of `but` at once.
    """
    failures, said = 0, ""
    while True:
        try:
            return await attempt()
        except away as error:
            if isinstance(error, but):
                raise
            if str(error) != said:
                _log.warning("waiting: %s", error)
            said = str(error)
        await pause(_backoff(failures))
        failures += 1


class DutyLoop:
    """Runs one duty until stopped. An error is logged once per streak and retried after a backoff."""

    def __init__(self, duty: Duty, *, pause: Pause = pause) -> None:
        self._duty = duty
        self._pause = pause
        self._hinted = asyncio.Event()
        self._stopping = asyncio.Event()
        self._failures = 0

    def hint(self) -> None:
        """Asks for a run now, or right after the one under way. Cuts no backoff short."""
        self._hinted.set()

    def stop(self) -> None:
        """Ends `run` after the run under way."""
        self._stopping.set()
        self._hinted.set()

    async def run(self) -> None:
        """Runs the duty until `stop`, or until the task is cancelled."""
        while not self._stopping.is_set():
            self._hinted.clear()
            try:
                delay = await self._duty.run_once()
            except Exception as error:  # noqa: BLE001 - whatever it is, the duty must go on
                await self._back_off(error)
                continue
            self._recovered()
            if delay == 0:
                await asyncio.sleep(0)  # lets the others run
            else:
                await self._rest(delay)

    async def _rest(self, delay: float | None) -> None:
        if not self._stopping.is_set():
            await self._pause(self._hinted, delay)

    async def _back_off(self, error: Exception) -> None:
        if self._failures == 0:
            _log.error("duty fails", exc_info=error, extra={"duty": self._duty.name})
        delay = _backoff(self._failures)
        self._failures += 1
        await self._pause(self._stopping, delay)

    def _recovered(self) -> None:
        if self._failures:
            _log.info("duty works again", extra={"duty": self._duty.name})
        self._failures = 0


def _backoff(failures: int) -> float:
    return min(FIRST_BACKOFF_SECONDS * (1 << min(failures, 16)), LAST_BACKOFF_SECONDS)
