"""What providers say, posted to the tenants' endpoints: signed, at least once, each tenant apart."""

import asyncio
import base64
import json
import logging
import socket
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest
from google.protobuf.json_format import ParseDict
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from hub.alerts.store import PostgresAlertStore
from hub.callbacks.model import GIVEN_UP_AFTER, TOLD_AFTER
from hub.callbacks.posting_events import CLAIMED_FOR, PostEvents
from hub.callbacks.sending import send
from hub.callbacks.store import PostgresCallbackStore
from hub.events.convert import told_to_proto
from hub.events.told import EndpointView
from hub.events.told_store import PostgresToldLog
from hub.posting.http import PRIVATE, post
from hub.tenants import Endpoint
from integration.events.v1 import event_pb2
from mesh.clock import SystemClock
from mesh.duty import DutyLoop
from tests.alerts.receiver import KEY, SECRET, Receiver
from tests.fakes import HandClock
from tests.hub.told import tell, told_to

OTHER = base64.b64encode(b"another key of thirty-two bytes!").decode()
HOUR = timedelta(hours=1).total_seconds()


class Post:
    """The duty on a real store, with a clock that is moved by hand."""

    def __init__(self, engine: AsyncEngine, endpoints: dict[str, Endpoint]) -> None:
        self.engine, self.endpoints = engine, endpoints
        self.clock = HandClock(SystemClock().now())
        self.alerts = PostgresAlertStore(engine)
        self.duty = self.replica()

    def replica(self) -> PostEvents:
        """One that has just begun."""
        return PostEvents(
            PostgresCallbackStore(self.engine),
            PostgresToldLog(self.engine),
            endpoint=self.endpoints.get,
            send=send,
            clock=self.clock,
            draw=lambda: 1.0,
        )

    async def tell(self, name: str, *, tenant: str = "acme", count: int = 1) -> None:
        """Something is told."""
        async with self.engine.begin() as connection:
            await tell(connection, name, tenant=tenant, count=count)

    async def go(self, tenant: str = "acme") -> None:
        """Posts all that is due now."""
        await self.duty.take_news()
        for due, endpoint in await self.duty.due():
            while due == tenant and await self.duty.post(tenant, endpoint):
                pass

    async def firing(self) -> list[tuple[str, dict[str, str]]]:
        """The alerts that fire."""
        return [(s.alert.name, dict(s.alert.labels)) for s in await self.alerts.firing()]

    async def waiting(self) -> dict[int, bool]:
        """What has not been taken, by cursor, and whether it is tried again."""
        async with self.engine.connect() as connection:
            rows = await connection.execute(
                text("SELECT cursor, next_at IS NOT NULL AS goes_on FROM event_delivery")
            )
            return {row.cursor: row.goes_on for row in rows}


def endpoint_of(receiver: Receiver, *keys: str) -> Endpoint:
    """The receiver, which is in our own network."""
    return Endpoint(receiver.url, tuple(map(base64.b64decode, keys or (KEY,))), allow_private=True)


def ids(receiver: Receiver) -> list[str]:
    """The events that came."""
    return [told["data"]["eventId"] for told in receiver.told()]


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    """A receiver that takes all."""
    running = Receiver()
    await running.start()
    yield running
    await running.stop()


@pytest.fixture
async def desk(hub_engine: AsyncEngine, receiver: Receiver) -> Post:
    """One tenant has an endpoint."""
    return Post(hub_engine, {"acme": endpoint_of(receiver)})


async def test_what_is_posted_verifies_and_is_the_event_of_the_contract(
    desk: Post, receiver: Receiver
) -> None:
    await desk.tell("evt")
    await desk.go()
    (body,) = receiver.verified(SECRET)
    (told,) = await told_to(desk.engine)
    assert body.keys() == {"type", "timestamp", "data"}
    assert (body["type"], body["timestamp"]) == ("event.dispute", told.kept_at.isoformat())
    assert ParseDict(body["data"], event_pb2.Event()) == told_to_proto(told)
    assert await desk.waiting() == {}


async def test_while_a_secret_is_replaced_both_verify(desk: Post, receiver: Receiver) -> None:
    desk.endpoints["acme"] = endpoint_of(receiver, OTHER, KEY)
    await desk.tell("evt")
    await desk.go()
    assert receiver.verified(SECRET) == receiver.verified(f"whsec_{OTHER}")


