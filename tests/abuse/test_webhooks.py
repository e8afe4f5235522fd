"""Deliveries as they come in the wild: forged, stale, packed, endless, too many."""

import asyncio
import base64
import gzip
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hub.events.model import ArrivedEvent, Delivery, Heard, Kept, WebhookRules
from hub.jobs.model import JobState
from hub.lanes.ports import SpokeUnavailable
from hub.peers.spokes import SpokeDirectory
from mesh.identity import MESH_NAME
from tests.abuse.hearing import AS_USUAL, ECHO, STRIPE, Listener, Peer, listening
from tests.hub.jobs import new_job

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.parametrize("peer", [ECHO, STRIPE], ids=lambda p: p.name),
]

SIGNATURE = {"echo": "webhook-signature", "stripe": "stripe-signature"}


async def refused(
    listener: Listener, peer: Peer, body: Any, headers: Mapping[str, str], **options: Any
) -> int:
    """The status of a delivery that leaves nothing behind and says nothing of why."""
    before = await listener.kept()
    response = await listener.post(peer.path, body, headers, **options)
    assert await listener.kept() == before
    assert response.body == b""
    return response.status


async def test_w01_what_is_not_signed_by_a_live_secret_is_refused(
    listener: Listener, peer: Peer, number: int
) -> None:
    job, name = await listener.waiting_job(peer, number), SIGNATURE[peer.name]
    body = peer.event(job.job_id, f"evt_{number}")
    sound = peer.sign(body, f"evt_{number}")
    other = STRIPE if peer is ECHO else ECHO
    forged = "whsec_" + base64.b64encode(b"0" * 24).decode()
    bad: list[dict[str, str]] = [
        {},
        {n: v for n, v in sound.items() if n != name},
        {**sound, name: ""},
        {**sound, name: sound[name][:-4]},
        {**sound, name: sound[name].upper()},
        {**sound, name: sound[name] + sound[name][-44:]},
        {**sound, name: sound[name].replace("v1", "v0")},
        {**sound, name: sound[name].replace("v1", "v1a")},
        {**sound, name: "v1," + "A" * 8000},
        peer.sign(body, f"evt_{number}", secret=forged),
        other.sign(body, f"evt_{number}"),
        peer.sign(body + b" ", f"evt_{number}"),
    ]
    for headers in bad:
        assert await refused(listener, peer, body, headers) == 401, headers
    assert await listener.state(job) is JobState.WAITING_CONFIRMATION


async def test_w01_one_endpoints_delivery_is_not_anothers(
    listener: Listener, peer: Peer, number: int
) -> None:
    body = peer.event(new_job(number).job_id, f"evt_{number}")
    headers = peer.sign(body, f"evt_{number}")
    before = await listener.kept()
    for path in ("/webhooks/nobody/default", f"/webhooks/{peer.name}/other", f"/webhooks/{peer.name}"):
        assert (await listener.post(path, body, headers)).status == 404
    other = STRIPE if peer is ECHO else ECHO
    assert (await listener.post(other.path, body, headers)).status == 401
    assert await listener.kept() == before


async def test_w01_nobody_comes_around_the_proxy(listener: Listener, peer: Peer, number: int) -> None:
    body = peer.event(new_job(number).job_id, f"evt_{number}")
    assert await refused(listener, peer, body, peer.sign(body, f"evt_{number}"), role="core") == 403


async def test_w02_a_body_written_anew_is_refused(listener: Listener, peer: Peer, number: int) -> None:
    body = peer.event(new_job(number).job_id, f"evt_{number}")
    headers = peer.sign(body, f"evt_{number}")
    for other in (json.dumps(json.loads(body)).encode(), body + b" ", b"\xef\xbb\xbf" + body, body[:-1]):
        assert await refused(listener, peer, other, headers) == 401


async def test_w03_stale_and_future_deliveries_are_refused(
    listener: Listener, peer: Peer, number: int
) -> None:
    body = peer.event(new_job(number).job_id, f"evt_{number}")
    for seconds in (-86_400, -310, 310, 86_400):
        headers = peer.sign(body, f"evt_{number}", seconds=seconds)
        assert await refused(listener, peer, body, headers) == 401
    for seconds in (-280, 280):
        assert await listener.deliver(peer, body, f"evt_{number}", seconds=seconds) == 204


