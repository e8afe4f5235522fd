"""A job kills whoever works on it, each time: it becomes a dead letter, and the others go on."""

import asyncio
import secrets

from integration.jobs.v1 import job_pb2
from local.stack.ports import Ports
from tests.campaigns import person, proof
from tests.campaigns.core import Ask, Core, steady
from tests.campaigns.gateway import DEADLY, Gateway
from tests.campaigns.ground import Wanted, standing, until
from tests.campaigns.report import Report

TRAFFIC_RATE = 10
LOSSES = 3
POISON_SECONDS = 120


async def run(report: Report, *, wanted: Wanted) -> None:
    """The story."""
    async with Gateway(Ports(wanted.base_port).address("echo-sandbox")) as provider:
        detours = {"spoke-echo": {"echo-sandbox": provider.address}}
        chosen = Wanted(wanted.base_port, ("echo",), detours=detours, keep=wanted.keep)
        async with standing(report, chosen) as ground:
            core, run_id = Core(ground.place), secrets.token_hex(3)
            loop = asyncio.get_running_loop()
            async with steady(
                ground.place, f"beside-{run_id}", Ask("echo", wait=25), rate=TRAFFIC_RATE
            ) as beside:
                await asyncio.sleep(3)
                began = loop.time()
                deadly = await core.charge(f"deadly-{run_id}", Ask("echo", method=DEADLY.decode()))

                async def state() -> job_pb2.Job:
                    return await core.job(deadly.job_id)

                dead = await until(
                    state, lambda job: job.state == job_pb2.JOB_STATE_DEAD, POISON_SECONDS, "the job dies"
                )
                report.note(actors_killed=len(provider.killed), dead_after_s=round(loop.time() - began, 1))
                await asyncio.sleep(5)
            report.expect(f"after {LOSSES} actors", len(set(provider.killed)) == LOSSES, provider.killed)
            report.expect("the others go on", not beside.failed, beside.failed[:3])
            report.note(beside=len(beside.samples), longest_s=round(max(s for _, s in beside.samples), 1))
            await _judged(report, person.at("provider-down.md", ground.state, report), dead)
            said = [
                s["res"].get("reason", "")
                for s in await proof.statements(ground.place, dead.job_id)
                if "res" in s
            ]
            report.expect("the log has each loss", said.count("ACTOR_LOST") == LOSSES, said)
            wrong = await proof.invalid(ground.place, [dead.job_id, *beside.job_ids[-5:]], ground.state)
            report.expect("every bundle is VALID", not wrong, wrong)
            await core.close()


async def _judged(report: Report, ana: person.Person, dead: job_pb2.Job) -> None:
    listed = (await ana.runs(["hubctl", "dlq", "list", "--cause", "poison"])).value["dead_letters"]
    found = [letter["job"]["job_id"] for letter in listed]
    report.expect("the dead letters hold this job alone", found == [dead.job_id], found)
    ana.fill(JOB=dead.job_id)
    shown = (await ana.types("hubctl dlq show")).value["dead_letter"]
    report.expect("its cause is poison", shown["cause"] == "DEAD_LETTER_CAUSE_POISON", shown["cause"])
    report.expect("a person is to look", shown["proposal"] == "PROPOSAL_INVESTIGATE", shown["proposal"])
    alerts = (await ana.types("hubctl alerts")).value["alerts"]
    keys = {alert["alert_key"] for alert in alerts}
    report.expect("an alert says so", keys == {"DeadLetters/echo/default/poison"}, keys)
