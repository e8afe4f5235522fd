"""Name resolution that never leads into our own network."""

import ipaddress
import socket

from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver


class PublicResolver(AbstractResolver):
    """Drops every address that is not public, so a provider's name cannot point at our services."""

    def __init__(self) -> None:
        self._inner = ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """The public addresses of a name; OSError if it has none."""
        found = [r for r in await self._inner.resolve(host, port, family) if is_public(r["host"])]
        if not found:
            raise OSError("the name has no public address")
        return found

    async def close(self) -> None:
        """Nothing to close."""
        await self._inner.close()


def is_public(address: str) -> bool:
    """Whether an address belongs to the public internet."""
    return ipaddress.ip_address(address.split("%", 1)[0]).is_global
