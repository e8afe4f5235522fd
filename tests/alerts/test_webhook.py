"""Alerts by signed webhook, verified by the library of the Standard Webhooks project."""

import asyncio
import base64
import json
import logging
from datetime import timedelta

import pytest
from standardwebhooks import WebhookVerificationError

from hub.alerts.signed_webhook import SignedWebhook
from mesh.duty import DutyLoop
from tests.alerts.receiver import KEY, SECRET, Receiver
from tests.alerts.rig import Desk, alert
from tests.docs.readme import ROOT, blocks

MINUTE = timedelta(minutes=1)
OTHER = base64.b64encode(b"another key of thirty-two bytes!").decode()


def sink(receiver: Receiver, *keys: str) -> SignedWebhook:
    """The receiver as a sink."""
    return SignedWebhook("operations", receiver.url, tuple(map(base64.b64decode, keys or (KEY,))))


async def test_a_receiver_can_verify_what_it_is_told(desk: Desk, receiver: Receiver) -> None:
    await desk.store.raise_alert(alert())
    await desk.tell(sink(receiver))
    (state,) = await desk.store.firing()
    assert receiver.verified() == [
        {
            "type": "alert.firing",
            "timestamp": state.changed_at.isoformat(),
            "data": {
                "key": "DeadLetters/stripe/default/provider_down",
                "name": "DeadLetters",
                "severity": "SEV1",
                "labels": {"provider": "stripe", "account": "default", "cause": "provider_down"},
                "summary": "3 jobs are dead",
                "runbook": "docs/runbooks/provider-down.md",
                "change": 1,
                "started_at": state.started_at.isoformat(),
                "ended_at": None,
            },
        }
    ]


async def test_the_page_shows_the_body_as_it_is(desk: Desk, receiver: Receiver) -> None:
    await desk.store.raise_alert(alert())
    await desk.tell(sink(receiver))
    (told,) = receiver.told()
    shown = json.loads(blocks("json", ROOT / "docs" / "alerts.md")[0])
    assert shown.keys() == told.keys()
    assert shown["data"].keys() == told["data"].keys()


async def test_another_secret_does_not_verify(desk: Desk, receiver: Receiver) -> None:
    await desk.store.raise_alert(alert())
    await desk.tell(sink(receiver))
    with pytest.raises(WebhookVerificationError):
        receiver.verified(f"whsec_{OTHER}")


async def test_a_changed_body_or_id_does_not_verify(desk: Desk, receiver: Receiver) -> None:
    await desk.store.raise_alert(alert())
    await desk.tell(sink(receiver))
    ((headers, body),) = receiver.got
    for forged in ((headers, body.replace(b"SEV1", b"SEV2")), ({**headers, "webhook-id": "alert_1"}, body)):
        receiver.got = [forged]
        with pytest.raises(WebhookVerificationError):
            receiver.verified()


async def test_while_a_secret_is_replaced_both_verify(desk: Desk, receiver: Receiver) -> None:
    await desk.store.raise_alert(alert())
    await desk.tell(sink(receiver, OTHER, KEY))
    assert receiver.verified(SECRET) == receiver.verified(f"whsec_{OTHER}")


async def test_killed_between_sending_and_writing_it_down_it_sends_the_same_again(
    desk: Desk, receiver: Receiver
) -> None:
    await desk.store.raise_alert(alert())
    await sink(receiver).send(await desk.store.firing(), desk.clock.now())
    desk.clock.move(5)
    await desk.tell(sink(receiver))
    first, second = receiver.got
    assert first[1] == second[1]
    assert len(receiver.ids()) == 2
    assert len(set(receiver.ids())) == 1
    assert receiver.verified()


async def test_each_change_is_told_once_and_under_an_id_of_its_own(desk: Desk, receiver: Receiver) -> None:
    await desk.store.raise_alert(alert())
    for _ in range(3):
        await desk.tell(sink(receiver))
        desk.clock.move(600)
    await desk.store.end_alert(alert().key)
    for _ in range(3):
        await desk.tell(sink(receiver))
        desk.clock.move(600)
    assert [told["type"] for told in receiver.told()] == ["alert.firing", "alert.ended"]
    assert len(set(receiver.ids())) == 2


async def test_changes_within_a_minute_are_told_together_and_ends_and_starts_at_once(
    desk: Desk, receiver: Receiver
) -> None:
    async def summaries() -> list[str]:
        await desk.tell(sink(receiver))
        return [told["data"]["summary"] for told in receiver.verified()]

    await desk.store.raise_alert(alert(summary="1 dead"))
    assert await summaries() == ["1 dead"]
    for summary in ("2 dead", "3 dead"):
        desk.clock.move(29)
        await desk.store.raise_alert(alert(summary=summary))
        assert await summaries() == ["1 dead"]
    desk.clock.move(2)
    assert await summaries() == ["1 dead", "3 dead"]
    await desk.store.end_alert(alert().key)
    assert len(await summaries()) == 3
    await desk.store.raise_alert(alert(summary="again"))
    assert (await summaries())[3:] == ["again"]


