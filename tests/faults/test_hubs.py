"""Two hubs share the work: one is paused, dies or comes back, and nothing is lost or doubled."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.faults.links import HUBS, Linked, Load, linked
from tests.faults.proxy import Hold, Pass

pytestmark = [pytest.mark.campaign, pytest.mark.asyncio(loop_scope="module")]

LEASE_SECONDS = 6.0


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def links() -> AsyncIterator[Linked]:
    """One stack for this file."""
    async with linked() as links:
        yield links


async def test_a_paused_owner_loses_its_lane_and_its_late_words(links: Linked) -> None:
    loop = asyncio.get_running_loop()
    owner = links.owner()
    other = next(hub for hub in HUBS if hub != owner)
    taken = links.logged(other, "lane taken")
    await links.provider.set(Hold())
    jobs = await links.charge(20)
    await links.provider.holding(20)
    async with links.paused(owner):
        paused = loop.time()
        await links.until_logged(other, "lane taken", more_than=taken)
        took_over = loop.time() - paused
        await links.until_logged(other, "adopted attempts")
        more = await links.charge(10)
        await links.provider.release()
        await links.provider.set(Pass())
        await links.end_well([*jobs, *more])
        effects = await links.effects()
    await links.until_logged(owner, "lane lost", "lane given up")
    assert took_over < LEASE_SECONDS + 3
    again = await links.core.ended(jobs)
    assert {job.state for job in again} == {again[0].state}
    assert await links.effects() == effects
    await links.end_well([*jobs, *await links.charge(10)])


@pytest.mark.parametrize("hub", HUBS)
async def test_a_dead_hub_costs_no_call_that_begins_after_its_death(links: Linked, hub: str) -> None:
    load = Load(links.place)
    await load.charge_at_once(10)
    links.stack.kill(hub)
    await load.charge_at_once(40)
    await links.stack.start_part(hub)
    assert load.failed == []
    await load.close()
    await links.end_well([job.job_id for job in load.answered])


async def test_work_accepted_by_either_hub_is_done(links: Linked) -> None:
    async with Load(links.place).running() as load:
        await load.after(400)
    assert load.failed == []
    await links.end_well([job.job_id for job in load.answered])


async def test_a_caller_waits_as_little_at_the_hub_that_does_not_own_the_lane(links: Linked) -> None:
    loop = asyncio.get_running_loop()
    load, waits = Load(links.place), []
    for _ in range(40):
        begun = loop.time()
        await load.charge_at_once(1)
        waits.append(loop.time() - begun)
    await load.close()
    # Every other call goes to the hub that does not own the lane; a poll would take up to a second.
    assert sorted(waits)[34] < 0.4, waits
