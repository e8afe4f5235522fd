"""A hundred charges are undone; the hub is killed halfway, and nothing is undone twice."""

import asyncio
import secrets
from collections import Counter
from datetime import UTC, datetime, timedelta

from integration.jobs.v1 import job_pb2
from tests.campaigns import person, proof
from tests.campaigns.books import Books
from tests.campaigns.core import Ask, Core
from tests.campaigns.ground import Ground, Wanted, standing, until
from tests.campaigns.person import Person
from tests.campaigns.report import Report

NOTHING_TO_DO = 1
CHECKED_BUNDLES = 10
PLAN_SECONDS = 300

_DONE = "SELECT count(*) FROM plan_item WHERE plan_id = '{plan}' AND state = 3;"


async def run(report: Report, *, jobs: int, wanted: Wanted) -> None:
    """The story."""
    async with standing(report, wanted) as ground:
        began = datetime.now(UTC)
        core, run_id = Core(ground.place), secrets.token_hex(3)
        keys = [f"charge-{run_id}-{number}" for number in range(jobs)]
        charged = await core.charge_evenly(keys, Ask("stripe", wait=20), rate=20)

        async def states() -> set[int]:
            return {job.state for job in await core.jobs(charged)}

        await until(states, lambda found: found == {job_pb2.JOB_STATE_SUCCEEDED}, 60, "the charges succeed")
        ana = person.at("rollback.md", ground.state, report)
        times = {"--from": _text(began), "--to": _text(datetime.now(UTC) + timedelta(seconds=1))}
        plan_id = await _undo(ground, ana, times, jobs)
        await _again(ana, times, jobs)
        undone = await _accounts(ground, jobs)
        await core.close()
        sample = [*charged[:CHECKED_BUNDLES], *undone[:CHECKED_BUNDLES]]
        wrong = await proof.invalid(ground.place, sample, ground.state)
        report.note(bundles_valid=len(sample) - len(wrong), plan=plan_id)
        report.expect("both jobs of an item are proven", not wrong, wrong[:3])


async def _undo(ground: Ground, ana: Person, times: dict[str, str], jobs: int) -> str:
    report, loop = ground.report, asyncio.get_running_loop()
    plan = (await ana.types("hubctl plan rollback --provider", options=times)).value["plan"]
    plan_id: str = plan["plan_id"]
    report.expect("the plan has every charge", int(plan["counts"]["total"]) == jobs, plan)
    ana.fill(PLAN=plan_id)
    await ana.types("hubctl plan show PLAN")
    await ana.types("hubctl plan approve")
    watching = asyncio.create_task(ana.types("hubctl plan watch"))

    async def done() -> int:
        return await ground.count(_DONE.format(plan=plan_id))

    reached = await until(done, lambda n: n >= jobs // 2, PLAN_SECONDS, "half of the plan is done")
    ground.stack.kill("hub")
    killed = loop.time()
    await ground.stack.start_part("hub")
    up = loop.time()
    report.note(killed_at_item=reached, hub_up_after_s=round(up - killed, 1))
    await until(done, lambda n: n > reached, 60, "the plan goes on by itself")
    report.note(plan_went_on_after_s=round(loop.time() - up, 1))
    await watching
    report.expect("every item is done", await done() == jobs, await done())
    await ana.types("hubctl plan show PLAN --items failed")
    listed = (await ana.types("hubctl plan show PLAN --items succeeded")).value["items"]
    report.expect("each item names the job that undoes it", len({i["job_id"] for i in listed}) == jobs)
    return plan_id


async def _again(ana: Person, times: dict[str, str], jobs: int) -> None:
    again = await ana.types("hubctl plan rollback --provider", expect=NOTHING_TO_DO, options=times)
    ana.report.expect("there is nothing to do", "nothing to do" in again.said, again.said[-200:])
    causes = {c["cause"]: int(c["count"]) for c in again.value["plan"].get("ineligible", [])}
    ana.report.expect("because all is undone", causes == {"UNDO_EXISTS": jobs}, causes)


async def _accounts(ground: Ground, jobs: int) -> list[str]:
    """The provider's own records: one refund for each payment. The jobs that made them."""
    report, books = ground.report, Books(ground.place)
    refunds, payments = await books.refunds(), await books.payments()
    made = [payment for each in payments.values() for payment in each]
    report.expect("one payment for each charge", len(made) == len(payments) == jobs, len(made))
    of_payment = Counter(refund["payment_intent"] for refund in refunds)
    twice = [payment for payment, count in of_payment.items() if count != 1]
    report.note(payments=len(made), refunds=len(refunds), refunded_twice=len(twice))
    report.expect("no payment is refunded twice", not twice, twice[:3])
    report.expect("every payment is refunded", set(of_payment) == {payment["id"] for payment in made})
    amounts = {(refund["amount"], refund["currency"]) for refund in refunds}
    report.expect("the whole amount", amounts == {(1000, "eur")}, amounts)
    return [refund["metadata"]["job_id"] for refund in refunds]


def _text(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")
