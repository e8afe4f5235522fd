"""A provider fails in part, until many jobs are dead letters; a person takes the runbook and a terminal."""

import asyncio
import mailbox
import secrets
from collections.abc import Mapping
from typing import Any

from integration.jobs.v1 import job_pb2
from local.stack.ports import Ports
from tests.alerts.alertmanager import Alertmanager
from tests.alerts.sinks import ALERTMANAGER, ON_CALL, write_sinks
from tests.campaigns import person
from tests.campaigns.books import Books, not_once
from tests.campaigns.core import Ask, Core, steady
from tests.campaigns.gateway import DOOMED_CENTS, Door, Gateway
from tests.campaigns.ground import Ground, Wanted, scratch, standing, until
from tests.campaigns.person import Person
from tests.campaigns.report import Report

LANE, CAUSE = "stripe/default", "provider_down"
ALERT = f"DeadLetters/{LANE}/{CAUSE}"
ATTEMPTS, FRESH = 2, 10
SUBMIT_RATE, BESIDE_RATE = 10, 40
REPLAY_RATE, FIRST_CHUNKS_SECONDS = 10, 30
ALERT_SECONDS = 30
SINKS = {ALERTMANAGER, ON_CALL}

_UNTOLD = """
SELECT (SELECT count(*) FROM dead_letter l LEFT JOIN alert a USING (alert_key) WHERE a.alert_key IS NULL)
     + (SELECT count(*) FROM alert a CROSS JOIN (VALUES ('alertmanager'), ('on-call')) AS s(sink)
        LEFT JOIN alert_delivery d ON d.alert_key = a.alert_key AND d.sink = s.sink
        WHERE a.ended_at IS NULL AND d.delivered_start IS DISTINCT FROM a.started_at);
"""
"""How many alerts are missing, or not yet told to a sink since they began."""


async def run(report: Report, *, jobs: int, wanted: Wanted) -> None:
    """The story."""
    state = scratch()
    ports = Ports(wanted.base_port)
    alertmanager = Alertmanager(state)
    sinks = {"hub": write_sinks(state, alertmanager, inbox=ports.address("smtp-inbox"))}
    alertmanager.start()
    try:
        async with Gateway(ports.address("stripe-sandbox")) as provider:
            detours = {"spoke-stripe": {"stripe-sandbox": provider.address}}
            chosen = Wanted(
                wanted.base_port, ("stripe", "smtp"), environment=sinks, detours=detours, keep=wanted.keep
            )
            async with standing(report, chosen, state=state) as ground:
                await _tell(ground, provider, alertmanager, jobs)
    finally:
        alertmanager.stop()


async def _tell(ground: Ground, provider: Gateway, alertmanager: Alertmanager, jobs: int) -> None:
    dead, fresh = await _die(ground, provider, jobs)
    await _told(ground, alertmanager)
    ana = person.at("provider-down.md", ground.state, ground.report)
    await _diagnose(ana, jobs)
    await provider.set(Door.OPEN)
    await _recover(ground, ana)
    await _replay(ana, jobs)
    await _ended(ground, ana, alertmanager)
    await _accounts(ground, dead + fresh)
    await _prove(ana, dead, jobs)


async def _die(ground: Ground, provider: Gateway, jobs: int) -> tuple[list[str], list[str]]:
    """First the provider fails for some, until their attempts are used up; then it is gone for all.

    What succeeds beside them keeps the breaker closed: an open one would save their attempts.
    """
    report, core, run_id = ground.report, Core(ground.place), secrets.token_hex(3)
    await provider.set(Door.PARTLY)
    keys = [f"dead-{run_id}-{number}" for number in range(jobs)]
    doomed = Ask("stripe", attempts=ATTEMPTS, cents=DOOMED_CENTS)

    async def letters() -> int:
        return await ground.count("SELECT count(*) FROM dead_letter WHERE left_at IS NULL;")

    async with steady(ground.place, f"beside-{run_id}", Ask("stripe", wait=20), rate=BESIDE_RATE) as beside:
        dead = await core.charge_evenly(keys, doomed, rate=SUBMIT_RATE)
        await until(letters, lambda n: n >= jobs, 60 + jobs / SUBMIT_RATE, "the jobs die")
    report.note(dead_letters=await letters(), succeeded_beside=len(beside.samples))
    report.expect("the others succeed", not beside.failed, beside.failed[:3])
    await provider.set(Door.SHUT)
    fresh = [(await core.charge(f"fresh-{run_id}-{n}", Ask("stripe"))).job_id for n in range(FRESH)]
    await until(lambda: _firing(ground, "BreakerOpen"), bool, 60, "the alert BreakerOpen fires")
    await core.close()
    return dead, fresh


