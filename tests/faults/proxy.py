"""A TCP proxy that delays, holds, cuts, resets, falls silent or refuses, as a test tells it."""

import asyncio
import socket
import struct
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeAlias

CHUNK = 1 << 16
_RESET = struct.pack("ii", 1, 0)  # SO_LINGER: closing sends RST


@dataclass(frozen=True, slots=True)
class Pass:
    """Bytes go through."""


@dataclass(frozen=True, slots=True)
class Delay:
    """Every piece of a request comes so much later."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Hold:
    """Requests wait here until `release`, even if whoever sent them has gone: ghosts."""


@dataclass(frozen=True, slots=True)
class Cut:
    """Both ends are reset once so many bytes have gone through, of the request or of the reply."""

    after: int = 0
    reply: bool = True


@dataclass(frozen=True, slots=True)
class Reset:
    """Connections are taken and reset before a byte."""


@dataclass(frozen=True, slots=True)
class Silent:
    """Connections are taken and nothing is ever passed on or answered."""


@dataclass(frozen=True, slots=True)
class Refuse:
    """Nobody listens."""


Fault: TypeAlias = Pass | Delay | Hold | Cut | Reset | Silent | Refuse


class FaultProxy:
    """One proxy in front of one address. `fault` holds for all connections, `next` for one to come.

    A change of `fault` also reaches the connections that stand, with their next bytes. `seen` counts
    connections, `pieces` the pieces of requests that went through, `cuts` the connections cut.
    """

    def __init__(self, target: str, *, port: int = 0) -> None:
        self._target = target
        self._port = port
        self._fault: Fault = Pass()
        self._planned: deque[Fault] = deque()
        self._server: asyncio.Server | None = None
        self._connections: set[_Connection] = set()
        self._changed = asyncio.Condition()
        self.seen = 0
        self.pieces = 0
        self.cuts = 0

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"127.0.0.1:{self._port}"

    @property
    def fault(self) -> Fault:
        """What is done to every connection that has no fault of its own."""
        return self._fault

    async def __aenter__(self) -> "FaultProxy":
        await self._listen()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._stop_listening()
        for connection in list(self._connections):
            connection.reset()

    async def set(self, fault: Fault) -> None:
        """Does this to all connections from now on; Refuse and Reset also end those that stand."""
        self._fault = fault
        if isinstance(fault, Refuse | Reset):
            self.reset_all()
        if isinstance(fault, Refuse):
            self._stop_listening()
        elif self._server is None:
            await self._listen()
        await self.notify()

    def next(self, fault: Fault) -> None:
        """Does this to the next connection only."""
        self._planned.append(fault)

    def reset_all(self) -> None:
        """Resets every connection that stands."""
        for connection in list(self._connections):
            connection.reset()

    async def holding(self, count: int = 1) -> None:
        """Returns when so many requests are held."""
        await self.until(lambda: sum(c.held for c in self._connections) >= count)

    async def connected(self, count: int = 1) -> None:
        """Returns when so many connections have come, ever."""
        await self.until(lambda: self.seen >= count)

    async def release(self) -> None:
        """Lets go of what is held; returns when the target has answered, or hung up on, each of them."""
        if isinstance(self._fault, Hold):
            self._fault = Pass()
        held = [c for c in self._connections if c.held]
        for connection in held:
            connection.release()
        await self.until(lambda: all(c.answered for c in held))

    async def until(self, condition: Callable[[], bool]) -> None:
        """Returns when the condition holds; looked at whenever something happens here."""
        async with self._changed:
            await self._changed.wait_for(condition)

    async def note_piece(self) -> None:
        """Counts a piece of a request that went through."""
        self.pieces += 1
        await self.notify()

    async def note_cut(self) -> None:
        """Counts a connection that was cut."""
        self.cuts += 1
        await self.notify()

    async def notify(self) -> None:
        """Says that something has happened."""
        async with self._changed:
            self._changed.notify_all()

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self._port)
        self._port = self._server.sockets[0].getsockname()[1]

    def _stop_listening(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        own = self._planned.popleft() if self._planned else None
        connection = _Connection(self, own, writer)
        self._connections.add(connection)
        self.seen += 1
        await self.notify()
        try:
            await connection.run(reader, self._target)
        finally:
            connection.end()
            self._connections.discard(connection)
            await self.notify()


class _Connection:
    """One client, and its own way to the target."""

    def __init__(self, proxy: FaultProxy, own: Fault | None, client: asyncio.StreamWriter) -> None:
        self._proxy = proxy
        self._own = own
        self._client = client
        self._target: asyncio.StreamWriter | None = None
        self._let_go = asyncio.Event()
        self._ended = asyncio.Event()
        self._client_gone = False
        self.held = False
        self.answered = False

    @property
    def fault(self) -> Fault:
        """What is to be done to it now."""
        return self._own or self._proxy.fault

    async def run(self, reader: asyncio.StreamReader, target: str) -> None:
        """Passes bytes both ways until either end, or the test, has had enough."""
        if isinstance(self.fault, Reset):
            self.reset()
            return
        if isinstance(self.fault, Silent):
            await self._ended.wait()
            return
        try:
            host, port = target.rsplit(":", 1)
            replies, self._target = await asyncio.open_connection(host, int(port))
        except OSError:
            self.reset()
            return
        ways = (
            asyncio.create_task(self._pump(reader, self._target, reply=False)),
            asyncio.create_task(self._pump(replies, self._client, reply=True)),
        )
        ended = asyncio.create_task(self._ended.wait())
        await asyncio.wait({ways[1], ended}, return_when=asyncio.FIRST_COMPLETED)
        for task in (*ways, ended):
            task.cancel()

    def release(self) -> None:
        """Lets go of the request."""
        self._let_go.set()

    def reset(self) -> None:
        """Resets both ends."""
        for writer in (self._client, self._target):
            if writer is not None and not writer.is_closing():
                writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
                writer.transport.abort()
        self._ended.set()

    def end(self) -> None:
        """Closes both ends."""
        self.held, self.answered = False, True
        for writer in (self._client, self._target):
            if writer is not None:
                writer.close()

    async def _pump(self, reader: asyncio.StreamReader, to: asyncio.StreamWriter, *, reply: bool) -> None:
        # Read at once whatever comes: bytes that wait in a socket are lost when their sender resets it.
        chunks: asyncio.Queue[bytes] = asyncio.Queue()
        reading = asyncio.create_task(_collect(reader, chunks))
        passed = 0
        try:
            while chunk := await chunks.get():
                await self._wait_as_told(reply=reply)
                passed += len(chunk)
                if (over := self._over(passed, reply=reply)) is not None:
                    await _write(to, chunk[: len(chunk) - over])
                    self.reset()
                    await self._proxy.note_cut()
                    return
                await _write(to, chunk)
                await self._note_passed(reply=reply)
            if not reply:
                self._client_gone = True
                self._end_unless_ghost()
        finally:
            reading.cancel()

    async def _wait_as_told(self, *, reply: bool) -> None:
        fault = self.fault
        if isinstance(fault, Silent):
            await self._ended.wait()
        if reply:
            return
        if isinstance(fault, Delay):
            await asyncio.sleep(fault.seconds)
        if isinstance(fault, Hold) and not self._let_go.is_set():
            self.held, self.answered = True, False
            await self._proxy.notify()
            await self._let_go.wait()

    def _over(self, passed: int, *, reply: bool) -> int | None:
        fault = self.fault
        if isinstance(fault, Cut) and fault.reply is reply and passed > fault.after:
            return passed - fault.after
        return None

    async def _note_passed(self, *, reply: bool) -> None:
        if not reply:
            await self._proxy.note_piece()
        if reply and self.held:
            self.held, self.answered = False, True
            await self._proxy.notify()
            self._end_unless_ghost()

    def _end_unless_ghost(self) -> None:
        """Once the client has gone there is only a held request to see through."""
        if self._client_gone and not self.held:
            self._ended.set()


async def _collect(reader: asyncio.StreamReader, chunks: asyncio.Queue[bytes]) -> None:
    with suppress(OSError):
        while chunk := await reader.read(CHUNK):
            chunks.put_nowait(chunk)
    chunks.put_nowait(b"")


async def _write(writer: asyncio.StreamWriter, data: bytes) -> None:
    with suppress(OSError):
        if data and not writer.is_closing():
            writer.write(data)
            await writer.drain()
