"""Duties of the hub itself under a lease: they run where the lease is, like a lane."""

import asyncio
from collections.abc import Sequence

from hub.lanes.ports import Grant
from mesh.duty import Duty, DutyLoop


class DutyGroup:
    """Some duties under one term."""

    failed = False

    def __init__(self, duties: Sequence[Duty], *, term: int) -> None:
        self.term = term
        self._loops = [DutyLoop(duty) for duty in duties]
        self._tasks = [asyncio.create_task(loop.run()) for loop in self._loops]

    def adjust(self, grant: Grant) -> None:
        """Nothing of a duty is set by operators."""

    def hint(self) -> None:
        """Wakes all of them."""
        for loop in self._loops:
            loop.hint()

    async def stop(self) -> None:
        """Drops everything at once; what was under way is in the store."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def drain(self) -> None:
        """The same: no duty holds what it could lose."""
        await self.stop()
