"""More work comes than a lane may do, and nobody wants it for long: what is too much expires, at once."""

import asyncio
import secrets
from dataclasses import dataclass, replace

import aiohttp

from hub.jobs.model import JobState
from tests.campaigns.core import Ask, Core
from tests.campaigns.ground import Ground, Wanted, standing, until
from tests.campaigns.report import Report

LANE = "echo/default"
LIFE_SECONDS = 3.0
LATE_SECONDS = 2.0

_ENDED = """
SELECT state, count(*), max(extract(epoch FROM updated_at - expire_at)), max(attempt_count),
       count(*) FILTER (WHERE message = 'TIME_OVER')
FROM job_done WHERE request_id LIKE '{run}-%' GROUP BY state;
"""


@dataclass(frozen=True, slots=True)
class Size:
    """What the account may do a second, how much more comes, and for how long."""

    rate: int
    times: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Ended:
    """How many ended in a state, how long after their time at most, and with how many attempts at most.

    `unsent`: of how many it was found right before they were sent.
    """

    count: int = 0
    late: float = 0.0
    attempts: int = 0
    unsent: int = 0


async def run(report: Report, *, size: Size, wanted: Wanted) -> None:
    """The story."""
    limits = {"echo": {"rate_per_second": size.rate, "burst": max(1, size.rate // 4)}}
    async with standing(report, replace(wanted, limits=limits)) as ground:
        core, run_id = Core(ground.place), f"over-{secrets.token_hex(3)}"
        await core.charge(f"warm-{run_id}", Ask("echo", wait=20))
        keys = [f"{run_id}-{number}" for number in range(int(size.rate * size.times * size.seconds))]
        ask = Ask("echo", life=LIFE_SECONDS)
        job_ids = await core.charge_evenly(keys, ask, rate=size.rate * size.times)
        await _over(ground)
        ended = await _ended(ground, run_id)
        await _judge(ground, ended, len(job_ids), size)
        await core.close()


async def _over(ground: Ground) -> None:
    async def left() -> int:
        return await ground.count(f"SELECT count(*) FROM job WHERE lane_id = '{LANE}';")

    await until(left, lambda n: n == 0, LIFE_SECONDS + LATE_SECONDS + 10, "all of it has ended")
    await asyncio.sleep(1)


async def _ended(ground: Ground, run_id: str) -> dict[int, Ended]:
    rows = await ground.sql(_ENDED.format(run=run_id))
    return {
        int(row[0]): Ended(int(row[1]), float(row[2]), int(row[3]), int(row[4])) for row in rows if row[0]
    }


async def _judge(ground: Ground, ended: dict[int, Ended], charges: int, size: Size) -> None:
    report = ground.report
    done, expired = ended.get(JobState.SUCCEEDED, Ended()), ended.get(JobState.EXPIRED, Ended())
    made = await _made(ground) - 1
    report.note(charges=charges, done=done.count, expired=expired.count, over_before_sent=expired.unsent)
    report.note(
        latest_s=round(expired.late, 2), share_of_rate=round(done.count / (size.rate * size.seconds), 2)
    )
    report.expect("each is done or expired", done.count + expired.count == charges, ended)
    report.expect(f"none expires more than {LATE_SECONDS:g} s late", expired.late <= LATE_SECONDS, expired)
    report.expect("none that expired was tried", expired.attempts == 0, expired)
    report.expect("the provider has made those that are done, and no other", made == done.count, made)
    alerts = await ground.sql("SELECT alert_key FROM alert;")
    report.expect("nobody is called for it", alerts == [], alerts)


async def _made(ground: Ground) -> int:
    url = f"http://{ground.place.address('echo-sandbox')}/effects"
    async with aiohttp.ClientSession() as client, client.get(url) as answer:
        return int((await answer.json())["payments"])
