"""One HTTP POST whose answer is only its status. Says nothing of the address, which may hold a secret."""

from collections.abc import Mapping
from urllib.parse import urlsplit

import aiohttp

from mesh.resolver import PublicResolver, is_public

POST_SECONDS = 15.0
GONE = 410
PRIVATE = "private address"


async def post(url: str, body: bytes, headers: Mapping[str, str], *, public_only: bool = False) -> str | None:
    """Posts; None if the answer is 2xx, else why not. Follows no redirect.

    `public_only`: to nothing inside our own network, whatever the name resolves to now.
    """
    timeout = aiohttp.ClientTimeout(total=POST_SECONDS)
    try:
        if public_only and is_private(url):
            return PRIVATE
        connector = aiohttp.TCPConnector(resolver=PublicResolver()) if public_only else None
        async with (
            aiohttp.ClientSession(timeout=timeout, connector=connector) as session,
            session.post(url, data=body, headers=headers, allow_redirects=False) as response,
        ):
            status = response.status
    except (aiohttp.ClientError, OSError, ValueError) as error:  # TimeoutError is an OSError
        return type(error).__name__
    return None if 200 <= status < 300 else refusal(status)


def refusal(status: int) -> str:
    """Why not, if the receiver answers with this status."""
    return f"HTTP {status}"


def is_private(url: str) -> bool:
    """Whether a literal address, or localhost, lies in our own network; names are looked at when resolved."""
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or not is_public(host)
    except ValueError:
        return False
