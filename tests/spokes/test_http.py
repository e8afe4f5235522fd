"""Provider HTTP: nothing with an effect is ever sent twice behind our back."""

import asyncio

import pytest

from mesh.clock import SystemClock
from mesh.telemetry import Telemetry
from spokes.kit.accounts import Account
from spokes.kit.errors import Interrupted
from spokes.kit.http import ProviderHttp, Session
from spokes.kit.outcome import NotSent, Unknown
from spokes.kit.progress import Progress, Track

GOOD = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


class Forgetful:
    """Answers the first request of a connection, and hangs up on the second after reading it."""

    def __init__(self):
        self.lines = []

    async def serve(self, reader, writer):
        for reply in (GOOD, b""):
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            self.lines.append(head.split(" ")[0])
            if "content-length: 2" in head.lower():
                await reader.readexactly(2)
            writer.write(reply)
        writer.close()


@pytest.fixture
async def provider():
    forgetful = Forgetful()
    server = await asyncio.start_server(forgetful.serve, "127.0.0.1", 0)
    forgetful.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    yield forgetful
    server.close()


@pytest.fixture
async def session():
    session = Session(sandbox=True)
    yield session
    await session.close()


def http(session, provider, *, reads=False):
    track = Track(SystemClock())
    return ProviderHttp(
        session, Account("default", provider.url, sandbox=True), track, reads, Telemetry(None)
    )


@pytest.mark.parametrize("method", ["post", "delete"])
async def test_an_effect_on_a_kept_connection_that_closes_is_unknown_and_sent_once(method, session, provider):
    client = http(session, provider)
    await client.get("/")
    with pytest.raises(Interrupted) as cut:
        await (client.post("/", json={}) if method == "post" else client.delete("/"))
    assert isinstance(cut.value.outcome, Unknown)
    assert provider.lines.count(method.upper()) == 1


async def test_a_read_may_be_repeated(session, provider):
    client = http(session, provider)
    await client.get("/")
    assert (await client.get("/")).status == 200
    assert client.track.progress is Progress.NOT_STARTED


async def test_what_fails_after_an_effect_is_unknown_even_if_it_never_connected(session, provider):
    client = http(session, provider)
    await client.post("/", json={})
    nowhere = ProviderHttp(
        session,
        Account("default", "http://127.0.0.1:9", sandbox=True),
        client.track,
        reads=False,
        telemetry=client.telemetry,
    )
    for request in (nowhere.get("/"), nowhere.post("/", json={})):
        with pytest.raises(Interrupted) as cut:
            await request
        assert isinstance(cut.value.outcome, Unknown)


async def test_what_fails_before_any_effect_was_not_sent(session, provider):
    nowhere = http(session, provider)
    nowhere = ProviderHttp(
        session,
        Account("default", "http://127.0.0.1:9", sandbox=True),
        nowhere.track,
        reads=False,
        telemetry=nowhere.telemetry,
    )
    with pytest.raises(Interrupted) as cut:
        await nowhere.post("/", json={})
    assert isinstance(cut.value.outcome, NotSent)
    assert nowhere.track.progress is Progress.CONNECTING
