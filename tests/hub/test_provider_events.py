"""A provider's list of events: asked only where there is something to ask, and never without its evidence."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass

import grpc
import pytest

from hub.errors import PlanRefused, ProviderNotReady, UnknownAccount, UnknownProvider
from hub.peers.notary import Notary
from hub.peers.provider_events import ProviderEvents
from hub.peers.spokes import SpokeAddress, SpokeDirectory
from integration.spoke.v1 import spoke_service_pb2 as pb
from integration.spoke.v1 import spoke_service_pb2_grpc
from mesh.errors import DETAILS_KEY, to_status
from mesh.evidence import dsse
from mesh.evidence.keys import SigningKey
from mesh.telemetry import Telemetry
from tests.fakes import FakeLog, HandClock
from tests.hub.jobs import NOW

PLAN = "00000000-0000-7000-8000-000000000001"


class Bare(spoke_service_pb2_grpc.SpokeServiceServicer):
    """A spoke that says who it is, and implements nothing else."""

    async def Describe(
        self, request: pb.DescribeRequest, context: grpc.aio.ServicerContext[object, object]
    ) -> pb.DescribeResponse:
        """One account."""
        account = pb.AccountSpec(name="default", max_concurrency=1, rate_per_second=1, burst=1)
        return pb.DescribeResponse(provider="bare", accounts=[account])


class Refused(Bare):
    """A spoke whose provider refuses to list."""

    async def ListEvents(
        self, request: pb.ListEventsRequest, context: grpc.aio.ServicerContext[object, object]
    ) -> pb.ListEventsResponse:
        """As a spoke's server ends the call."""
        status = to_status(_Refusal(), {_Refusal: grpc.StatusCode.FAILED_PRECONDITION}, "spokes.test")
        details = ((DETAILS_KEY, status.SerializeToString()),)
        await context.abort(grpc.StatusCode.FAILED_PRECONDITION, status.message, details)
        raise AssertionError


class Mixed(Bare):
    """A spoke whose page holds an event without a name."""

    async def ListEvents(
        self, request: pb.ListEventsRequest, context: grpc.aio.ServicerContext[object, object]
    ) -> pb.ListEventsResponse:
        """One good event among bad ones."""
        names = ["", "evt_1", "a b"]
        return pb.ListEventsResponse(
            events=[pb.ProviderEvent(event_id=n, type="paid", job_id="4711") for n in names]
        )


class _Refusal(Exception):
    reason = "HTTP_400"


@dataclass
class Asking:
    """The lists, the log that they are stated in, and the spokes."""

    lists: ProviderEvents
    log: FakeLog
    directory: SpokeDirectory

    async def ask(self, lane: str) -> list[str]:
        """The ids of the events of no time at all."""
        return [e.event_id for e in await self.lists.list_events(lane, PLAN, start=NOW, end=NOW, most=10)]

    def stated(self) -> list[tuple[str, str, str]]:
        """Kind, outcome and reason of what the log holds."""
        said = [json.loads(dsse.open_envelope(e).payload) for e in self.log.entries]
        ends = [one.get("res", {}) for one in said]
        return [
            (one["kind"], end.get("outcome", ""), end.get("reason", ""))
            for one, end in zip(said, ends, strict=True)
        ]


@pytest.fixture
async def asking(request: pytest.FixtureRequest) -> AsyncIterator[Asking]:
    """One spoke that has been heard, and one that never was."""
    server = grpc.aio.server()
    spoke: Bare = getattr(request, "param", Bare)()
    spoke_service_pb2_grpc.add_SpokeServiceServicer_to_server(spoke, server)
    target = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    await server.start()
    directory = SpokeDirectory(
        [SpokeAddress(name, target, "") for name in ("bare", "silent")],
        open_channel=lambda spoke: grpc.aio.insecure_channel(spoke.address),
        telemetry=Telemetry.start("test", "test"),
    )
    assert await directory.describe("bare")
    log = FakeLog()
    notary = Notary(SigningKey.generate(), holder="hub", boot="boot", clock=HandClock())
    yield Asking(ProviderEvents(directory, log=log, notary=notary), log, directory)
    await directory.close()
    await server.stop(None)


@pytest.mark.parametrize(
    ("lane", "refusal"),
    [
        ("nobody/default", UnknownProvider),
        ("bare/other", UnknownAccount),
        ("silent/default", ProviderNotReady),
    ],
)
async def test_nothing_is_stated_of_a_lane_that_there_is_not(
    asking: Asking, lane: str, refusal: type[Exception]
) -> None:
    with pytest.raises(refusal):
        await asking.ask(lane)
    assert asking.stated() == []


async def test_a_provider_that_lists_no_events_is_refused_with_its_evidence(asking: Asking) -> None:
    with pytest.raises(PlanRefused, match="bare lists no events"):
        await asking.ask("bare/default")
    assert asking.stated() == [("intent", "", ""), ("evidence", "not_sent", "NOT_OFFERED")]


@pytest.mark.parametrize("asking", [Refused], indirect=True)
async def test_a_list_that_the_provider_refuses_is_refused_with_its_reason(asking: Asking) -> None:
    with pytest.raises(PlanRefused, match="bare will not list its events: HTTP_400"):
        await asking.ask("bare/default")
    assert asking.stated() == [("intent", "", ""), ("evidence", "not_sent", "HTTP_400")]


@pytest.mark.parametrize("asking", [Mixed], indirect=True)
async def test_an_event_without_a_name_spoils_no_other(asking: Asking) -> None:
    assert await asking.ask("bare/default") == ["evt_1"]


@pytest.mark.parametrize("asking", [Mixed], indirect=True)
async def test_a_reference_that_cannot_be_a_job_of_ours_spoils_no_list(asking: Asking) -> None:
    (event,) = await asking.lists.list_events("bare/default", PLAN, start=NOW, end=NOW, most=10)
    assert event.job_id == ""
