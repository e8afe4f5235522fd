"""A provider's front door: it passes on, sends too much away, knows a key, is shut, or kills whoever asks."""

import os
import signal
from enum import Enum

import aiohttp
import psutil
from aiohttp import web

from tests.spokes.harness import free_port

DEADLY = b"pm_poison"
DOOMED_CENTS = 1013
_DOOMED = f"amount={DOOMED_CENTS}&".encode()
_HOP_BY_HOP = {"connection", "content-length", "host", "keep-alive", "transfer-encoding"}


class Door(Enum):
    """What happens to a request."""

    OPEN = "it is passed on"
    PARTLY = "503, to be asked again, for all of one amount; the rest is passed on"
    THROTTLING = "429, without a word on when to come back"
    SHUT = "nobody listens"


class Gateway:
    """One front door, before the address of a stand-in. `killed`: processes that had asked for the deadly.

    `key`: whoever comes with another is not let in.
    """

    def __init__(self, target: str, *, key: str = "") -> None:
        self._target = f"http://{target}"
        self._port = free_port()
        self._door = Door.OPEN
        self._key = key
        self._runner: web.AppRunner | None = None
        self._client: aiohttp.ClientSession | None = None
        self.killed: list[int] = []

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"127.0.0.1:{self._port}"

    async def __aenter__(self) -> "Gateway":
        self._client = aiohttp.ClientSession()
        await self.set(Door.OPEN)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.set(Door.SHUT)
        if self._client is not None:
            await self._client.close()

    async def set(self, door: Door) -> None:
        """Does this with all requests from now on."""
        self._door = door
        if door is Door.SHUT and self._runner is not None:
            await self._runner.cleanup()
            self._runner = None
        elif door is not Door.SHUT and self._runner is None:
            await self._listen()

    async def _listen(self) -> None:
        application = web.Application()
        application.router.add_route("*", "/{path:.*}", self._handle)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port).start()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        if self._door is Door.THROTTLING:
            return web.json_response({"error": {"type": "rate_limit_error"}}, status=429)
        if self._door is Door.PARTLY and _DOOMED in body:
            return web.json_response(
                {"error": {"type": "api_error"}}, status=503, headers={"Retry-After": "0"}
            )
        if self._key and self._key not in request.headers.get("Authorization", ""):
            return web.json_response({"error": {"type": "invalid_request_error"}}, status=401)
        if DEADLY in body:
            self._kill_whoever_asks(request)
            return web.Response(status=503)
        assert self._client is not None
        headers = {k: v for k, v in request.headers.items() if k.lower() not in _HOP_BY_HOP}
        url = self._target + request.raw_path
        async with self._client.request(request.method, url, data=body, headers=headers) as answer:
            content = await answer.read()
            kept = {k: v for k, v in answer.headers.items() if k.lower() not in _HOP_BY_HOP}
            return web.Response(body=content, status=answer.status, headers=kept)

    def _kill_whoever_asks(self, request: web.Request) -> None:
        """As an answer does on which the reader's native code breaks; the provider has done nothing."""
        transport = request.transport
        assert transport is not None
        pid = _owner(transport.get_extra_info("peername")[1])
        self.killed.append(pid)
        os.kill(pid, signal.SIGKILL)
        transport.abort()


def _owner(port: int) -> int:
    """The process at the other end of a connection."""
    connections = psutil.net_connections("tcp")
    pids = [c.pid for c in connections if c.pid and c.laddr and c.laddr.port == port]
    return int(next(pid for pid in pids if pid != os.getpid()))
