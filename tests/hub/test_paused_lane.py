"""A lane that an operator holds: it rests, and works again as soon as it is let."""

import asyncio
from datetime import timedelta
from uuid import uuid4

from sqlalchemy.ext.asyncio import AsyncEngine

from hub.jobs.spec import Limits
from hub.jobs.store import PostgresJobStore
from hub.lanes.dispatch import Tools
from hub.lanes.lane import POLL_SECONDS, Lane
from hub.lanes.model import LaneMode
from hub.lanes.ports import Grant, Settled, Settlement, Statement
from hub.lanes.store import PostgresLaneLeases, PostgresLaneStore
from hub.operators.store import PostgresOperationsStore
from tests.fakes import FakeLog, FakeNotary, FakeSpokes, HandClock, NoEvents
from tests.hub.jobs import new_job

LANE = "echo/default"


async def _granted(engine: AsyncEngine, mode: LaneMode) -> Grant:
    said = Statement(str(uuid4()), b"said")
    operations, leases = PostgresOperationsStore(engine), PostgresLaneLeases(engine)
    await leases.acquire("hub", [LANE], timedelta(minutes=5))
    assert await operations.set_mode(LANE, mode, actor="ana", reason="why", said=said)
    return (await leases.acquire("hub", [LANE], timedelta(minutes=5)))[LANE]


async def _never(settlement: Settlement) -> Settled:
    await asyncio.Event().wait()
    raise AssertionError


def _lane(engine: AsyncEngine, grant: Grant) -> Lane:
    tools = Tools(
        settle=_never,
        events=NoEvents(),
        notary=FakeNotary(),
        log=FakeLog(),
        spokes=FakeSpokes(),
        clock=HandClock(),
        draw=lambda: 0.0,
        post=lambda job_id, ending=None: None,
    )
    return Lane(LANE, grant=grant, limits=Limits(8), store=PostgresLaneStore(engine), tools=tools)


async def test_it_looks_no_oftener_than_an_idle_one_although_jobs_are_due(hub_engine: AsyncEngine) -> None:
    await PostgresJobStore(hub_engine).accept([new_job(1)])
    lane = _lane(hub_engine, await _granted(hub_engine, LaneMode.PAUSED))
    assert await lane.run_once() == POLL_SECONDS


async def test_it_looks_at_once_when_it_may_work_again(hub_engine: AsyncEngine) -> None:
    lane = _lane(hub_engine, await _granted(hub_engine, LaneMode.PAUSED))
    hints: list[str] = []
    lane.hint = lambda: hints.append("hint")
    lane.adjust(await _granted(hub_engine, LaneMode.PAUSED))
    assert hints == []
    lane.adjust(await _granted(hub_engine, LaneMode.WORKING))
    assert hints == ["hint"]
