"""Wall clocks jump by an hour under load: nothing is lost, doubled, early, or taken from its owner."""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime

import pytest
import pytest_asyncio

from integration.jobs.v1 import job_pb2
from local.stack.processes import until
from tests.e2e.core import statements
from tests.faults.checker import seconds
from tests.faults.links import HUBS, STEP_SECONDS, Linked, Load, linked
from tests.faults.proxy import Cut

pytestmark = [pytest.mark.campaign, pytest.mark.asyncio(loop_scope="module")]

HOUR = 3600.0
PARTS = (*HUBS, "audit", "spoke-echo")
LANE_MOVES = ("lane taken", "lane lost", "lane given up")
CONFIRM_WITHIN_SECONDS = 30.0
LOOK_UP_LAG_SECONDS = 0.1
STALE = "webhook not taken"
_CHECKPOINTS = "SELECT to_char(max(size), 'FM000000000000') FROM log_checkpoint;"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def links() -> AsyncIterator[Linked]:
    """One stack for this file."""
    async with linked(clocks=PARTS) as links:
        yield links


def lane_moves(links: Linked) -> Sequence[int]:
    """How often each hub took a lane or lost it."""
    return [links.logged(hub, *LANE_MOVES) for hub in HUBS]


async def stated_at(links: Linked, job_id: str) -> Mapping[str, float]:
    """When the first intent of each purpose was claimed, by the database's clock."""
    said = [s for _, s in await statements(links.place, job_id) if s["kind"] == "intent"]
    return {s["purpose"]: seconds(s["t"]) for s in reversed(said)}


async def last_evidence_at(links: Linked, job_id: str) -> float:
    """What the spoke's clock said when it signed its last evidence about a job."""
    said = [s for _, s in await statements(links.place, job_id) if s["kind"] == "evidence"]
    return seconds(said[-1]["t"])


async def charge_pending(links: Linked) -> str:
    """A charge that its provider confirms by webhook, or is asked about after a time; the job."""
    return (await links.charge(1, method="pm_pending"))[0]


@pytest.mark.parametrize("jump", [HOUR, -HOUR], ids=["ahead", "behind"])
@pytest.mark.parametrize("part", ["owner", "audit", "spoke-echo"])
async def test_under_steady_charges_a_jump_doubles_and_loses_nothing_and_moves_no_lane(
    links: Linked, part: str, jump: float
) -> None:
    moved = links.owner() if part == "owner" else part
    lanes = lane_moves(links)
    async with Load(links.place).running(clients=4) as load:
        await load.after(20)
        async with links.clocks_moved([moved], jump):
            await load.after(60)
        await load.after(20)
    assert load.failed == []
    assert lane_moves(links) == lanes
    assert links.stack.fallen() == []
    await links.end_well([job.job_id for job in load.answered])


async def test_a_part_whose_clock_was_moved_goes_by_it(links: Linked) -> None:
    async with links.clocks_moved(["spoke-echo"], HOUR):
        jobs = await links.charge(1)
        await links.end_well(jobs)
    assert await last_evidence_at(links, jobs[0]) > datetime.now(UTC).timestamp() + HOUR / 2


async def test_the_log_goes_on_keeping_checkpoints_while_its_clock_is_behind(links: Linked) -> None:
    server = links.stack.postgres_server()

    async def keeps_more() -> bool:
        await links.end_well(await links.charge(1))
        return server.run(_CHECKPOINTS, database="audit") > kept

    await links.end_well(await links.charge(1))
    async with links.clocks_moved(["audit"], -HOUR):
        kept = server.run(_CHECKPOINTS, database="audit")
        assert await until(keeps_more, STEP_SECONDS)


@pytest.mark.parametrize("jump", [HOUR, -HOUR], ids=["ahead", "behind"])
async def test_a_doubt_is_not_looked_up_before_its_time(links: Linked, jump: float) -> None:
    async with links.clocks_moved(HUBS, jump):
        links.provider.reset_all()
        links.provider.next(Cut())
        jobs = await links.charge(1)
        await links.end_well(jobs)
    assert [said[:2] for said in await links.outcomes(jobs[0])] == [
        ("execute", "unknown"),
        ("look_up", "succeeded"),
    ]
    at = await stated_at(links, jobs[0])
    assert at["look_up"] - at["execute"] >= LOOK_UP_LAG_SECONDS


@pytest.mark.parametrize("jump", [HOUR, -HOUR], ids=["ahead", "behind"])
async def test_a_job_whose_webhook_is_refused_for_the_jump_is_looked_up_no_sooner_than_it_should(
    links: Linked, jump: float
) -> None:
    refused = sum(links.logged(hub, STALE) for hub in HUBS)
    async with links.clocks_moved(HUBS, jump):
        job_id = await charge_pending(links)

        async def is_refused() -> bool:
            return sum(links.logged(hub, STALE) for hub in HUBS) > refused

        assert await until(is_refused, STEP_SECONDS)
        assert (await links.core.job(job_id)).state == job_pb2.JOB_STATE_WAITING_CONFIRMATION
        await links.end_well([job_id], seconds=STEP_SECONDS + CONFIRM_WITHIN_SECONDS)
    at = await stated_at(links, job_id)
    assert at["look_up"] - at["execute"] >= CONFIRM_WITHIN_SECONDS


async def test_once_the_clock_is_right_again_webhooks_are_taken(links: Linked) -> None:
    async with links.clocks_moved(HUBS, HOUR):
        await links.end_well(await links.charge(1))
    job_id = await charge_pending(links)
    await links.end_well([job_id])
    assert "look_up" not in await stated_at(links, job_id)
