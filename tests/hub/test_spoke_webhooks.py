"""Webhooks between the hub and a spoke: what the spoke says of them, and what is made of its word."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime

import grpc
import pytest

from hub.events.model import Answer, Delivery, Heard, WebhookRefused, WebhookRules
from hub.lanes.ports import SpokeUnavailable
from hub.peers.spokes import SpokeAddress, SpokeDirectory
from integration.spoke.v1 import spoke_service_pb2 as pb
from integration.spoke.v1 import spoke_service_pb2_grpc
from mesh.telemetry import Telemetry

CALL = Delivery(
    lane="said/default",
    headers=[("x-signature", "s")],
    body=b"a=1",
    received_at=datetime(2026, 1, 1, tzinfo=UTC),
    method="PUT",
    url="https://hooks.example.com/webhooks/said/default",
    query="b=%20",
)


class Said(spoke_service_pb2_grpc.SpokeServiceServicer):
    """A spoke that says what it is told to, and remembers what it was asked."""

    def __init__(self) -> None:
        self.webhooks: pb.WebhookSpec | None = None
        self.parsed = pb.ParsedWebhook()
        self.asked: list[pb.ParseWebhookRequest] = []

    async def Describe(
        self, request: pb.DescribeRequest, context: grpc.aio.ServicerContext[object, object]
    ) -> pb.DescribeResponse:
        """One account."""
        account = pb.AccountSpec(name="default", max_concurrency=1)
        return pb.DescribeResponse(provider="said", accounts=[account], webhooks=self.webhooks)

    async def ParseWebhooks(
        self, request: pb.ParseWebhooksRequest, context: grpc.aio.ServicerContext[object, object]
    ) -> pb.ParseWebhooksResponse:
        """The same of each."""
        self.asked.extend(request.webhooks)
        return pb.ParseWebhooksResponse(results=[self.parsed for _ in request.webhooks])


@pytest.fixture
async def speaking() -> AsyncIterator[tuple[Said, SpokeDirectory]]:
    """The spoke, and the hub's directory of it."""
    server, said = grpc.aio.server(), Said()
    spoke_service_pb2_grpc.add_SpokeServiceServicer_to_server(said, server)
    target = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    await server.start()
    directory = SpokeDirectory(
        [SpokeAddress("said", target, "")],
        open_channel=lambda spoke: grpc.aio.insecure_channel(spoke.address),
        telemetry=Telemetry.start("test", "test"),
    )
    yield said, directory
    await directory.close()
    await server.stop(None)


USUAL = WebhookRules(frozenset({"POST"}), frozenset({"application/json"}), 256 << 10, 64)


@pytest.mark.parametrize(
    ("spec", "rules"),
    [
        (None, USUAL),
        (pb.WebhookSpec(), USUAL),
        (pb.WebhookSpec(max_bytes=1 << 30, room=1 << 30), replace(USUAL, room=1024)),
        (
            pb.WebhookSpec(methods=["GET"], content_types=["text/plain"], max_bytes=9, room=3),
            WebhookRules(frozenset({"GET"}), frozenset({"text/plain"}), 9, 3),
        ),
    ],
)
async def test_the_hub_takes_what_the_spoke_says_within_what_it_takes_of_anybody(
    speaking: tuple[Said, SpokeDirectory], spec: pb.WebhookSpec | None, rules: WebhookRules
) -> None:
    said, directory = speaking
    said.webhooks = spec
    assert await directory.describe("said")
    assert directory.webhook_rules("said/default") == rules


async def test_a_spoke_is_told_the_whole_call(speaking: tuple[Said, SpokeDirectory]) -> None:
    said, directory = speaking
    said.parsed = pb.ParsedWebhook(verdict=pb.WEBHOOK_VERDICT_VERIFIED)
    assert await directory.parse_webhooks([CALL]) == [Heard([])]
    (asked,) = said.asked
    assert (asked.method, asked.url, asked.query, asked.body) == ("PUT", CALL.url, "b=%20", b"a=1")
    assert [(h.name, h.value) for h in asked.headers] == CALL.headers


async def test_an_answer_counts_only_with_the_word_verified(speaking: tuple[Said, SpokeDirectory]) -> None:
    said, directory = speaking
    answer = pb.WebhookAnswer(content_type="text/plain", body=b"c")
    found: list[Heard | Exception] = []
    for verdict in (
        pb.WEBHOOK_VERDICT_VERIFIED,
        pb.WEBHOOK_VERDICT_REFUSED,
        pb.WEBHOOK_VERDICT_UNAVAILABLE,
        pb.WEBHOOK_VERDICT_UNSPECIFIED,
    ):
        said.parsed = pb.ParsedWebhook(verdict=verdict, answer=answer)
        found += await directory.parse_webhooks([CALL])
    assert found[0] == Heard([], Answer(200, "text/plain", b"c"))
    assert [type(f) for f in found[1:]] == [WebhookRefused, SpokeUnavailable, SpokeUnavailable]
