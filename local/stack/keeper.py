"""Keeps a running stack running: starts again what has died, and renews certificates before they expire."""

import asyncio
from collections import defaultdict

from hubctl.errors import PartFailed
from local.stack.certificates import RENEW_EVERY_SECONDS
from local.stack.processes import Process
from local.stack.stack import Say, Stack
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

    async def run(self, stop: asyncio.Event) -> None:
        """Returns when told to stop; raises PartFailed when a part dies again and again."""
        while not stop.is_set():
            await self.look()
            try:
                await asyncio.wait_for(stop.wait(), LOOK_EVERY_SECONDS)
            except TimeoutError:
                continue

    async def look(self) -> None:
        """One round."""
        for process in self._stack.fallen():
            await self._start_again(process)
        if self._clock.monotonic() - self._renewed >= RENEW_EVERY_SECONDS:
            self._renewed = self._clock.monotonic()
            await asyncio.to_thread(self._stack.renew_certificates)

    async def _start_again(self, process: Process) -> None:
        now = self._clock.monotonic()
        recent = [moment for moment in self._restarts[process.name] if now - moment < RESTART_WINDOW_SECONDS]
        if len(recent) >= MOST_RESTARTS:
            raise PartFailed(f"{process.name} ends again and again. {process.tail()}")
        self._restarts[process.name] = [*recent, now]
        self._say(process.name, "died", 0)
        await self._stack.start_part(process.name)
        self._say(process.name, "ready", self._clock.monotonic() - now)
