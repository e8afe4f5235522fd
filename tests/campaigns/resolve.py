"""A mail system hangs up before it answers: a person finds out what became of the letters."""

import asyncio
import mailbox
import secrets

from aiosmtpd.smtp import SMTP

from integration.jobs.v1 import job_pb2
from local.stack.layout import Layout
from tests.campaigns import person, proof
from tests.campaigns.core import Core
from tests.campaigns.ground import Ground, Wanted, scratch, standing, until
from tests.campaigns.mailpeer import Unsure
from tests.campaigns.person import Person
from tests.campaigns.report import Report

REFUSED, NOTHING_TO_DO = 4, 1
ALERT = "DeadLetters/smtp/default/unresolved_doubt"


async def run(report: Report, *, wanted: Wanted) -> None:
    """The story."""
    state, run_id = scratch(), secrets.token_hex(3)
    arrived, dropped = f"Arrived {run_id}", f"Dropped {run_id}"
    inbox = Layout.at(state).data("inbox")
    peer = Unsure(inbox, {arrived: True, dropped: False})
    server = await asyncio.get_running_loop().create_server(lambda: SMTP(peer), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    detours = {"spoke-smtp": {"smtp-inbox": f"127.0.0.1:{port}"}}
    chosen = Wanted(wanted.base_port, ("smtp",), detours=detours, keep=wanted.keep)
    async with standing(report, chosen, state=state) as ground:
        core = Core(ground.place)
        jobs = [(await core.write(f"mail-{run_id}-{s[:4]}", s)).job_id for s in (arrived, dropped)]
        await _parked(ground, core, jobs)
        ana = person.at("unresolved-doubt.md", ground.state, report)
        await _look(ana, jobs)
        await _say(ground, core, ana, jobs)
        counts = {s: _letters(ground, s) for s in (arrived, dropped)}
        report.note(letters=counts)
        report.expect("each letter is there once", set(counts.values()) == {1}, counts)
        await _prove(ground, ana, jobs)
        await core.close()
    server.close()


async def _parked(ground: Ground, core: Core, job_ids: list[str]) -> None:
    async def parked() -> int:
        return await ground.count(f"SELECT count(*) FROM dead_letter WHERE alert_key = '{ALERT}';")

    await until(parked, lambda n: n == len(job_ids), 60, "the letters are parked")
    states = [job.state for job in await core.jobs(job_ids)]
    ground.report.expect("Core sees them in doubt", set(states) == {job_pb2.JOB_STATE_IN_DOUBT}, states)


async def _look(ana: Person, job_ids: list[str]) -> None:
    report = ana.report
    alerts = (await ana.runs(["hubctl", "alerts"])).value["alerts"]
    pages = {alert["alert_key"]: alert["runbook"] for alert in alerts}
    report.expect("the alert leads to the page", pages == {ALERT: "docs/runbooks/unresolved-doubt.md"}, pages)
    listed = (await ana.types("hubctl dlq list")).value["dead_letters"]
    found = {letter["job"]["job_id"] for letter in listed}
    report.expect("both are listed", found == set(job_ids), found)
    ana.fill(JOB=job_ids[0])
    shown = (await ana.types("hubctl dlq show")).value["dead_letter"]
    report.expect("the outcome is missing", shown["missing_proof"] == "MISSING_PROOF_OUTCOME", shown)
    await ana.types("hubctl evidence show")
    again = await ana.types("hubctl plan replay", expect=NOTHING_TO_DO)
    causes = {c["cause"]: int(c["count"]) for c in again.value["plan"].get("ineligible", [])}
    report.expect("only a person can find out", causes == {"NEEDS_A_PERSON": len(job_ids)}, causes)


async def _say(ground: Ground, core: Core, ana: Person, job_ids: list[str]) -> None:
    report, (done, dropped) = ana.report, job_ids
    ana.fill(JOB=done, PAYMENT=f"{done}@example.com")
    resolved = (await ana.types("hubctl jobs resolve JOB --outcome done")).value["job"]
    report.expect("what was done has succeeded", resolved["state"] == "JOB_STATE_SUCCEEDED", resolved)
    again = await ana.types("hubctl jobs resolve JOB --outcome declined", expect=REFUSED)
    report.expect("it cannot be resolved again", "NOT_RESOLVABLE" in again.said, again.said)
    await ana.types("hubctl dlq show")
    ana.fill(JOB=dropped)
    await ana.types("hubctl jobs resolve JOB --outcome not-done")

    async def state() -> int:
        return (await core.job(dropped)).state

    await until(state, lambda s: s == job_pb2.JOB_STATE_SUCCEEDED, 60, "what was not done is sent again")

    async def firing() -> int:
        return await ground.count("SELECT count(*) FROM alert WHERE ended_at IS NULL;")

    await until(firing, lambda n: n == 0, 30, "the alert ends")


async def _prove(ground: Ground, ana: Person, job_ids: list[str]) -> None:
    for job_id, act in zip(job_ids, ("job.resolve_done", "job.resolve_not_done"), strict=True):
        ana.fill(JOB=job_id)
        said = await until(
            lambda j=job_id: proof.statements(ground.place, j),  # type: ignore[misc]
            lambda found: any("act" in s for s in found),
            15,
            "the log holds the action",
        )
        acts = [(s["act"], s["actor"]["ref"].rpartition("/")[2]) for s in said if "act" in s]
        ana.report.expect("the log names the person", acts == [(act, "ana")], acts)
        await ana.types("hubctl evidence export")
        verified = await ana.types("hubctl evidence verify")
        ana.report.expect("the bundle is VALID with it", verified.value["valid"], verified.value)


def _letters(ground: Ground, subject: str) -> int:
    letters = mailbox.Maildir(ground.place.inbox, create=False)
    return sum(str(letter["Subject"]) == subject for letter in letters)
