"""Calls to a spoke over real gRPC: it is away, its answers are large, nobody waits any more."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import grpc
import pytest

from hub.jobs.model import Purpose
from hub.lanes.ports import Receipt, SpokeUnavailable, Warranted
from hub.peers.spokes import LAST_ASK_SECONDS, Describing, SpokeAddress, SpokeDirectory
from integration.spoke.v1 import spoke_service_pb2 as pb
from integration.spoke.v1 import spoke_service_pb2_grpc
from mesh.channel import MAX_MESSAGE_BYTES
from mesh.telemetry import Telemetry
from tests.hub.jobs import claimed, spec

LANE = "big/default"
OPTIONS = [("grpc.max_receive_message_length", MAX_MESSAGE_BYTES)]
Context = grpc.aio.ServicerContext[object, object]


class Big(spoke_service_pb2_grpc.SpokeServiceServicer):
    """A spoke whose results are large, that may be away, and that never comes to an end."""

    def __init__(self) -> None:
        self.away = False
        self.fences: list[int] = []
        self.executed: list[pb.ExecuteRequest] = []
        self.begun = asyncio.Event()
        self.dropped = asyncio.Event()

    async def Describe(self, request: pb.DescribeRequest, context: Context) -> pb.DescribeResponse:
        """One account."""
        if self.away:
            await context.abort(grpc.StatusCode.UNAVAILABLE, "away")
        return pb.DescribeResponse(
            provider="big", accounts=[pb.AccountSpec(name="default", max_concurrency=7)]
        )

    async def Fence(self, request: pb.FenceRequest, context: Context) -> pb.FenceResponse:
        """Every attempt has a result of 900 kB."""
        self.fences.append(len(request.attempts))
        results = [
            pb.AttemptResult(attempt_id=a.attempt_id, evidence=bytes(900_000)) for a in request.attempts
        ]
        return pb.FenceResponse(
            reports=[
                pb.AttemptReport(attempt_id=r.attempt_id, knowledge=pb.KNOWLEDGE_FINISHED, result=r)
                for r in results
            ]
        )

    async def Execute(
        self, request: pb.ExecuteRequest, context: Context
    ) -> AsyncIterator[pb.ExecuteResponse]:
        """Works for ever, or is away."""
        if self.away:
            await context.abort(grpc.StatusCode.UNAVAILABLE, "away")
        self.executed.append(request)
        yield pb.ExecuteResponse(results=[pb.AttemptResult(attempt_id="of nobody")])
        self.begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            self.dropped.set()


@pytest.fixture
async def spoke() -> AsyncIterator[tuple[Big, SpokeDirectory]]:
    """The spoke and the hub's side of it."""
    server, big = grpc.aio.server(), Big()
    spoke_service_pb2_grpc.add_SpokeServiceServicer_to_server(big, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    directory = SpokeDirectory(
        [SpokeAddress("big", f"127.0.0.1:{port}", "big")],
        open_channel=lambda spoke: grpc.aio.insecure_channel(spoke.address, options=OPTIONS),
        telemetry=Telemetry(None),
    )
    assert await directory.describe("big")
    yield big, directory
    await directory.close()
    await server.stop(None)


def attempts(many: int) -> list[Warranted]:
    """Attempts at the spoke."""
    return [
        Warranted(replace(claimed(seq=n), provider="big"), b"intent", Receipt(0, b"l", (), b"note"), spec())
        for n in range(1, many + 1)
    ]


async def test_reports_that_no_message_can_hold_together_are_asked_for_in_parts(
    spoke: tuple[Big, SpokeDirectory],
) -> None:
    _, directory = spoke
    claims = [a.claimed for a in attempts(10)]
    reports = await directory.fence(LANE, 1, claims)
    assert [r.attempt_id for r in reports] == [c.attempt_id for c in claims]
    assert max(len(r.result.evidence) for r in reports if r.result) == 900_000


async def test_many_attempts_are_asked_about_within_the_contracts_bound(
    spoke: tuple[Big, SpokeDirectory],
) -> None:
    big, directory = spoke
    await directory.fence(LANE, 1, [a.claimed for a in attempts(260)])
    assert max(big.fences) <= 256


async def test_a_spoke_that_does_not_answer_a_call_is_asked_again_at_once(
    spoke: tuple[Big, SpokeDirectory],
) -> None:
    big, directory = spoke
    asked: list[str] = []
    directory.ask_again = asked.append
    big.away = True
    with pytest.raises(SpokeUnavailable):
        async for _ in directory.perform(LANE, 1, attempts(1)):
            pass
    assert (asked, directory.is_ready("big")) == (["big"], False)
    describing = Describing("big", directory, changed=lambda: None)
    waits = [await describing.run_once() for _ in range(6)]
    assert waits == [0.05, 0.1, 0.2, 0.4, LAST_ASK_SECONDS, LAST_ASK_SECONDS]
    big.away = False
    await describing.run_once()
    assert directory.is_ready("big")


async def test_a_call_that_nobody_waits_for_any_more_is_ended(spoke: tuple[Big, SpokeDirectory]) -> None:
    big, directory = spoke

    async def perform() -> None:
        async for _ in directory.perform(LANE, 1, attempts(1)):
            pass

    task = asyncio.create_task(perform())
    await big.begun.wait()
    task.cancel()
    await asyncio.wait_for(big.dropped.wait(), timedelta(seconds=5).total_seconds())


async def test_the_limits_of_a_lane_are_those_of_the_newest_description(
    spoke: tuple[Big, SpokeDirectory],
) -> None:
    _, directory = spoke
    limits = directory.limits(LANE)
    assert limits is not None
    assert limits.concurrency == 7
    assert directory.limits("big/other") is None


@pytest.mark.parametrize(
    ("purpose", "said", "key"),
    [
        (Purpose.EXECUTE, pb.ATTEMPT_PURPOSE_UNSPECIFIED, "key"),
        (Purpose.CANCEL, pb.ATTEMPT_PURPOSE_CANCEL, "key-cancel"),
    ],
)
async def test_calling_off_is_a_request_of_its_own_with_a_key_of_its_own(
    spoke: tuple[Big, SpokeDirectory], purpose: Purpose, said: pb.AttemptPurpose, key: str
) -> None:
    big, directory = spoke
    (attempt,) = attempts(1)
    asked = replace(attempt, claimed=replace(attempt.claimed, purpose=purpose))
    async for _ in directory.perform(LANE, 1, [asked]):
        break
    (request,) = big.executed
    assert (request.purpose, request.attempts[0].provider_key) == (said, key)
    assert request.attempts[0].HasField("expire_time") is (purpose is Purpose.EXECUTE)
