"""One HTTP POST whose answer is only its status. Says nothing of the address, which may hold a secret."""

from collections.abc import Mapping

import aiohttp

POST_SECONDS = 15.0


async def post(url: str, body: bytes, headers: Mapping[str, str]) -> str | None:
    """Posts; None if the answer is 2xx, else why not. Follows no redirect."""
    timeout = aiohttp.ClientTimeout(total=POST_SECONDS)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.post(url, data=body, headers=headers, allow_redirects=False) as response,
        ):
            status = response.status
    except (aiohttp.ClientError, OSError, ValueError) as error:  # TimeoutError is an OSError
        return type(error).__name__
    return None if 200 <= status < 300 else refusal(status)


def refusal(status: int) -> str:
    """Why not, if the receiver answers with this status."""
    return f"HTTP {status}"
