"""Work waits before a lane that cannot work: one alert names it, no attempt is lost, the page leads back."""

import asyncio
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from hub.jobs.model import JobState
from local.sandboxes.stripe.client import API_KEY
from local.stack.ports import Ports
from tests.alerts.alertmanager import Alertmanager
from tests.alerts.sinks import write_sinks
from tests.campaigns import person, proof
from tests.campaigns.books import Books, not_once
from tests.campaigns.core import Ask, Core
from tests.campaigns.gateway import Gateway
from tests.campaigns.ground import Ground, Wanted, scratch, standing, until
from tests.campaigns.report import Report
from tests.campaigns.troubles import LANE, SPOKE, TROUBLES, Scene, Trouble

WARM = 10
SUBMIT_RATE = 100
ATTEMPTS = 2
LIMITS = {"rate_per_second": 40, "burst": 10}
ALERT_SECONDS, REST_SECONDS = 120, 5.0
BACK_SECONDS = 120
PROVEN = 5

_WAITING = f"FROM job WHERE lane_id = '{LANE}'"
_NOT_BEGUN = f"(claimed_term = 0 AND state IN ({int(JobState.QUEUED)}, {int(JobState.RETRY_WAIT)}))"


@dataclass(frozen=True, slots=True)
class Size:
    """How many charges wait, and how long it stays so once the alert has come."""

    jobs: int
    seconds: float


async def run(report: Report, name: str, *, size: Size, wanted: Wanted) -> None:
    """The story."""
    state, ports = scratch(), Ports(wanted.base_port)
    alertmanager = Alertmanager(state)
    alertmanager.start()
    try:
        async with Gateway(ports.address("stripe-sandbox"), key=API_KEY) as provider:
            chosen = replace(
                wanted,
                spokes=(SPOKE,),
                environment={"hub": write_sinks(state, alertmanager)},
                detours={f"spoke-{SPOKE}": {"stripe-sandbox": provider.address}},
                limits={SPOKE: LIMITS},
            )
            async with standing(report, chosen, state=state) as ground:
                await _tell(TROUBLES[name](Scene(ground, provider)), alertmanager, size)
    finally:
        alertmanager.stop()


async def _tell(trouble: Trouble, alertmanager: Alertmanager, size: Size) -> None:
    ground = trouble.scene.ground
    core, run_id = Core(ground.place), secrets.token_hex(3)
    ask = Ask(SPOKE, attempts=ATTEMPTS)
    await core.charge_evenly([f"warm-{run_id}-{n}" for n in range(WARM)], replace(ask, wait=20), rate=5)
    await trouble.begin()
    keys = [f"wait-{run_id}-{number}" for number in range(size.jobs)]
    job_ids = await core.charge_evenly(keys, ask, rate=SUBMIT_RATE)
    await trouble.strike()
    shown = await _called(ground, alertmanager)
    burnt = await _held(trouble, size)
    await _one_alert(trouble, alertmanager, shown)
    await _back(trouble, alertmanager)
    await _accounts(ground, core, job_ids, burnt)
    await core.close()


async def _called(ground: Ground, alertmanager: Alertmanager) -> list[dict[str, Any]]:
    loop = asyncio.get_running_loop()
    began = loop.time()
    shown = await until(lambda: _shown(alertmanager), bool, ALERT_SECONDS, "Alertmanager shows an alert")
    ground.report.note(alert=shown[0]["labels"]["alertname"], alert_after_s=round(loop.time() - began, 1))
    return shown


async def _held(trouble: Trouble, size: Size) -> int:
    """While it lasts, nothing is lost; how many attempts were lost, or under way, until the lane knew."""
    ground = trouble.scene.ground
    await asyncio.sleep(REST_SECONDS)  # what was under way has ended
    burnt = await _burnt(ground)
    await asyncio.sleep(size.seconds)
    waiting, later = await ground.count(f"SELECT count(*) {_WAITING};"), await _burnt(ground)
    under_way = await ground.count(f"SELECT count(*) {_WAITING} AND NOT {_NOT_BEGUN};")
    ground.report.note(waiting=waiting, under_way_when_it_began=under_way, burnt=burnt)
    ground.report.expect("all of them wait", waiting == size.jobs, waiting)
    most = trouble.most_burnt
    ground.report.expect(f"at most {most} attempts are lost", later <= most, later)
    ground.report.expect("none while it lasts", later == burnt, (burnt, later))
    ground.report.expect(
        "at most a second's work was under way", under_way <= LIMITS["rate_per_second"], under_way
    )
    return later + under_way


async def _one_alert(trouble: Trouble, alertmanager: Alertmanager, first: Sequence[dict[str, Any]]) -> None:
    report, labels = trouble.scene.ground.report, {"alertname": trouble.alert, **trouble.labels}
    shown = await _shown(alertmanager)
    for alerts in (first, shown):
        named = [{k: v for k, v in a["labels"].items() if k != "severity"} for a in alerts]
        report.expect("one alert fires, which names it", named == [labels], named)
    pages = {a["annotations"]["runbook"] for a in shown}
    report.expect("it leads to the page", pages == {f"docs/runbooks/{trouble.page}"}, pages)


async def _back(trouble: Trouble, alertmanager: Alertmanager) -> None:
    ground, loop = trouble.scene.ground, asyncio.get_running_loop()
    ana = person.at(trouble.page, ground.state, ground.report)
    lanes = (await ana.types("hubctl lane list")).value["lanes"]
    waiting = {each["lane"]: int(each.get("backlog", {}).get("waiting", 0)) for each in lanes}
    ground.report.expect("the lane shows what waits", waiting[LANE] > 0, lanes)
    await trouble.end(ana)
    began = loop.time()

    async def left() -> int:
        return await ground.count(f"SELECT count(*) {_WAITING};")

    await until(left, lambda n: n == 0, BACK_SECONDS, "all of it is done")
    done = loop.time()
    await until(lambda: _shown(alertmanager), lambda a: not a, BACK_SECONDS, "the alert ends")
    ground.report.note(done_after_s=round(done - began, 1), alert_ended_after_s=round(loop.time() - began, 1))


async def _accounts(ground: Ground, core: Core, job_ids: Sequence[str], burnt: int) -> None:
    report = ground.report
    alerts = [row[0] for row in await ground.sql("SELECT alert_key FROM alert;")]
    report.expect("no other alert has fired", len(alerts) == 1, alerts)
    letters = await ground.count("SELECT count(*) FROM dead_letter;")
    report.expect("nothing has become a dead letter", letters == 0, letters)
    rows = await ground.sql(
        "SELECT job_id, state, attempt_count FROM job_done WHERE request_id LIKE 'wait-%';"
    )
    otherwise = [row for row in rows if int(row[1]) != JobState.SUCCEEDED]
    report.expect("each has ended well", not otherwise and len(rows) == len(job_ids), otherwise[:3])
    attempts = sum(int(row[2]) for row in rows)
    report.expect("with one attempt each, beside those lost", attempts <= len(job_ids) + burnt, attempts)
    wrong = not_once(job_ids, await Books(ground.place).payments())
    report.expect("the provider has made each of them once", not wrong, wrong[:3])
    unproven = await proof.invalid(ground.place, job_ids[:PROVEN], ground.state)
    report.expect("every bundle is VALID", not unproven, unproven)


async def _burnt(ground: Ground) -> int:
    return await ground.count(f"SELECT coalesce(sum(attempt_count), 0) {_WAITING} AND {_NOT_BEGUN};")


async def _shown(alertmanager: Alertmanager) -> list[dict[str, Any]]:
    return await asyncio.to_thread(alertmanager.alerts)