async def test_what_has_begun_and_ended_before_it_could_be_told_is_told(
    desk: Desk, receiver: Receiver
) -> None:
    receiver.status = 503
    await desk.store.raise_alert(alert())
    await desk.tell(sink(receiver))
    await desk.store.end_alert(alert().key)
    receiver.status, receiver.got = 200, []
    desk.clock.move(3 * 24 * 3600)
    await desk.tell(sink(receiver))
    await desk.tell(sink(receiver))
    assert [told["type"] for told in receiver.told()] == ["alert.ended"]


async def test_a_receiver_that_is_down_is_tried_less_and_less_often_and_loses_nothing(
    desk: Desk, receiver: Receiver
) -> None:
    receiver.status = 503
    await desk.store.raise_alert(alert())
    tried = []
    for second in range(200):
        before = len(receiver.got)
        await desk.tell(sink(receiver))
        tried += [second] * (len(receiver.got) - before)
        desk.clock.move(1)
    # Backoffs of half of 1, 2, 4, ... 60 seconds, seen by a clock that moves by whole seconds.
    assert tried == [0, 1, 2, 4, 8, 16, 32, 62, 92, 122, 152, 182]
    receiver.status = 200
    desk.clock.move(30)
    await desk.tell(sink(receiver))
    assert len(set(receiver.ids())) == 1
    assert len(receiver.got) == len(tried) + 1
    await desk.tell(sink(receiver))
    assert len(receiver.got) == len(tried) + 1


async def test_an_alert_that_is_refused_holds_back_no_other(desk: Desk, receiver: Receiver) -> None:
    receiver.statuses = {alert("poison").key: 500}
    for cause in ("poison", *(f"cause_{n}" for n in range(40))):
        await desk.store.raise_alert(alert(cause))
    await desk.tell(sink(receiver))
    assert len(set(receiver.ids())) == 41
    desk.clock.move(60)
    receiver.got = []
    await desk.tell(sink(receiver))
    assert [told["data"]["key"] for told in receiver.verified()] == [alert("poison").key]


async def test_a_sink_that_answers_nothing_delays_no_other(desk: Desk, receiver: Receiver) -> None:
    connected = asyncio.Event()

    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connected.set()
        await reader.read()
        writer.close()

    server = await asyncio.start_server(say_nothing, "127.0.0.1", 0)
    silent = SignedWebhook("silent", f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", (b"k" * 32,))
    loops = [DutyLoop(desk.alerting(each)) for each in (silent, sink(receiver))]
    await desk.store.raise_alert(alert())
    tasks = [asyncio.create_task(loop.run()) for loop in loops]
    try:
        async with asyncio.timeout(10):
            await connected.wait()
            await receiver.came.wait()
            receiver.came.clear()
            await desk.store.end_alert(alert().key)
            loops[1].hint()
            await receiver.came.wait()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        server.close()
    assert [told["type"] for told in receiver.verified()] == ["alert.firing", "alert.ended"]


async def test_a_redirect_is_not_followed(desk: Desk, receiver: Receiver) -> None:
    receiver.status = 307
    await desk.store.raise_alert(alert())
    await desk.tell(sink(receiver))
    assert len(receiver.got) == 1
    (waiting,) = await desk.store.candidates("operations", repeats=False, now=desk.clock.now() + MINUTE)
    assert waiting.told.change == 0


async def test_a_receiver_that_wants_no_more_gets_no_more_and_that_is_logged(
    desk: Desk, receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    receiver.status = 410
    await desk.store.raise_alert(alert())
    duty = desk.alerting(sink(receiver))
    assert await duty.run_once() is None
    desk.clock.move(600)
    assert await duty.run_once() is None
    assert len(receiver.got) == 1
    assert [(r.levelno, vars(r)["sink"]) for r in caplog.records if r.name == "hub.alerts.model"] == [
        (logging.ERROR, "operations")
    ]


async def test_a_streak_of_failures_is_logged_once_and_its_end_too(
    desk: Desk, receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "hub.alerts.model")
    receiver.status = 500
    await desk.store.raise_alert(alert())
    duty = desk.alerting(sink(receiver))
    for _ in range(3):
        await duty.run_once()
        desk.clock.move(60)
    receiver.status = 200
    await duty.run_once()
    said = [(r.levelname, r.getMessage()) for r in caplog.records if r.name == "hub.alerts.model"]
    assert said == [("ERROR", "a sink does not take alerts"), ("INFO", "a sink takes alerts again")]


async def test_neither_logs_nor_errors_nor_texts_show_the_secret_or_the_address(
    desk: Desk, receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    hidden = SignedWebhook("operations", f"{receiver.url}?token=t0ken", (base64.b64decode(KEY),))
    nowhere = SignedWebhook("nowhere", "http://127.0.0.1:9/t0ken", (base64.b64decode(KEY),))
    odd = SignedWebhook("odd", "http://[t0ken", (base64.b64decode(KEY),))
    receiver.status = 500
    await desk.store.raise_alert(alert())
    for each in (hidden, nowhere, odd):
        await desk.tell(each)
        assert await each.send(await desk.store.firing(), desk.clock.now()) != [None]
    ours = [r for r in caplog.records if r.name.startswith("hub.alerts")]
    said = "".join(str(vars(r)) for r in ours) + repr((hidden, nowhere, odd))
    assert len(ours) == 3
    for secret in ("t0ken", KEY, repr(base64.b64decode(KEY))[2:-1]):
        assert secret not in said