async def _told(ground: Ground, alertmanager: Alertmanager) -> None:
    report = ground.report
    await until(lambda: ground.count(_UNTOLD), lambda n: n == 0, ALERT_SECONDS, "every alert is delivered")

    async def names() -> set[str]:
        return {a["labels"]["alertname"] for a in await asyncio.to_thread(alertmanager.alerts)}

    shown = await until(names, lambda n: "DeadLetters" in n, ALERT_SECONDS, "Alertmanager shows DeadLetters")
    letters = [m for m in mailbox.Maildir(ground.place.inbox, create=False) if "on-call" in str(m["To"])]
    report.note(alertmanager_shows=sorted(shown), letters_to_on_call=len(letters))
    report.expect("the person on call has mail", bool(letters))


async def _diagnose(ana: Person, jobs: int) -> None:
    report = ana.report
    alerts = (await ana.types("hubctl alerts")).value["alerts"]
    report.expect("the alert is listed", ALERT in {alert["alert_key"] for alert in alerts})
    for alert in alerts:
        told = {d["sink"] for d in alert.get("deliveries", []) if "deliver_time" in d}
        report.expect(f"all sinks have {alert['alert_key']}", told == SINKS, alert)
    await ana.types("hubctl status")
    triage = (await ana.types("hubctl dlq triage")).value
    report.expect("triage counts all", _counted(triage) == jobs, triage)
    await ana.types("hubctl breaker list")
    await ana.types("hubctl lane list")
    listed = (await ana.types("hubctl dlq list")).value["dead_letters"]
    ana.fill(JOB=listed[0]["job"]["job_id"])
    shown = (await ana.types("hubctl dlq show")).value["dead_letter"]
    report.expect("the letter shows its tries", len(shown["attempts"]) == ATTEMPTS, shown)
    await ana.types("hubctl breaker open")


async def _recover(ground: Ground, ana: Person) -> None:
    held = await _breaker(ana)
    ana.report.expect("a breaker opened by hand stays open", held["state"] == "BREAKER_STATE_OPEN", held)
    await ana.types("hubctl breaker try")
    await until(
        lambda: _breaker(ana), lambda b: b["state"] == "BREAKER_STATE_CLOSED", 60, "the breaker closes"
    )
    await until(lambda: _firing(ground, "BreakerOpen"), lambda n: not n, 30, "BreakerOpen ends")


async def _replay(ana: Person, jobs: int) -> None:
    report = ana.report
    plan = (await ana.types("hubctl plan replay")).value["plan"]
    left_out = sum(int(cause["count"]) for cause in plan.get("ineligible", []))
    report.expect("items and left out add up", int(plan["counts"]["total"]) + left_out == jobs, plan)
    plan_id: str = plan["plan_id"]
    ana.fill(PLAN=plan_id)
    await ana.types("hubctl plan show PLAN")
    alone = await ana.runs(
        ["hubctl", "plan", "approve", plan_id, "--as", "ana", "--reason", "x", "--ticket", "T-1"], expect=4
    )
    report.expect("the maker is refused", "SECOND_PERSON_NEEDED" in alone.said, alone.said)
    await ana.types("hubctl plan approve")
    await ana.types("hubctl plan stop")
    await ana.types("hubctl plan show PLAN --items failed")
    await ana.types("hubctl plan resume")
    began = asyncio.get_running_loop().time()
    await ana.types("hubctl plan watch")
    seconds = asyncio.get_running_loop().time() - began
    report.note(replay_seconds=round(seconds, 1), replayed_per_second=round(jobs / seconds, 1))
    bound = jobs / REPLAY_RATE * 1.25 + FIRST_CHUNKS_SECONDS
    report.expect(f"the replay takes at most {bound:.0f} s", seconds <= bound, seconds)