async def test_nothing_is_posted_of_other_tenants_of_nobody_or_twice(desk: Post, receiver: Receiver) -> None:
    for tenant in ("acme", "beta", ""):
        await desk.tell(f"evt{tenant}", tenant=tenant)
    for _ in range(3):
        await desk.go()
        desk.clock.move(HOUR)
    assert ids(receiver) == ["evtacme-1"]
    assert await desk.waiting() == {}


async def test_what_is_refused_is_tried_for_three_days_then_given_up_and_the_alert_names_the_tenant(
    desk: Post, receiver: Receiver
) -> None:
    receiver.status = 503
    await desk.tell("evt")
    began = desk.clock.now()
    while any((await desk.waiting() or {0: True}).values()):
        await desk.go()
        if desk.clock.now() - began < TOLD_AFTER:
            assert await desk.firing() == []
        desk.clock.move(HOUR / 2)
    assert GIVEN_UP_AFTER <= desk.clock.now() - began <= GIVEN_UP_AFTER + timedelta(hours=2)
    assert 70 <= len(receiver.got) <= 90
    assert len(set(receiver.ids())) == 1
    assert await desk.firing() == [("EventsUndelivered", {"tenant": "acme"})]
    receiver.status = 204
    await desk.tell("later")
    await desk.go()
    assert ids(receiver)[-1] == "later-1"
    assert await desk.firing() == []


async def test_one_event_that_is_refused_holds_back_no_other(desk: Post, receiver: Receiver) -> None:
    receiver.statuses = {"evt-3": 500}
    await desk.tell("evt", count=40)
    await desk.go()
    assert set(ids(receiver)) == {f"evt-{n}" for n in range(1, 41)}
    assert len(receiver.got) == 40
    assert len(await desk.waiting()) == 1


async def test_killed_between_posting_and_writing_it_down_it_posts_the_same_again(
    desk: Post, receiver: Receiver
) -> None:
    await desk.tell("evt")
    await desk.duty.take_news()
    now = desk.clock.now()
    (due,) = await PostgresCallbackStore(desk.engine).claim(
        "acme", now=now, until=now + CLAIMED_FOR, limit=16
    )
    assert await send(desk.endpoints["acme"], due.event, now) is None
    desk.duty = desk.replica()
    await desk.go()
    assert len(receiver.got) == 1
    desk.clock.move(CLAIMED_FOR.total_seconds())
    await desk.go()
    first, second = receiver.got
    assert first[1] == second[1]
    assert len(set(receiver.ids())) == 1


async def test_replicas_that_post_at_once_post_each_event_once(desk: Post, receiver: Receiver) -> None:
    await desk.tell("evt", count=100)
    await desk.duty.take_news()
    replicas, endpoint = [desk.replica() for _ in range(4)], desk.endpoints["acme"]

    async def work(replica: PostEvents) -> None:
        while await replica.post("acme", endpoint):
            pass

    await asyncio.gather(*map(work, replicas), *(r.take_news() for r in replicas))
    assert len(ids(receiver)) == len(set(ids(receiver))) == 100