async def test_w03_the_time_counts_only_inside_the_signature(
    listener: Listener, peer: Peer, number: int
) -> None:
    body = peer.event(new_job(number).job_id, f"evt_{number}")
    old, fresh = peer.sign(body, f"evt_{number}", seconds=-9000), peer.sign(body, f"evt_{number}")
    if peer is ECHO:
        bad = [{n: v for n, v in fresh.items() if n != "webhook-timestamp"}]
        bad += [{**old, "webhook-timestamp": t} for t in (fresh["webhook-timestamp"], "", "now", "1e9", "-1")]
        bad += [{**fresh, "webhook-timestamp": f"+{fresh['webhook-timestamp']}"}]
    else:
        time, _, rest = old["stripe-signature"].partition(",")
        now = fresh["stripe-signature"].partition(",")[0]
        written = [rest, f"{now},{rest}", f"{time.replace('=', '=+')},{rest},{now}", f"{time},{rest},{now}"]
        written += [f"{now},{time},{rest}", f"{time.replace('=', '= ')},{now},{rest}", f"t=,{rest},{now}"]
        bad = [{"stripe-signature": header} for header in written]
    for headers in bad:
        assert await refused(listener, peer, body, headers) == 401, headers


async def test_w06_a_body_that_says_it_is_too_large_is_not_read(
    listener: Listener, peer: Peer, number: int
) -> None:
    head = f"POST {peer.path} HTTP/1.1\r\nHost: hub\r\nContent-Type: application/json\r\n"
    answer = await _raw(listener, head + f"Content-Length: {100 << 20}\r\n\r\n", b"")
    assert answer.startswith(b"HTTP/1.1 413")
    body = b" " * (300 << 10)
    assert await refused(listener, peer, body, peer.sign(body, f"evt_{number}")) == 413


async def test_w06_an_endless_body_is_cut(listener: Listener, peer: Peer, number: int) -> None:
    head = f"POST {peer.path} HTTP/1.1\r\nHost: hub\r\nContent-Type: application/json\r\n"
    piece = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
    answer = await _raw(listener, head + "Transfer-Encoding: chunked\r\n\r\n", piece * 64)
    assert answer.startswith(b"HTTP/1.1 413")


async def _raw(listener: Listener, head: str, body: bytes) -> bytes:
    """What the listener says to bytes on its connection, until it closes that."""
    reader, writer = await asyncio.open_connection(
        "127.0.0.1", listener.port, ssl=listener.trust(), server_hostname=MESH_NAME
    )
    try:
        writer.write(head.encode() + body)
        async with asyncio.timeout(10):
            return await reader.readuntil(b"\r\n\r\n")
    finally:
        writer.transport.abort()


async def test_w06_packed_bodies_are_refused_unopened(listener: Listener, peer: Peer, number: int) -> None:
    body = peer.event(new_job(number).job_id, f"evt_{number}")
    bomb = gzip.compress(b" " * (64 << 20))
    for encoding, packed in (("gzip", gzip.compress(body)), ("gzip", bomb), ("deflate", bomb), ("br", body)):
        headers = {**peer.sign(body, f"evt_{number}"), "content-encoding": encoding}
        assert await refused(listener, peer, packed, headers) == 415


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b'"x"',
        b"1e999",
        b'{"a":' * 5000,
        b"[" * 90_000,
        b"\xff\xfe",
        b'{"id":NaN}',
        b"{",
    ],
    ids=["empty", "null", "list", "text", "number", "deep object", "deep list", "binary", "nan", "cut"],
)
async def test_w06_a_signed_body_that_is_no_object_is_refused(
    listener: Listener, peer: Peer, number: int, body: bytes
) -> None:
    assert await refused(listener, peer, body, peer.sign(body, f"evt_{number}")) == 401


@pytest.mark.parametrize(
    "kind",
    [
        "text/plain",
        "application/xml",
        "multipart/form-data; boundary=b",
        "",
        "application/json; charset=utf-16",
        "json",
        "a/b",
    ],
)
async def test_w07_what_its_manifest_does_not_name_is_refused(
    listener: Listener, peer: Peer, number: int, kind: str
) -> None:
    body = peer.event(new_job(number).job_id, f"evt_{number}")
    headers = {**peer.sign(body, f"evt_{number}"), "content-type": kind}
    assert await refused(listener, peer, body, headers) == 415


