"""A scripted provider on a raw socket: it acts or not, and then answers well, badly or not at all."""

import asyncio
import json
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from enum import Enum, auto

from spokes.kit.specimen import ScriptedReply


class Fault(Enum):
    """What goes wrong at the provider."""

    NONE = auto()
    REFUSE = auto()
    RESET_AT_ONCE = auto()
    RESET_IN_REQUEST = auto()
    RESET_AFTER_REQUEST = auto()
    SILENCE = auto()
    TRICKLE = auto()
    TRUNCATED = auto()
    HUGE = auto()
    HTML = auto()
    NOT_AN_OBJECT = auto()
    REDIRECT = auto()
    ERROR_500 = auto()
    DOWN_503 = auto()
    BUSY_503 = auto()
    THROTTLED_429 = auto()
    UNAUTHORIZED_401 = auto()


@dataclass(frozen=True)
class Request:
    """One request that came in whole."""

    line: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Provider:
    """Where it listens, what it saw, and what it did: one effect per key, or per request without one."""

    fault: Fault
    reply: ScriptedReply
    key_header: str
    port: int = 0
    connections: int = 0
    requests: list[Request] = field(default_factory=list)
    effects: set[str] = field(default_factory=set)
    echo_back: bytes = b""
    acted: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def url(self) -> str:
        """Its base URL."""
        return f"http://127.0.0.1:{self.port}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serves one connection."""
        self.connections += 1
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            while await self._one(reader, writer):
                pass
        writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        if self.fault is Fault.RESET_AT_ONCE:
            return _reset(writer)
        if self.fault is Fault.RESET_IN_REQUEST:
            await reader.readexactly(10)
            return _reset(writer)
        request = await _read(reader)
        self.requests.append(request)
        if self.fault not in _NOT_DONE and not request.line.startswith("GET"):
            self.effects.add(request.headers.get(self.key_header.lower(), f"request {len(self.requests)}"))
            self.acted.set()
        return await self._answer(writer)

    async def _answer(self, writer: asyncio.StreamWriter) -> bool:
        if self.fault is Fault.RESET_AFTER_REQUEST:
            return _reset(writer)
        if self.fault in (Fault.SILENCE, Fault.TRICKLE):
            writer.write(b"HTTP/1.1 200 OK\r\n" if self.fault is Fault.TRICKLE else b"")
            await asyncio.sleep(3600)
        status, headers, body = self._script()
        head = [f"HTTP/1.1 {status} Scripted", f"Content-Length: {len(body)}", *headers]
        cut = len(body) // 2 if self.fault is Fault.TRUNCATED else len(body)
        writer.write("\r\n".join(head).encode() + b"\r\n\r\n" + body[:cut])
        await writer.drain()
        return self.fault is not Fault.TRUNCATED

    def _script(self) -> tuple[int, list[str], bytes]:
        good = json.dumps(self.reply.body).encode()
        plain = ["Content-Type: application/json"]
        html = b"<html>" + (self.echo_back or b"maintenance") + b"</html>"
        error = b'{"error":{"code":"odd","message":"' + self.echo_back + b'"}}'
        return {
            Fault.HUGE: (200, plain, good + b" " * (2 << 20)),
            Fault.HTML: (200, ["Content-Type: text/html"], html),
            Fault.NOT_AN_OBJECT: (200, plain, b"[1, 2]"),
            Fault.REDIRECT: (302, [f"Location: {self.url}/elsewhere"], b""),
            Fault.ERROR_500: (500, plain, error),
            Fault.DOWN_503: (503, [*plain, "Retry-After: 9"], error),
            Fault.BUSY_503: (503, plain, error),
            Fault.THROTTLED_429: (429, [*plain, "Retry-After: 7"], error),
            Fault.UNAUTHORIZED_401: (401, plain, error),
        }.get(self.fault, (self.reply.status, plain, good))


_NOT_DONE = {Fault.REDIRECT, Fault.DOWN_503, Fault.THROTTLED_429, Fault.UNAUTHORIZED_401}


@asynccontextmanager
async def scripted(fault: Fault, reply: ScriptedReply, key_header: str) -> AsyncIterator[Provider]:
    """Serves one script on loopback."""
    provider = Provider(fault, reply, key_header)
    if fault is Fault.REFUSE:
        with socket.socket() as held:
            held.bind(("127.0.0.1", 0))
            provider.port = held.getsockname()[1]
            yield provider
        return
    tasks: set[asyncio.Task[None]] = set()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(provider.serve(reader, writer))
        tasks.add(task)

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    provider.port = server.sockets[0].getsockname()[1]
    try:
        yield provider
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _read(reader: asyncio.StreamReader) -> Request:
    head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    headers = {k.strip().lower(): v.strip() for k, _, v in (line.partition(":") for line in head[1:] if line)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Request(head[0], headers, body)


def _reset(writer: asyncio.StreamWriter) -> bool:
    connection = writer.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
    return False
