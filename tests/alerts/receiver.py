"""A receiver of webhooks that verifies with the library of the Standard Webhooks project."""

import asyncio
import base64
import json
from typing import Any

from aiohttp import web
from standardwebhooks import Webhook

KEY = base64.b64encode(bytes(range(32))).decode()
SECRET = f"whsec_{KEY}"


class Receiver:
    """Keeps what comes in. Answers with `status`, except where `statuses` has another for the key of
    an alert or the id of an event."""

    def __init__(self) -> None:
        self.status = 204
        self.statuses: dict[str, int] = {}
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.came = asyncio.Event()
        self.url = ""

    async def start(self) -> None:
        """Listens."""
        app = web.Application()
        app.router.add_post("/alerts", self._take)
        app.router.add_route("*", "/elsewhere", self._take)
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"{site.name}/alerts"

    async def stop(self) -> None:
        """Listens no more."""
        await self._runner.cleanup()

    async def _take(self, request: web.Request) -> web.Response:
        body = await request.read()
        data = json.loads(body)["data"] if body else {}
        key = data.get("key") or data.get("eventId", "")
        self.got.append((dict(request.headers), body))
        self.came.set()
        return web.Response(
            status=self.statuses.get(key, self.status),
            headers={"Location": self.url.replace("alerts", "elsewhere")},
        )

    def ids(self) -> list[str]:
        """The ids of all that came, in order."""
        return [{k.lower(): v for k, v in headers.items()}["webhook-id"] for headers, _ in self.got]

    def told(self) -> list[dict[str, Any]]:
        """All that came, whoever sent it and whenever."""
        return [json.loads(body) for _, body in self.got]

    def verified(self, secret: str = SECRET) -> list[dict[str, Any]]:
        """All that came, verified; raises WebhookVerificationError."""
        return [Webhook(secret).verify(body, headers) for headers, body in self.got]
