"""Webhooks are lost; they are taken in from the provider's list, once, while the traffic goes on."""

import asyncio
import secrets
from collections import Counter

from integration.jobs.v1 import job_pb2
from tests.campaigns import person, proof
from tests.campaigns.books import Books
from tests.campaigns.core import Ask, Core, steady
from tests.campaigns.ground import Ground, Wanted, standing, until
from tests.campaigns.person import Person
from tests.campaigns.report import Report

NOTHING_TO_DO = 1
TRAFFIC_RATE = 5
WAITING, SETTLED = job_pb2.JOB_STATE_WAITING_CONFIRMATION, job_pb2.JOB_STATE_SUCCEEDED


async def run(report: Report, *, jobs: int, wanted: Wanted) -> None:
    """The story."""
    async with standing(report, wanted) as ground:
        core, books, run_id = Core(ground.place), Books(ground.place), secrets.token_hex(3)
        lost = await _lose(ground, core, books, jobs)
        async with steady(
            ground.place, f"beside-{run_id}", Ask("stripe", wait=20), rate=TRAFFIC_RATE
        ) as beside:
            ana = person.at("lost-webhooks.md", ground.state, report)
            await _backfill(ground, ana, lost)

            async def states() -> set[int]:
                return {job.state for job in await core.jobs(lost)}

            await until(states, lambda found: found == {SETTLED}, 30, "the events are applied")
        report.expect("every charge beside it succeeded", not beside.failed, beside.failed[:3])
        # Webhooks of the traffic are a second late, and none may be missing for the second time.
        await until(lambda: _unheard(ground), lambda n: n == 0, 15, "the traffic's webhooks have come")
        await _again(ana)
        await core.close()
        await _prove(ground, lost)
        report.note(lost=len(lost), beside=len(beside.samples))


async def _lose(ground: Ground, core: Core, books: Books, jobs: int) -> list[str]:
    """Charges whose holders have approved, with no webhook sent: the hub does not know."""
    await books.silence()
    card, run_id = await books.card_with_authentication(), secrets.token_hex(3)
    keys = [f"lost-{run_id}-{number}" for number in range(jobs)]
    lost = await core.charge_evenly(keys, Ask("stripe", method=card, wait=2), rate=20)
    waiting = await core.jobs(lost)
    ground.report.expect("the charges wait", {j.state for j in waiting} == {WAITING}, waiting[0])
    for job in waiting:
        await books.approve(job.provider_reference)
    await asyncio.sleep(2)  # a webhook would come after one
    still = {job.state for job in await core.jobs(lost)}
    ground.report.expect("the webhooks are lost", still == {WAITING}, still)
    await books.speak()
    return lost


async def _backfill(ground: Ground, ana: Person, lost: list[str]) -> None:
    report = ana.report
    await ana.types("hubctl alerts")
    lanes = (await ana.types("hubctl lane list")).value["lanes"]
    unconfirmed = next(int(a["backlog"]["unconfirmed"]) for a in lanes if a["lane"] == "stripe/default")
    report.expect("the lane shows them", unconfirmed >= len(lost), unconfirmed)
    await ana.types("hubctl jobs list")
    ana.fill(JOB=lost[0])
    await ana.types("hubctl evidence show")
    await ana.types("python -m spokes list")
    today = {"--from": "today"}
    plan = (await ana.types("hubctl plan backfill", options=today)).value["plan"]
    ana.fill(PLAN=plan["plan_id"])
    total = int(plan["counts"]["total"])
    report.note(events=total, left_out={c["cause"]: int(c["count"]) for c in plan.get("ineligible", [])})
    report.expect("the plan has every lost event", total >= len(lost), plan)
    await ana.types("hubctl plan show PLAN")
    await ana.types("hubctl plan approve")
    await ana.types("hubctl plan watch")
    shown = (await ana.types("hubctl plan show PLAN --items skipped")).value["items"]
    skipped = Counter(item.get("detail", "") for item in shown)
    report.note(skipped=dict(skipped))
    report.expect("what came meanwhile is skipped, nothing else", set(skipped) <= {"ALREADY_HERE"}, skipped)
    await ana.types("hubctl plan show PLAN --items failed")


async def _again(ana: Person) -> None:
    again = await ana.types("hubctl plan backfill", expect=NOTHING_TO_DO, options={"--from": "today"})
    ana.report.expect("there is nothing to do", "nothing to do" in again.said, again.said[-200:])


async def _unheard(ground: Ground) -> int:
    """Events of the provider that the hub does not hold."""
    listed = await Books(ground.place).events()
    known = {row[0] for row in await ground.sql("SELECT event_id FROM webhook_event;")}
    return sum(event["id"] not in known for event in listed)


async def _prove(ground: Ground, lost: list[str]) -> None:
    report = ground.report
    for job_id in lost:
        said = Counter(s["kind"] for s in await proof.statements(ground.place, job_id))
        report.expect("one confirmation for each", said["confirmation"] == 1, f"{job_id}: {said}")
    wrong = await proof.invalid(ground.place, lost, ground.state)
    report.note(bundles_valid=len(lost) - len(wrong))
    report.expect("every bundle is VALID", not wrong, wrong[:3])
    applied = await ground.sql("SELECT event_id, count(*) FROM webhook_event GROUP BY event_id;")
    report.expect("every event is kept once", all(count == "1" for _, count in applied))
