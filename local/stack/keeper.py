"""Keeps a running stack running: starts again what has died, and renews certificates before they expire."""

import asyncio
from collections import defaultdict

from hubctl.errors import PartFailed
from local.stack.certificates import RENEW_EVERY_SECONDS
from local.stack.stack import Say, Stack, first_of
from mesh.clock import Clock

LOOK_EVERY_SECONDS = 1.0
MOST_RESTARTS = 3
RESTART_WINDOW_SECONDS = 60.0


class Keeper:
    """Looks after one stack."""

    def __init__(self, stack: Stack, *, clock: Clock, say: Say) -> None:
        self._stack = stack
        self._clock = clock
        self._say = say
        self._renewed = clock.monotonic()
        self._restarts: dict[str, list[float]] = defaultdict(list)
        self._mending: dict[str, asyncio.Task[None]] = {}

    async def run(self, stop: asyncio.Event) -> None:
        """Returns when told to stop; raises PartFailed when a part dies again and again."""
        keeping, stopped = asyncio.create_task(self._keep()), asyncio.create_task(stop.wait())
        try:
            await asyncio.wait((keeping, stopped), return_when=asyncio.FIRST_COMPLETED)
            if keeping.done():
                keeping.result()
        finally:
            keeping.cancel()
            stopped.cancel()
            await asyncio.gather(keeping, stopped, return_exceptions=True)

    async def look(self) -> None:
        """One round; returns when all that had died, or dies meanwhile, is ready again."""
        try:
            async with asyncio.TaskGroup() as group:
                while self._mend_the_dead(group):
                    await asyncio.wait(self._mending.values(), timeout=LOOK_EVERY_SECONDS)
        except BaseExceptionGroup as failures:
            raise first_of(failures) from failures
        finally:
            self._mending.clear()
        if self._clock.monotonic() - self._renewed >= RENEW_EVERY_SECONDS:
            self._renewed = self._clock.monotonic()
            await asyncio.to_thread(self._stack.renew_certificates)

    async def _keep(self) -> None:
        while True:
            await self.look()
            await asyncio.sleep(LOOK_EVERY_SECONDS)

    def _mend_the_dead(self, group: asyncio.TaskGroup) -> bool:
        """Begins to mend what nobody mends yet; whether anything is being mended."""
        self._mending = {name: task for name, task in self._mending.items() if not task.done()}
        died = [process.name for process in self._stack.fallen() if process.name not in self._mending]
        lost = {name: None for each in died for name in (each, *self._stack.living_in(each))}
        for name in lost:
            self._stack.take_down(name)
        for name in lost:
            if name not in self._mending:
                self._mending[name] = group.create_task(self._mend(name))
        return bool(self._mending)

    async def _mend(self, name: str) -> None:
        now = self._clock.monotonic()
        recent = [moment for moment in self._restarts[name] if now - moment < RESTART_WINDOW_SECONDS]
        if len(recent) >= MOST_RESTARTS:
            raise PartFailed(f"{name} ends again and again. {self._stack.tail(name)}")
        self._restarts[name] = [*recent, now]
        self._say(name, "died", 0)
        try:
            await self._stack.start_one(name)
        except PartFailed:
            self._stack.take_down(name)  # the next look finds it, and counts it
            await asyncio.sleep(LOOK_EVERY_SECONDS)
        else:
            self._say(name, "ready", self._clock.monotonic() - now)
