"""A stack with a keeper at work, and what kills its parts."""

import asyncio
import os
import signal
from collections.abc import Sequence

from hubctl.profile import read
from hubctl.status import ask
from local.stack import record
from local.stack.keeper import Keeper
from local.stack.stack import Stack
from mesh.clock import SystemClock

PATIENCE_SECONDS = 90.0


class Kept:
    """A stack with a keeper at work, as `hubctl up` has it."""

    def __init__(self, stack: Stack) -> None:
        keeper = Keeper(stack, clock=SystemClock(), say=lambda *_: None)
        self.stack = stack
        self.stop = asyncio.Event()
        self.keeping = asyncio.create_task(keeper.run(self.stop))

    def pids(self) -> dict[str, int]:
        """The processes by part."""
        return {part.name: part.pid for part in record.read(self.stack.layout).parts}

    def kill(self, names: Sequence[str]) -> dict[str, int]:
        """Ends the processes themselves, at once, and not what they have started; which they were."""
        killed = {name: pid for name, pid in self.pids().items() if name in names}
        for name in names:
            os.kill(killed[name], signal.SIGKILL)
        return killed

    async def mended(self, killed: dict[str, int]) -> None:
        """Returns when other processes stand for the dead ones and every part is ready."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while any(self.pids()[name] == pid for name, pid in killed.items()) or not await self.ready():
                assert not self.keeping.done(), self.keeping.exception()
                await asyncio.sleep(0.1)

    async def ready(self) -> bool:
        """Whether every part of the profile is, and the proxy leads to the hub."""
        profile = read(self.stack.layout.profile)
        return all(is_ready for _, is_ready in await ask(profile))

    async def begun(self, name: str, pid: int) -> None:
        """Returns when another process has been started for a dead one."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while self.pids()[name] == pid:
                await asyncio.sleep(0.01)

    async def end(self) -> None:
        """Stops keeping."""
        self.stop.set()
        await self.keeping