async def _ended(ground: Ground, ana: Person, alertmanager: Alertmanager) -> None:
    report = ana.report
    triage = (await ana.types("hubctl dlq triage")).value
    report.expect("triage counts none", _counted(triage) == 0, triage)
    after = await _breaker(ana)
    report.expect("the breaker is closed", after["state"] == "BREAKER_STATE_CLOSED", after)
    began = asyncio.get_running_loop().time()

    async def fires_there() -> list[dict[str, Any]]:
        return await asyncio.to_thread(alertmanager.alerts)

    await until(lambda: _firing(ground, "DeadLetters"), lambda n: not n, ALERT_SECONDS, "the alert ends")
    await until(fires_there, lambda found: not found, ALERT_SECONDS, "the alert ends at Alertmanager")
    report.note(alert_ended_after_s=round(asyncio.get_running_loop().time() - began, 1))
    alerts = (await ana.types("hubctl alerts")).value["alerts"]
    report.expect("no alert fires", not alerts, alerts)


async def _accounts(ground: Ground, job_ids: list[str]) -> None:
    core = Core(ground.place)
    states = {job.state for job in await core.jobs(job_ids)}
    await core.close()
    ground.report.expect("every job succeeded", states == {job_pb2.JOB_STATE_SUCCEEDED}, states)
    wrong = not_once(job_ids, await Books(ground.place).payments())
    ground.report.expect("the provider has made each of them once", not wrong, wrong[:3])


async def _prove(ana: Person, dead: list[str], jobs: int) -> None:
    report = ana.report
    shown = (await ana.types("hubctl plan show PLAN --items all")).value
    done = [i for i in shown["items"] if i["state"] == "PLAN_ITEM_STATE_SUCCEEDED"]
    report.expect("the plan lists each item's result", len(done) == jobs, len(done))
    ana.fill(JOB=dead[-1])
    said = (await ana.types("hubctl evidence show")).value["entries"]
    acts = [e["statement"]["act"] for e in said if "act" in e["statement"]]
    report.expect("the log says that the job was replayed", acts == ["job.replay"], acts)
    await ana.types("hubctl evidence export")
    verified = await ana.types("hubctl evidence verify")
    report.expect("the bundle is VALID", verified.value["valid"], verified.value)
    await ana.types("python -m audit_service.verify")
    await _prove_plan(ana, shown["plan"]["digest"])


async def _prove_plan(ana: Person, digest: str) -> None:
    """Who did what with the plan, by its own bundle."""
    report = ana.report
    said = [e["statement"] for e in (await ana.types("hubctl evidence show PLAN")).value["entries"]]
    acts = {s["act"]: s["actor"]["ref"].rpartition("/")[2] for s in said}
    people = {"plan.preview": "ana", "plan.approve": "luis", "plan.stop": "ana", "plan.resume": "luis"}
    report.expect("the log names who did what", people.items() <= acts.items(), acts)
    report.expect("and how it ended", {"plan.begin", "plan.finish"} <= acts.keys(), acts)
    digests = {s["digest"] for s in said if s.get("digest")}
    report.expect("the digest is that of the page", digests == {digest}, digests)
    await ana.types("hubctl evidence export PLAN")
    verified = await ana.types("hubctl evidence verify PLAN")
    report.expect("the plan's bundle is VALID", verified.value["valid"], verified.value)


async def _firing(ground: Ground, name: str) -> int:
    return await ground.count(f"SELECT count(*) FROM alert WHERE name = '{name}' AND ended_at IS NULL;")


async def _breaker(ana: Person) -> dict[str, Any]:
    listed = (await ana.types("hubctl breaker list")).value["breakers"]
    return next(b for b in listed if b["lane"] == LANE)


def _counted(triage: Mapping[str, Any]) -> int:
    cause = f"DEAD_LETTER_CAUSE_{CAUSE.upper()}"
    return sum(int(group["count"]) for group in triage["groups"] if group["cause"] == cause)
