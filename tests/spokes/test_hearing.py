"""Many events in one delivery or page, answers to a provider, and refused lists."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import grpc
import pytest
from aiohttp import web

from integration.payments.v1 import payments_service_pb2 as payments
from integration.spoke.v1 import spoke_service_pb2 as pb
from mesh.errors import answer_of
from spokes.kit import registry
from spokes.kit.accounts import Account
from spokes.kit.envelope import Verdict
from spokes.kit.errors import WebhookRefused
from spokes.kit.hearing import MOST_EVENTS, heard
from spokes.kit.servicer import MOST_ANSWER_BYTES as MOST_IN_ALL
from spokes.kit.servicer import _within
from spokes.kit.specimen import JOB_ID
from spokes.kit.spoke import MOST_ANSWER_BYTES, Answer, Delivery, Event, Heard
from spokes.kit.webhooks import NOT_UNDERSTOOD, read_events
from tests.conformance.bench import bench
from tests.spokes.harness import Running, Work, account, http_server, serving

GOOD: dict[str, Any] = {name: json.loads(registry.specimen(name).webhook) for name in ("echo", "stripe")}
UNFIT: list[Any] = [{}, None, [], "x", 7, {"id": "e v", "type": "t"}, {"id": "evt_9"}, {"type": "t", "id": 9}]


def understood(data: dict[str, Any]) -> Event:
    return Event(data["id"], data["type"], job_id=data["job"])


@pytest.mark.parametrize("unfit", UNFIT)
def test_an_event_without_a_fit_name_is_one_that_says_nothing_and_spoils_no_other(unfit: object) -> None:
    good = {"id": "evt_1", "type": "paid", "job": JOB_ID}
    first, bad, last = read_events([good, unfit, good], understood)
    assert first == last == Event("evt_1", "paid", job_id=JOB_ID)
    assert (bad.type, bad.job_id, bad.outcome) == (NOT_UNDERSTOOD, "", None)
    assert [bad] == read_events([unfit], understood)
    assert bad.id not in {e.id for e in read_events([each for each in UNFIT if each != unfit], understood)}


def _refusing(data: dict[str, Any]) -> Event:
    if data["id"] == "evt_bad":
        raise [IndexError, ZeroDivisionError, KeyError][data["how"]]
    return Event(data["id"], data["type"], job_id=JOB_ID)


@pytest.mark.parametrize("how", [0, 1, 2])
def test_an_event_that_its_reader_trips_over_is_kept_by_its_name(how: int) -> None:
    bad = {"id": "evt_bad", "type": "paid", "how": how}
    assert read_events([bad, {"id": "evt_1", "type": "paid"}], _refusing) == [
        Event("evt_bad", "paid"),
        Event("evt_1", "paid", job_id=JOB_ID),
    ]


def test_more_events_than_the_hub_takes_are_refused() -> None:
    event = Event("evt_1", "paid")
    assert len(heard([event] * MOST_EVENTS).events) == 1000
    with pytest.raises(WebhookRefused):
        heard(Heard([event] * (MOST_EVENTS + 1)))


def test_a_longer_answer_than_the_contracts_is_refused() -> None:
    assert Answer(b"x" * MOST_ANSWER_BYTES).status == 200
    with pytest.raises(WebhookRefused):
        Answer(b"x" * (MOST_ANSWER_BYTES + 1))


def test_results_that_do_not_fit_into_one_answer_come_again() -> None:
    large = pb.ParsedWebhook(verdict=pb.WEBHOOK_VERDICT_VERIFIED)
    large.events.add(confirmation=b"x" * (MOST_IN_ALL // 2))
    verdicts = [r.verdict for r in _within([large, large, large])]
    assert verdicts == [pb.WEBHOOK_VERDICT_VERIFIED, *[pb.WEBHOOK_VERDICT_UNAVAILABLE] * 2]
    assert _within([large])[0] is large


class Challenged:
    """A provider whose calls are all for an answer."""

    def verify_webhook(self, account: Account, delivery: Delivery) -> Heard:
        """Answers with the whole delivery."""
        return Heard(answer=Answer(f"{delivery.method} {delivery.address}".encode(), "text/xml", 202))


async def test_a_spoke_hears_method_and_address_and_may_answer(tmp_path: Path) -> None:
    async with bench("echo", "http://127.0.0.1:9", tmp_path) as spoke:
        spoke.worker._spoke = Challenged()  # type: ignore[assignment]
        verdict, body = await spoke.hear(b"", {}, 1, method="GET", url="https://h.example/x", query="a=%20")
    answer = pb.ParseWebhookResponse.FromString(body).answer
    assert verdict is Verdict.DONE
    assert (answer.status, answer.content_type) == (202, "text/xml")
    assert answer.body == b"GET https://h.example/x?a=%20"


def listing(status: int, page: object) -> web.Application:
    """A provider that answers every question for its events with the same."""

    async def answer(_: web.Request) -> web.Response:
        return web.json_response(page, status=status)

    application = web.Application()
    application.router.add_get("/v1/events", answer)
    return application


async def ask(running: Running) -> pb.ListEventsResponse:
    batch = running.hub.batch(
        [Work("integration.spoke.v1.SpokeService/ListEvents", payments.ChargeRequest())]
    )
    request = pb.ListEventsRequest(
        account="default", checkpoint=batch["checkpoint"], warrant=batch["attempts"][0].warrant
    )
    request.start_time.FromDatetime(datetime.now(UTC) - timedelta(minutes=1))
    request.end_time.FromDatetime(datetime.now(UTC))
    response: pb.ListEventsResponse = await running.hub.stub.ListEvents(request)
    return response


@pytest.mark.parametrize("name", ["echo", "stripe"])
async def test_a_page_with_unreadable_events_gives_all_the_others(name: str, tmp_path: Path) -> None:
    page = {"data": [*UNFIT, GOOD[name], *UNFIT], "next": "", "has_more": False}
    secrets = list(registry.specimen(name).webhook_secrets)
    async with (
        http_server(listing(200, page)) as url,
        serving(name, account(url, webhook_secrets=secrets), tmp_path) as running,
    ):
        events = (await ask(running)).events
    assert len(events) == 2 * len(UNFIT) + 1
    assert [(e.job_id, bool(e.confirmation)) for e in events if e.job_id] == [(JOB_ID, True)]
    assert [e.type for e in events if not e.job_id] == [NOT_UNDERSTOOD] * 2 * len(UNFIT)


@pytest.mark.parametrize("name", ["echo", "stripe"])
@pytest.mark.parametrize(
    ("status", "page", "answer"),
    [
        (400, {}, "FAILED_PRECONDITION: HTTP_400"),
        (404, {}, "FAILED_PRECONDITION: HTTP_404"),
        (403, {}, "FAILED_PRECONDITION: CREDENTIALS_REFUSED"),
        (429, {}, "UNAVAILABLE: THROTTLED"),
        (500, {}, "UNAVAILABLE: PROVIDER_ERROR"),
        (200, {"data": {}}, "UNAVAILABLE: REPLY_NOT_UNDERSTOOD"),
        (200, [], "UNAVAILABLE: REPLY_NOT_UNDERSTOOD"),
    ],
)
async def test_a_list_that_is_refused_says_why(
    name: str, status: int, page: object, answer: str, tmp_path: Path
) -> None:
    async with (
        http_server(listing(status, page)) as url,
        serving(name, account(url), tmp_path) as running,
    ):
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await ask(running)
    assert answer_of(refused.value) == answer