async def test_a_dead_endpoint_of_one_tenant_delays_no_other(desk: Post, receiver: Receiver) -> None:
    connected = asyncio.Event()

    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connected.set()
        await reader.read()
        writer.close()

    silent = await asyncio.start_server(say_nothing, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{silent.sockets[0].getsockname()[1]}"
    desk.endpoints["aaa"] = replace(desk.endpoints["acme"], url=url)
    await desk.tell("dead", tenant="aaa", count=100)
    task = asyncio.create_task(DutyLoop(desk.duty).run())
    try:
        async with asyncio.timeout(10):
            await connected.wait()
            for number in range(3):
                await desk.tell(f"evt-{number}")
                await receiver.came.wait()
                receiver.came.clear()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        silent.close()
    assert ids(receiver) == [f"evt-{number}-1" for number in range(3)]


async def test_after_410_nothing_more_is_posted_until_the_entry_changes_and_nothing_is_lost(
    desk: Post, receiver: Receiver
) -> None:
    receiver.status = 410
    await desk.tell("evt")
    await desk.go()
    assert await desk.firing() == [("EventsUndelivered", {"tenant": "acme"})]
    await desk.tell("later")
    for _ in range(100):
        desk.clock.move(HOUR)
        await desk.go()
    assert len(receiver.got) == 1
    receiver.status, receiver.got = 200, []
    desk.endpoints["acme"] = endpoint_of(receiver, OTHER, KEY)
    await desk.go()
    assert ids(receiver) == ["evt-1", "later-1"]
    assert await desk.firing() == []


async def test_a_streak_of_failures_is_logged_once_and_its_end_too(
    desk: Post, receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "hub.callbacks")
    receiver.status = 500
    await desk.tell("evt")
    for _ in range(3):
        await desk.go()
        desk.clock.move(HOUR)
    receiver.status = 200
    await desk.go()
    said = [(r.levelname, vars(r)["tenant"]) for r in caplog.records if r.name.startswith("hub.callbacks")]
    assert said == [("ERROR", "acme"), ("INFO", "acme")]


async def test_how_an_endpoint_stands_is_said_of_each_tenant(desk: Post, receiver: Receiver) -> None:
    store = PostgresCallbackStore(desk.engine)
    desk.endpoints["beta"] = endpoint_of(receiver)
    receiver.statuses = {"b-1": 410}
    receiver.status = 503
    began = desk.clock.now()
    await desk.tell("a", count=2)
    await desk.go()
    desk.clock.move(GIVEN_UP_AFTER.total_seconds())
    await desk.go()
    await desk.tell("later")
    await desk.tell("b", tenant="beta")
    await desk.go("acme")
    await desk.go("beta")
    acme, beta = await store.endpoints("")
    assert acme == EndpointView("acme", 1, 2, began, "HTTP 503", None)
    assert beta == EndpointView("beta", 1, 0, desk.clock.now(), "HTTP 410", desk.clock.now())
    assert await store.endpoints("beta") == [beta]
    assert await store.endpoints("gamma") == []


async def test_a_redirect_is_not_followed_and_is_no_success(desk: Post, receiver: Receiver) -> None:
    receiver.status = 307
    await desk.tell("evt")
    await desk.go()
    assert len(receiver.got) == 1
    assert len(await desk.waiting()) == 1


async def test_an_entry_without_an_endpoint_any_more_ends_what_was_on_its_way(
    desk: Post, receiver: Receiver
) -> None:
    receiver.status = 410
    await desk.tell("evt")
    await desk.go()
    del desk.endpoints["acme"]
    desk.clock.move(HOUR)
    await desk.go()
    assert (await desk.waiting(), await desk.firing()) == ({}, [])


async def test_nothing_is_posted_into_our_own_network_unless_the_entry_allows_it(receiver: Receiver) -> None:
    port = receiver.url.split(":")[2].partition("/")[0]
    for host in ("127.0.0.1", "[::1]", "localhost", "10.0.0.7", "169.254.169.254"):
        assert await post(f"http://{host}:{port}/alerts", b"", {}, public_only=True) == PRIVATE
    name = socket.gethostname()
    assert await post(f"http://{name}:{port}/alerts", b"", {}, public_only=True) == "ClientConnectorDNSError"
    assert receiver.got == []


async def test_neither_logs_nor_texts_show_the_secret_or_the_address(
    desk: Post, receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    shown = desk.endpoints["acme"]
    for url in (f"{receiver.url}?token=t0ken", "http://127.0.0.1:9/t0ken", "http://[t0ken"):
        receiver.status = 500
        desk.endpoints["acme"] = replace(shown, url=url)
        desk.duty = desk.replica()
        await desk.tell(f"evt-{len(url)}")
        await desk.go()
    ours = [record for record in caplog.records if record.name.startswith(("hub.callbacks", "hub.posting"))]
    async with desk.engine.connect() as connection:
        kept = (await connection.execute(text("SELECT reason FROM event_delivery"))).scalars().all()
    said = json.dumps([*map(str, map(vars, ours)), repr(desk.endpoints), *kept])
    assert len(ours) == 3
    for secret in ("t0ken", KEY, repr(base64.b64decode(KEY))[2:-1]):
        assert secret not in said


async def test_an_alert_ends_with_the_entry_of_its_tenant_also_where_all_was_given_up(
    desk: Post, receiver: Receiver
) -> None:
    receiver.status = 500
    await desk.tell("evt")
    for _ in range(90):
        await desk.go()
        desk.clock.move(HOUR)
    assert list((await desk.waiting()).values()) == [False]
    assert await desk.firing()
    del desk.endpoints["acme"]
    await desk.go()
    assert await desk.firing() == []
    assert await desk.waiting() == {}
