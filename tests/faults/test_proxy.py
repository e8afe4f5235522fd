"""The fault proxy itself: each fault does what it says, and nothing else."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest

from tests.faults.proxy import Cut, Delay, FaultProxy, Hold, Pass, Refuse, Reset, Silent


class Shouting:
    """A server that answers each line in capitals and keeps what it was told."""

    def __init__(self) -> None:
        self.heard: list[bytes] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        while line := await reader.readline():
            self.heard.append(line)
            writer.write(line.upper())
        writer.close()


class Client:
    """One connection through the proxy."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self.writer = writer

    @classmethod
    async def of(cls, proxy: FaultProxy) -> "Client":
        """Connects."""
        host, port = proxy.address.split(":")
        return cls(*await asyncio.open_connection(host, int(port)))

    def say(self, line: bytes) -> None:
        """Sends a line."""
        self.writer.write(line)

    async def hear(self) -> bytes:
        """The next line of the answer; nothing if the connection has ended, however."""
        with suppress(ConnectionError):
            return await self._reader.readline()
        return b""

    async def ask(self, line: bytes) -> bytes:
        """Sends a line; the answer."""
        self.say(line)
        return await self.hear()


@pytest.fixture
async def shouting() -> Shouting:
    """What was heard behind the proxy."""
    return Shouting()


@pytest.fixture
async def proxy(shouting: Shouting) -> AsyncIterator[FaultProxy]:
    """A proxy in front of the server."""
    server = await asyncio.start_server(shouting.serve, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    async with server, FaultProxy(f"{host}:{port}") as proxy:
        yield proxy


async def test_without_a_fault_bytes_go_both_ways(proxy: FaultProxy, shouting: Shouting) -> None:
    client = await Client.of(proxy)
    assert await client.ask(b"one\n") == b"ONE\n"
    assert await client.ask(b"two\n") == b"TWO\n"
    assert shouting.heard == [b"one\n", b"two\n"]


async def test_a_delayed_request_comes_late(proxy: FaultProxy) -> None:
    await proxy.set(Delay(0.2))
    loop = asyncio.get_running_loop()
    client, began = await Client.of(proxy), loop.time()
    assert await client.ask(b"one\n") == b"ONE\n"
    assert loop.time() - began >= 0.2


async def test_a_held_request_arrives_although_its_sender_has_gone(
    proxy: FaultProxy, shouting: Shouting
) -> None:
    proxy.next(Hold())
    ghost = await Client.of(proxy)
    ghost.say(b"ghost\n")
    await proxy.holding()
    ghost.writer.close()
    assert await (await Client.of(proxy)).ask(b"living\n") == b"LIVING\n"
    assert shouting.heard == [b"living\n"]
    await proxy.release()
    assert shouting.heard == [b"living\n", b"ghost\n"]


async def test_a_held_request_whose_sender_waits_is_answered(proxy: FaultProxy) -> None:
    await proxy.set(Hold())
    clients = [await Client.of(proxy) for _ in range(3)]
    for client in clients:
        client.say(b"one\n")
    await proxy.holding(3)
    await proxy.release()
    assert [await c.hear() for c in clients] == [b"ONE\n"] * 3
    assert await clients[0].ask(b"two\n") == b"TWO\n"


async def test_a_request_that_is_cut_never_arrives_whole(proxy: FaultProxy, shouting: Shouting) -> None:
    proxy.next(Cut(after=2, reply=False))
    assert await (await Client.of(proxy)).ask(b"one\n") == b""
    assert await (await Client.of(proxy)).ask(b"two\n") == b"TWO\n"
    assert b"one\n" not in shouting.heard


async def test_a_reply_that_is_cut_was_acted_on(proxy: FaultProxy, shouting: Shouting) -> None:
    await proxy.set(Cut())
    assert await (await Client.of(proxy)).ask(b"one\n") == b""
    assert shouting.heard == [b"one\n"]


async def test_a_reply_is_cut_in_its_middle(proxy: FaultProxy) -> None:
    await proxy.set(Cut(after=4))
    client = await Client.of(proxy)
    assert await client.ask(b"one\n") == b"ONE\n"
    assert await client.ask(b"two\n") == b""


async def test_a_reset_comes_before_a_byte_and_ends_what_stands(
    proxy: FaultProxy, shouting: Shouting
) -> None:
    standing = await Client.of(proxy)
    assert await standing.ask(b"one\n") == b"ONE\n"
    await proxy.set(Reset())
    for client in (standing, await Client.of(proxy)):
        assert await client.ask(b"two\n") == b""
    assert shouting.heard == [b"one\n"]


async def test_a_silent_connection_is_taken_and_never_answered(proxy: FaultProxy, shouting: Shouting) -> None:
    await proxy.set(Silent())
    client = await Client.of(proxy)
    await proxy.connected()
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(client.ask(b"one\n"), 0.2)
    assert shouting.heard == []


async def test_where_nobody_listens_the_port_can_be_taken_again(proxy: FaultProxy) -> None:
    await proxy.set(Refuse())
    with pytest.raises(ConnectionRefusedError):
        await Client.of(proxy)
    await proxy.set(Pass())
    assert await (await Client.of(proxy)).ask(b"one\n") == b"ONE\n"
