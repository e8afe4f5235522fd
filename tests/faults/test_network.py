"""Every link broken in every way: a doubt is looked up, nothing is paid twice, and all ends by itself."""

from collections.abc import AsyncIterator
from itertools import dropwhile

import pytest
import pytest_asyncio

from hub.lanes.watched_log import AUDIT_UNAVAILABLE
from integration.jobs.v1 import job_pb2
from local.stack.processes import until
from tests.faults.links import STEP_SECONDS, Linked, linked
from tests.faults.proxy import Cut, Fault, Hold, Pass, Refuse, Reset, Silent

pytestmark = [pytest.mark.campaign, pytest.mark.asyncio(loop_scope="module")]

UNAVAILABLE = "audit log unavailable"
MANY_CUTS = 20
NEVER_LEFT = ("execute", "not_sent", "CONNECTION_REFUSED")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def links() -> AsyncIterator[Linked]:
    """One stack for this file."""
    async with linked(hubs=1) as links:
        yield links


async def until_state(links: Linked, job_id: str, state: int) -> None:
    """Returns when the job stands in the state."""

    async def stands() -> bool:
        return (await links.core.job(job_id)).state == state

    assert await until(stands, STEP_SECONDS), f"{job_id} never came to {job_pb2.JobState.Name(state)}"


async def charge_over_a_new_connection(links: Linked, fault: Fault) -> str:
    """One charge, whose request meets the fault; the job."""
    links.provider.reset_all()
    links.provider.next(fault)
    return (await links.charge(1))[0]


async def test_a_request_that_found_nobody_is_sent_again_without_a_doubt(links: Linked) -> None:
    await links.provider.set(Refuse())
    jobs = await links.charge(5)
    for job_id in jobs:
        await until_state(links, job_id, job_pb2.JOB_STATE_RETRY_WAIT)
    await links.provider.set(Pass())
    await links.end_well(jobs)
    for job_id in jobs:
        *refused, last = await links.outcomes(job_id)
        assert set(refused) == {NEVER_LEFT}
        assert last == ("execute", "succeeded", "")


async def test_a_connection_that_is_reset_leaves_a_doubt_that_is_looked_up(links: Linked) -> None:
    await links.provider.set(Reset())
    jobs = await links.charge(5)
    for job_id in jobs:
        await until_state(links, job_id, job_pb2.JOB_STATE_IN_DOUBT)
    await links.provider.set(Pass())
    await links.end_well(jobs)
    for job_id in jobs:
        # A reset that comes before this side knows of its connection is no doubt: nothing can have left.
        doubt, *_, looked_up, last = dropwhile(NEVER_LEFT.__eq__, await links.outcomes(job_id))
        assert doubt[:2] == ("execute", "unknown")
        assert looked_up[:2] == ("look_up", "not_sent")
        assert last == ("execute", "succeeded", "")


async def test_a_reply_that_is_cut_off_is_found_by_a_look_up_and_not_asked_for_again(links: Linked) -> None:
    job_id = await charge_over_a_new_connection(links, Cut())
    await links.end_well([job_id])
    assert await links.outcomes(job_id) == [
        ("execute", "unknown", "REPLY_CUT"),
        ("look_up", "succeeded", ""),
    ]


@pytest.mark.parametrize("fault", [Cut(after=60, reply=False), Silent()], ids=["cut request", "half open"])
async def test_a_request_that_never_came_whole_is_looked_up_and_sent_again(
    links: Linked, fault: Fault
) -> None:
    job_id = await charge_over_a_new_connection(links, fault)
    await links.end_well([job_id])
    first, looked_up, last = await links.outcomes(job_id)
    assert first[:2] == ("execute", "unknown")
    assert looked_up[:2] == ("look_up", "not_sent")
    assert last == ("execute", "succeeded", "")


async def test_a_ghost_that_comes_after_its_job_was_sent_again_pays_nothing(links: Linked) -> None:
    job_id = await charge_over_a_new_connection(links, Hold())
    await links.provider.holding()
    await links.end_well([job_id])
    assert [said[:2] for said in await links.outcomes(job_id)] == [
        ("execute", "unknown"),
        ("look_up", "not_sent"),
        ("execute", "succeeded"),
    ]
    await links.provider.holding()
    before = links.provider.pieces
    await links.provider.release()
    assert links.provider.pieces > before
    assert len(await links.payments([job_id])) == 1


async def test_no_call_leaves_while_the_log_cannot_be_reached(links: Linked) -> None:
    await links.until_resolved(AUDIT_UNAVAILABLE.name)
    asked = links.provider.pieces
    warned = links.logged("hub", UNAVAILABLE)
    await links.audit.set(Refuse())
    jobs = await links.charge(20)
    await links.until_logged("hub", UNAVAILABLE, more_than=warned + 3)
    await links.until_shown(AUDIT_UNAVAILABLE.name)
    assert links.provider.pieces == asked
    await links.audit.set(Pass())
    await links.end_well(jobs)
    await links.until_resolved(AUDIT_UNAVAILABLE.name)


async def test_no_call_leaves_while_the_log_does_not_answer(links: Linked) -> None:
    await links.until_resolved(AUDIT_UNAVAILABLE.name)
    asked = links.provider.pieces
    warned = links.logged("hub", UNAVAILABLE)
    async with links.paused("audit"):
        jobs = await links.charge(20)
        await links.until_logged("hub", UNAVAILABLE, more_than=warned)
        await links.until_shown(AUDIT_UNAVAILABLE.name)
        assert links.provider.pieces == asked
    await links.end_well(jobs)
    await links.until_resolved(AUDIT_UNAVAILABLE.name)


async def test_a_receipt_that_was_lost_is_given_again(links: Linked) -> None:
    cuts = links.audit.cuts
    await links.audit.set(Cut())
    jobs = await links.charge(5)
    await links.audit.until(lambda: links.audit.cuts > cuts)
    await links.audit.set(Pass())
    await links.end_well(jobs)


async def test_commits_whose_answer_was_lost_lose_and_double_nothing(links: Linked) -> None:
    jobs: list[str] = []
    for _ in range(MANY_CUTS):
        jobs += await links.charge(5)
        cuts = links.database.cuts
        await links.database.set(Cut())
        await links.database.until(lambda cuts=cuts: links.database.cuts > cuts)  # type: ignore[misc]
        await links.database.set(Pass())
    await links.end_well(jobs)
