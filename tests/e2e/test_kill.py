"""kill -9 in the middle of 200 charges, each part in turn: nothing lost, nothing doubled."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from integration.jobs.v1 import job_pb2
from local.sandboxes import sandbox
from local.sandboxes.stripe.client import LocalStripe
from tests.e2e.conftest import RunningStack
from tests.e2e.core import Core, check_attempts, statements

CHARGES = 200
IN_FLIGHT = 16
KILL_AFTER = 60


async def kill_part(stack: RunningStack, part: str) -> None:
    """Kills a part and starts it again."""
    stack.kill(part)
    await stack.start_part(part)


async def kill_actor(stack: RunningStack, part: str) -> None:
    """Kills the stripe spoke's actors; the pool replaces them."""
    assert stack.kill_actors(part)


@asynccontextmanager
async def silent_webhooks(stack: RunningStack) -> AsyncIterator[LocalStripe]:
    """The provider, sending no webhooks: what happened can only be looked up."""
    stripe = LocalStripe(stack.place.address("stripe-sandbox"))
    address = stack.place.address("webhooks")
    target = {
        "url": f"http://{address}/webhooks/stripe/default",
        "secret": sandbox.webhook_secret(stack.place.layout, "stripe"),
    }
    await stripe.send_only(["none"], **target)
    yield stripe
    await stripe.send_only(None, **target)


async def charge_all(core: Core, strike: Callable[[], Awaitable[None]]) -> list[str]:
    """Submits all charges, some at a time, and strikes when some are under way; the jobs' ids."""
    run = secrets.token_hex(4)
    numbers, accepted = iter(range(CHARGES)), []
    struck = asyncio.Event()

    async def submit_one_after_another() -> None:
        for number in numbers:
            accepted.append((await core.charge(f"kill-{run}-{number}")).job_id)
            if len(accepted) >= KILL_AFTER:
                struck.set()

    async def strike_in_the_middle() -> None:
        await struck.wait()
        await strike()

    await asyncio.gather(strike_in_the_middle(), *(submit_one_after_another() for _ in range(IN_FLIGHT)))
    return accepted


@pytest.mark.parametrize(
    ("part", "strike"),
    [("hub", kill_part), ("audit", kill_part), ("spoke-stripe", kill_part), ("stripe", kill_actor)],
    ids=["hub", "audit service", "spoke", "Ray actor"],
)
async def test_a_part_killed_in_the_middle_loses_and_doubles_nothing(
    stack: RunningStack, core: Core, part: str, strike: Callable[[RunningStack, str], Awaitable[None]]
) -> None:
    # The stand-in lists oldest first and without a filter: emptied, its lists stay short.
    await LocalStripe(stack.place.address("stripe-sandbox")).forget()
    accepted = await charge_all(core, lambda: strike(stack, part))
    jobs = await core.ended(accepted)
    assert len(set(accepted)) == CHARGES
    assert [j for j in jobs if j.state != job_pb2.JOB_STATE_SUCCEEDED] == []
    payments = await LocalStripe(stack.place.address("stripe-sandbox")).payments()
    assert [j for j in accepted if len(payments.get(j, [])) != 1] == []
    for job_id in accepted:
        check_attempts(await statements(stack.place, job_id))


async def test_an_actor_lost_with_a_request_written_shows_doubt_and_then_the_looked_up_truth(
    stack: RunningStack, core: Core
) -> None:
    async with silent_webhooks(stack) as stripe:
        await stripe.forget()
        accepted = await charge_all(core, lambda: kill_actor(stack, "stripe"))
        await core.ended(accepted)
    lost = []
    for job_id in accepted:
        said = [s for _, s in await statements(stack.place, job_id)]
        if any(s["kind"] == "evidence" and s["res"].get("reason") == "ACTOR_LOST" for s in said):
            lost.append(job_id)
            assert any(s["kind"] == "evidence" and s["purpose"] == "look_up" for s in said)
    assert lost, "no attempt was under way when the actors were killed"
    for job_id in lost:
        states = await core.states(job_id)
        assert states[0] == job_pb2.JOB_STATE_IN_DOUBT
        assert states[-1] == job_pb2.JOB_STATE_SUCCEEDED


async def test_no_call_reaches_the_provider_while_the_audit_service_is_down(
    stack: RunningStack, core: Core
) -> None:
    run = secrets.token_hex(4)
    stripe = LocalStripe(stack.place.address("stripe-sandbox"))
    stack.kill("audit")
    before = sum(map(len, (await stripe.payments()).values()))
    jobs = [(await core.charge(f"down-{run}-{n}")).job_id for n in range(10)]
    # Long enough for the lane to have claimed and tried: each of these reads makes a full round.
    for _ in range(5):
        states = {(await core.job(j)).state for j in jobs}
        await asyncio.sleep(0.5)
    assert states <= {job_pb2.JOB_STATE_QUEUED, job_pb2.JOB_STATE_RUNNING}
    assert sum(map(len, (await stripe.payments()).values())) == before
    await stack.start_part("audit")
    assert {j.state for j in await core.ended(jobs)} == {job_pb2.JOB_STATE_SUCCEEDED}
