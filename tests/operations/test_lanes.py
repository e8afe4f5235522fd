"""Lanes under failure: the breaker, and what operators do to lanes."""

import asyncio
import itertools

import grpc
import pytest

from integration.jobs.v1 import job_pb2
from integration.operations.v1 import lane_pb2
from integration.operations.v1 import operations_service_pb2 as ops
from mesh.errors import details_of
from tests.operations.office import WHY, Office, until

LANE = "echo/default"


async def mode(office: Office, name: str) -> None:
    """Sets the lane's mode."""
    request = ops.SetLaneModeRequest(lane=LANE, mode=f"LANE_MODE_{name}", why=WHY)
    await office.ana.ops.SetLaneMode(request, timeout=10)


async def breaker(office: Office, name: str) -> None:
    """Moves the lane's breaker by hand."""
    request = ops.SetBreakerRequest(lane=LANE, state=f"BREAKER_STATE_{name}", why=WHY)
    await office.ana.ops.SetBreaker(request, timeout=10)


async def test_a_provider_that_is_down_opens_the_breaker_and_burns_the_attempts_of_few_jobs(
    office: Office,
) -> None:
    await office.provider.down()
    made = [(await office.charge(n, attempts=3)).job_id for n in range(200)]
    await until(office.ana.lane, lambda lane: lane.breaker.state == lane_pb2.BREAKER_STATE_OPEN, 10)
    await office.provider.up()
    await breaker(office, "HALF_OPEN")
    await office.jobs_in(made, job_pb2.JOB_STATE_SUCCEEDED, 30)
    tries = [(await office.job(j)).attempt_count for j in made]
    assert sum(t > 1 for t in tries) <= 10
    assert len(office.provider.sandbox.payments) == 200
    lane = await until(office.ana.lane, lambda lane: lane.breaker.state == lane_pb2.BREAKER_STATE_CLOSED, 5)
    assert lane.dead_letters == 0


async def test_a_paused_lane_takes_jobs_and_works_on_none_until_it_is_resumed(office: Office) -> None:
    await mode(office, "PAUSED")
    job = await office.charge(1, wait=1.5)
    assert (job.state, office.provider.sandbox.begun) == (job_pb2.JOB_STATE_QUEUED, 0)
    await mode(office, "WORKING")
    await office.jobs_in([job.job_id], job_pb2.JOB_STATE_SUCCEEDED, 10)


async def test_a_draining_lane_takes_no_jobs_and_says_when_to_come_back(office: Office) -> None:
    await mode(office, "DRAINING")

    numbers = itertools.count()

    async def refusal() -> str:
        try:
            await office.charge(next(numbers))
        except grpc.aio.AioRpcError as error:
            details = details_of(error)
            return details.reason if details else ""
        return ""

    assert await until(refusal, bool, 10) == "LANE_CLOSED"


async def test_a_breaker_opened_by_hand_stays_open_until_it_is_moved_by_hand(office: Office) -> None:
    await breaker(office, "OPEN")
    job = await office.charge(1, wait=1.5)
    assert (job.state, office.provider.sandbox.begun) == (job_pb2.JOB_STATE_QUEUED, 0)
    assert not (await office.ana.lane()).breaker.HasField("open_until_time")
    await breaker(office, "HALF_OPEN")
    await office.jobs_in([job.job_id], job_pb2.JOB_STATE_SUCCEEDED, 10)


@pytest.mark.parametrize("lane", ["nobody/default", "hub-duty/plans", "jose\u0301/default"])
async def test_what_is_no_lane_cannot_be_paused(office: Office, lane: str) -> None:
    request = ops.SetLaneModeRequest(lane=lane, mode="LANE_MODE_PAUSED", why=WHY)
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await office.ana.ops.SetLaneMode(request, timeout=10)
    assert error.value.code() is grpc.StatusCode.NOT_FOUND


async def test_only_successes_close_a_breaker(office: Office) -> None:
    request = ops.SetBreakerRequest(lane=LANE, state="BREAKER_STATE_CLOSED", why=WHY)
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await office.ana.ops.SetBreaker(request, timeout=10)
    assert error.value.code() is grpc.StatusCode.INVALID_ARGUMENT


async def test_lanes_show_their_backlog_and_limits(office: Office) -> None:
    await mode(office, "PAUSED")
    await asyncio.gather(*(office.charge(n) for n in range(5)))
    lane = await office.ana.lane()
    assert (lane.backlog.waiting, lane.limits.max_concurrency) == (5, 128)
    assert lane.mode_actor.endswith("/operator/ana")