@pytest.mark.parametrize("kind", ["application/json; charset=UTF-8", "application/cloudevents+json"])
async def test_w07_json_may_say_its_charset_or_its_kind(
    listener: Listener, peer: Peer, number: int, kind: str
) -> None:
    body = peer.event(new_job(number).job_id, f"evt_{number}")
    headers = {**peer.sign(body, f"evt_{number}"), "content-type": kind}
    assert (await listener.post(peer.path, body, headers)).status == 204


class Elsewhere:
    """A spoke or a store in trouble: what it is asked waits for `free`, then fails if it is to."""

    def __init__(self, error: Exception | None = None, *, room: int = 64) -> None:
        self.asking = 0
        self.free = asyncio.Event()
        self._error = error
        self._rules = replace(AS_USUAL, room=room)

    def webhook_rules(self, lane: str) -> WebhookRules:
        """It is known."""
        return self._rules

    async def parse_webhooks(self, deliveries: Sequence[Delivery]) -> list[Heard | Exception]:
        """The spoke's part."""
        self.asking += 1
        await self.free.wait()
        if self._error is not None:
            raise self._error
        return [Heard() for _ in deliveries]

    async def keep_all(self, events: Sequence[ArrivedEvent]) -> list[Kept]:
        """The store's part."""
        raise ConnectionRefusedError("postgresql://hub_rw:hunter2@127.0.0.1")

    async def apply_all(self, job_ids: Sequence[str]) -> list[bool]:
        """The store's part; nothing is ever kept, so nothing is there to apply."""
        return [False for _ in job_ids]


async def test_w13_beyond_what_it_can_hold_the_listener_says_when_to_come_back(
    hub_urls: Mapping[str, str], tmp_path: Path, peer: Peer
) -> None:
    slow = Elsewhere(room=1)
    async with listening(hub_urls, tmp_path, slow) as listener:
        call = asyncio.create_task(listener.post(peer.path, b"{}", {}))
        async with asyncio.timeout(5):
            while not slow.asking:
                await asyncio.sleep(0.01)
            answer = await listener.post(peer.path, b"{}", {})
        assert answer.status == 503
        assert int(answer.headers["Retry-After"]) > 0
        slow.free.set()
        assert (await call).status == 204
        assert (await listener.post(peer.path, b"{}", {})).status == 204


@pytest.mark.parametrize("error", [SpokeUnavailable("RESOURCE_EXHAUSTED"), ValueError("hunter2")], ids=repr)
async def test_w13_a_spoke_in_trouble_is_no_reason_to_lose_an_event(
    hub_urls: Mapping[str, str], tmp_path: Path, peer: Peer, error: Exception
) -> None:
    broken = Elsewhere(error)
    broken.free.set()
    async with listening(hub_urls, tmp_path, broken) as listener:
        answer = await listener.post(peer.path, b"{}", {})
    assert (answer.status, answer.body) == (503, b"")
    assert "Retry-After" in answer.headers


async def test_w13_nothing_is_acknowledged_that_the_store_did_not_take(
    hub_urls: Mapping[str, str], tmp_path: Path, spokes: SpokeDirectory, peer: Peer, number: int
) -> None:
    body = peer.event(new_job(number).job_id, f"evt_{number}")
    async with listening(hub_urls, tmp_path / "broken", spokes, store=Elsewhere()) as listener:
        answer = await listener.post(peer.path, body, peer.sign(body, f"evt_{number}"))
        kept = await listener.kept()
    assert (answer.status, answer.body) == (503, b"")
    async with listening(hub_urls, tmp_path / "sound", spokes) as listener:
        assert await listener.deliver(peer, body, f"evt_{number}") == 204
        assert await listener.kept() == kept + 1


async def test_w06_a_body_that_does_not_come_is_not_waited_for(
    hub_urls: Mapping[str, str], tmp_path: Path, spokes: SpokeDirectory, peer: Peer
) -> None:
    head = f"POST {peer.path} HTTP/1.1\r\nHost: hub\r\nContent-Type: application/json\r\n"
    async with listening(hub_urls, tmp_path, spokes, body_seconds=0.3) as listener:
        answer = await _raw(listener, head + "Content-Length: 100\r\n\r\n", b"{")
    assert answer.startswith(b"HTTP/1.1 408")
