"""Provider HTTP: nothing with an effect is ever sent twice behind our back."""

import asyncio

import pytest

from mesh.clock import SystemClock
from mesh.telemetry import Telemetry
from spokes.kit.accounts import Account
from spokes.kit.errors import Interrupted
from spokes.kit.http import Connections, ProviderHttp, Sends
from spokes.kit.outcome import Cause, NotSent, Unknown
from spokes.kit.progress import Progress, Track
from tests.fakes import HandClock

GOOD = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


class Forgetful:
    """Answers the first request of a connection, and hangs up on the second after reading it."""

    def __init__(self):
        self.lines = []
        self.heads = []

    async def serve(self, reader, writer):
        for reply in (GOOD, b""):
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            self.lines.append(head.split(" ")[0])
            self.heads.append(head)
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
async def connections():
    connections = Connections(sandbox=True)
    yield connections
    await connections.close()


def http(connections, provider, *, sends=Sends.WORK):
    track = Track(SystemClock())
    return ProviderHttp(
        connections, Account("default", provider.url, sandbox=True), track, sends, Telemetry(None)
    )


@pytest.mark.parametrize("method", ["post", "delete"])
async def test_an_effect_on_a_kept_connection_that_closes_is_unknown_and_sent_once(
    method, connections, provider
):
    client = http(connections, provider)
    await client.get("/")
    with pytest.raises(Interrupted) as cut:
        await (client.post("/", json={}) if method == "post" else client.delete("/"))
    assert isinstance(cut.value.outcome, Unknown)
    assert provider.lines.count(method.upper()) == 1


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/", {"Authorization": "Bearer sk_x\n"}),
        ("/", {"Authorization": "Bearer sk\r\nX-Other: y"}),
        ("/", {"Idempotency-Key": "k\0"}),
        ("/", {"Idempotency-Key": "\u9375"}),
        ("/a b", {}),
        ("/a\r\nX-Other: y", {}),
        ("/\u00e9", {}),
    ],
    ids=repr,
)
async def test_what_no_request_can_hold_is_not_sent_and_says_so(path, headers, connections, provider):
    client = http(connections, provider)
    with pytest.raises(Interrupted) as stopped:
        await client.post(path, json={}, headers=headers)
    assert stopped.value.outcome.cause is Cause.MISCONFIGURED
    assert (client.track.progress, client.track.sent_at) == (Progress.NOT_STARTED, None)
    assert not provider.lines


async def test_a_read_may_be_repeated(connections, provider):
    client = http(connections, provider)
    await client.get("/")
    assert (await client.get("/")).status == 200
    assert client.track.progress is Progress.NOT_STARTED


async def test_what_fails_after_an_effect_is_unknown_even_if_it_never_connected(connections, provider):
    client = http(connections, provider)
    await client.post("/", json={})
    nowhere = ProviderHttp(
        connections,
        Account("default", "http://127.0.0.1:9", sandbox=True),
        client.track,
        sends=Sends.WORK,
        telemetry=client.telemetry,
    )
    for request in (nowhere.get("/"), nowhere.post("/", json={})):
        with pytest.raises(Interrupted) as cut:
            await request
        assert isinstance(cut.value.outcome, Unknown)


async def test_what_fails_before_any_effect_was_not_sent(connections, provider):
    nowhere = http(connections, provider)
    nowhere = ProviderHttp(
        connections,
        Account("default", "http://127.0.0.1:9", sandbox=True),
        nowhere.track,
        sends=Sends.WORK,
        telemetry=nowhere.telemetry,
    )
    with pytest.raises(Interrupted) as cut:
        await nowhere.post("/", json={})
    assert isinstance(cut.value.outcome, NotSent)
    assert nowhere.track.progress is Progress.CONNECTING


async def test_trace_context_is_not_passed_on_even_if_a_handler_tries(connections, provider):
    await http(connections, provider).post(
        "/", json={}, headers={"TraceParent": "00-1-2-01", "X-Own": "kept"}
    )
    assert "x-own" in provider.heads[0].lower()
    assert "traceparent" not in provider.heads[0].lower()


def test_the_time_of_sending_is_noted_before_the_first_byte_can_leave():
    clock = HandClock()
    track = Track(clock)
    track.advance(Progress.CONNECTING)
    assert track.sent_at is None
    track.advance(Progress.WRITING)
    sent_at = track.sent_at
    clock.move(1)
    track.advance(Progress.WRITTEN)
    assert sent_at == track.sent_at is not None
