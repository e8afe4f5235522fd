"""Who may be under way beside whom: most go together, and some only alone."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Company:
    """Whoever has to be alone waits for those under way, and holds up those who come later."""

    def __init__(self) -> None:
        self._door = asyncio.Lock()
        self._empty = asyncio.Event()
        self._empty.set()
        self._inside = 0

    @property
    def is_closed(self) -> bool:
        """True while somebody is alone, or waits to be."""
        return self._door.locked()

    @asynccontextmanager
    async def together(self) -> AsyncIterator[None]:
        """Beside any number of others."""
        async with self._door:
            self._inside += 1
            self._empty.clear()
        try:
            yield
        finally:
            self._inside -= 1
            if not self._inside:
                self._empty.set()

    @asynccontextmanager
    async def alone(self) -> AsyncIterator[None]:
        """Beside nobody."""
        async with self._door:
            await self._empty.wait()
            yield
