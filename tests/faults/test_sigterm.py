"""SIGTERM in the middle of work: who asked hears nothing of it, and nothing is lost."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.faults.links import Linked, Load, linked

pytestmark = [pytest.mark.campaign, pytest.mark.asyncio(loop_scope="module")]

SOME = 25


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def links() -> AsyncIterator[Linked]:
    """One stack for this file."""
    async with linked() as links:
        yield links


@pytest.mark.parametrize("part", ["hub", "hub-2", "spoke-echo", "audit"])
async def test_a_part_replaced_under_load_fails_no_call(links: Linked, part: str) -> None:
    async with Load(links.place).running() as load:
        await load.after(SOME)
        await links.stack.stop_part(part)
        await links.stack.start_part(part)
        await load.after(SOME)
    assert load.failed == []
    await links.end_well([job.job_id for job in load.answered])


async def test_the_owner_of_a_lane_hands_it_over_at_once(links: Linked) -> None:
    owner = links.owner()
    other = next(hub for hub in ("hub", "hub-2") if hub != owner)
    async with Load(links.place).running() as load:
        await load.after(SOME)
        taken = links.logged(other, "lane taken")
        await links.stack.stop_part(owner)
        await links.until_logged(other, "lane taken", more_than=taken)
        await load.after(SOME)
        await links.stack.start_part(owner)
    assert load.failed == []
    await links.end_well([job.job_id for job in load.answered])
