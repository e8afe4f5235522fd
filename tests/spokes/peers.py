"""Foreign servers for the spokes to meet, each a process of its own in an environment of its own."""

import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from tests.spokes.harness import free_port, process

# GPL programs are never imported or shipped: they live in an environment beside ours.
LOCALSTRIPE = ("localstripe==1.15.10", "gunicorn==27.0.1")
PEERS = Path(sys.prefix) / "peers"


def localstripe_bin() -> Path:
    """The programs of localstripe's environment, which is made if it is not there."""
    folder = PEERS / "localstripe"
    if not (folder / "ready").exists():
        uv = str(Path(sys.executable).parent / "uv")
        subprocess.run([uv, "venv", "-q", "--clear", str(folder)], check=True)
        python = str(folder / "bin" / "python")
        subprocess.run([uv, "pip", "install", "-q", "-p", python, *LOCALSTRIPE], check=True)
        (folder / "ready").touch()
    return folder / "bin"


@asynccontextmanager
async def localstripe(directory: Path) -> AsyncIterator[str]:
    """Runs localstripe on loopback only; gives its base URL. By itself it would listen everywhere."""
    port = free_port()
    command = [
        str(localstripe_bin() / "gunicorn"),
        *("-k", "aiohttp.GunicornWebWorker", "-w", "1", "--no-control-socket", "--log-level", "error"),
        *("-b", f"127.0.0.1:{port}", "localstripe.server:app"),
    ]
    env = {**os.environ, "TMPDIR": str(directory), "HOME": str(directory)}
    async with process(*command, env=env, port=port):
        yield f"http://127.0.0.1:{port}"


class StripeSide:
    """Localstripe asked directly, as Stripe's dashboard would be."""

    def __init__(self, url: str) -> None:
        self.url = url

    async def call(self, method: str, path: str, **form: str) -> Any:
        """One request with a test key."""
        headers = {"Authorization": "Bearer sk_test_12345"}
        async with (
            aiohttp.ClientSession(headers=headers) as client,
            client.request(method, self.url + path, data=form or None) as response,
        ):
            return await response.json(content_type=None)

    async def card(self, number: str) -> str:
        """A payment method for a card number."""
        made = await self.call(
            "POST",
            "/v1/payment_methods",
            **{
                "type": "card",
                "card[number]": number,
                "card[exp_month]": "12",
                "card[exp_year]": "2030",
                "card[cvc]": "123",
            },
        )
        return str(made["id"])

    async def intents_of(self, job_id: str) -> list[Any]:
        """The payment intents that bear our reference."""
        page = await self.call("GET", "/v1/payment_intents?limit=1000")
        return [i for i in page["data"] if i["metadata"].get("job_id") == job_id]
