"""A provider is down with a long queue before it, while another lane has its light traffic."""

import asyncio
import secrets
import time
from dataclasses import dataclass, replace
from datetime import datetime

from integration.operations.v1 import lane_pb2
from tests.campaigns import books
from tests.campaigns.books import Books
from tests.campaigns.core import Ask, Core, Steady, steady
from tests.campaigns.ground import Ground, Wanted, standing, until
from tests.campaigns.report import Report, milliseconds

LANE, SANDBOX = "stripe/default", "stripe-sandbox"
ECHO_RATE, STRIPE_RATE = 10, 5
QUEUE_RATE = 100
LONGEST_OPEN_SECONDS = 60
BACK_TO_NORMAL_SECONDS = 10.0
AFTER_SECONDS = 20.0
MOST_FAILURES = 10
STRAIGHT = Ask("stripe", wait=20)

_UNFINISHED = f"FROM job WHERE lane_id = '{LANE}'"
_ATTEMPTS = """
SELECT count(*) FROM attempt a
JOIN (SELECT job_id, lane_id FROM job UNION ALL SELECT job_id, lane_id FROM job_done) j USING (job_id)
WHERE j.lane_id = '{lane}' AND {condition};
"""
_FAILED = "a.outcome IN ('not_sent', 'unknown')"


@dataclass(frozen=True, slots=True)
class Size:
    """How long the provider is down, how many charges wait, how many a second the account may make, and how
    much longer latencies may be than before, as a ratio.
    """

    minutes: float
    jobs: int
    rate: int
    worse: float

    @property
    def burst(self) -> int:
        """How many charges may go at once: a quarter of a second's."""
        return max(1, self.rate // 4)

    @property
    def limits(self) -> dict[str, float]:
        """The limits of the account."""
        return {"rate_per_second": self.rate, "burst": self.burst}


@dataclass(slots=True)
class Times:
    """When each part of the story began, by the monotonic clock."""

    quiet: float = 0.0
    busy: float = 0.0
    ready: float = 0.0
    down: float = 0.0
    queued: float = 0.0
    back: float = 0.0
    drained: float = 0.0
    normal: float = 0.0
    end: float = 0.0


async def run(report: Report, *, size: Size, wanted: Wanted) -> None:
    """The story."""
    run_id = secrets.token_hex(3)
    times = Times()
    async with standing(report, replace(wanted, limits={"stripe": size.limits})) as ground:
        async with steady(ground.place, f"echo-{run_id}", Ask("echo", wait=20), rate=ECHO_RATE) as echo:
            before = await _quiet(ground, run_id, times, seconds=min(60.0, 20 * size.minutes))
            await _busy(ground, run_id, times, size)
            job_ids = await _down(ground, run_id, times, size)
            back_at = await _return(ground, times, size)
            after = await _after(ground, run_id, times)
        _latencies(report, echo, times, size.worse)
        report.note(stripe_ms={"before": milliseconds(before), "after": milliseconds(after)})
        p95 = milliseconds(before)["p95"], milliseconds(after)["p95"]
        report.expect("stripe's p95 is back to normal", p95[1] <= size.worse * p95[0], p95)
        await _accounts(ground, job_ids, back_at)


async def _quiet(ground: Ground, run_id: str, times: Times, *, seconds: float) -> list[float]:
    # The first requests open connections and fill caches.
    async with steady(ground.place, f"warm-{run_id}", STRAIGHT, rate=STRIPE_RATE):
        await asyncio.sleep(5)
    times.quiet = time.monotonic()
    async with steady(ground.place, f"before-{run_id}", STRAIGHT, rate=STRIPE_RATE) as stripe:
        await asyncio.sleep(seconds)
    return stripe.between(0, float("inf"))


async def _busy(ground: Ground, run_id: str, times: Times, size: Size) -> None:
    """The lane at its full rate, in fair weather."""
    core, times.busy, seconds = Core(ground.place), time.monotonic(), min(30.0, 10 * size.minutes)
    keys = [f"busy-{run_id}-{number}" for number in range(int(seconds * size.rate))]
    await core.charge_evenly(keys, Ask("stripe"), rate=size.rate)
    await until(lambda: _left(ground), lambda n: n == 0, 20 * seconds, "the lane keeps up with its rate")
    times.ready = time.monotonic()
    ground.report.note(busy_per_second=round(len(keys) / (times.ready - times.busy), 1))
    await core.close()


async def _down(ground: Ground, run_id: str, times: Times, size: Size) -> list[str]:
    report, core = ground.report, Core(ground.place)
    keys = [f"outage-{run_id}-{number}" for number in range(size.jobs)]
    queueing = asyncio.create_task(core.charge_evenly(keys, Ask("stripe"), rate=QUEUE_RATE))
    await asyncio.sleep(1)
    times.down, fell_at = time.monotonic(), datetime.now().astimezone()
    ground.stack.kill(SANDBOX)
    report.say(f"the provider is down; {size.jobs} charges come, {QUEUE_RATE} a second")
    await until(lambda: ground.lane(LANE), _is_open, 30, "the breaker opens")
    await asyncio.sleep(5)  # what was under way when it opened has ended
    burnt = await ground.count(f"SELECT coalesce(sum(attempt_count), 0) {_UNFINISHED} AND claimed_term = 0;")
    job_ids = await queueing
    times.queued = time.monotonic()
    await core.close()
    await asyncio.sleep(max(0.0, times.down + 60 * size.minutes - time.monotonic()))
    await _damage(ground, fell_at, burnt)
    return job_ids


async def _damage(ground: Ground, fell_at: datetime, burnt: int) -> None:
    report = ground.report
    opened_at = next(at for at, said in _moves(ground) if said == "OPEN" and at > fell_at)
    fell, opened = f"'{fell_at}'", f"'{opened_at.isoformat()}'"
    failures = await _attempts(ground, f"a.settled_at BETWEEN {fell} AND {opened} AND {_FAILED}")
    cut = await _attempts(
        ground, f"a.claimed_at < {fell} AND a.settled_at BETWEEN {fell} AND {opened} AND {_FAILED}"
    )
    figures = {
        "opened_after_s": round((opened_at - fell_at).total_seconds(), 2),
        "cut_when_it_fell": cut,
        "more_failures_before_open": failures - cut,
        "in_flight_at_open": await _attempts(ground, f"a.claimed_at <= {opened} AND a.settled_at > {opened}"),
        "claimed_while_not_closed": await _attempts(ground, f"a.claimed_at > {opened}"),
        "trips": (await ground.lane(LANE)).breaker.trips,
        "queued": await ground.count(f"SELECT count(*) {_UNFINISHED};"),
        "jobs_with_attempts": await ground.count(f"SELECT count(*) {_UNFINISHED} AND attempt_count > 0;"),
        "attempts_burnt": burnt,
        "attempts_burnt_at_end": await ground.count(
            f"SELECT coalesce(sum(attempt_count), 0) {_UNFINISHED} AND claimed_term = 0;"
        ),
    }
    report.note(**figures)
    states = await ground.sql(f"SELECT state, count(*) {_UNFINISHED} GROUP BY state;")
    report.note(states_while_down={state: int(count) for state, count in states})
    within = figures["more_failures_before_open"] <= MOST_FAILURES
    report.expect(f"the breaker opens within {MOST_FAILURES} failures", within, figures)
    report.expect("an open breaker burns no attempts", figures["attempts_burnt_at_end"] <= burnt, figures)
    firing = await ground.count("SELECT count(*) FROM alert WHERE name = 'BreakerOpen' AND ended_at IS NULL;")
    report.expect("the alert BreakerOpen fires", firing == 1)


async def _return(ground: Ground, times: Times, size: Size) -> datetime:
    """The provider is back; when it was."""
    report = ground.report
    backlog = (await ground.lane(LANE)).backlog
    waiting = backlog.waiting + backlog.in_doubt + backlog.running
    times.back, back_at = time.monotonic(), datetime.now().astimezone()
    await ground.stack.start_part(SANDBOX)
    report.say(f"the provider is back; {waiting} jobs wait")
    bound = LONGEST_OPEN_SECONDS + 2 * waiting / size.rate + 10
    await until(lambda: _left(ground), lambda n: n == 0, bound + 120, "the backlog is drained")
    times.drained = time.monotonic()
    closed_at = next(at for at, said in _moves(ground) if said == "CLOSED" and at > back_at)
    payments = await Books(ground.place).payments()
    rate, most = books.peak(payments, back_at.timestamp()), size.rate + size.burst
    figures = {
        "backlog": waiting,
        "closed_after_s": round((closed_at - back_at).total_seconds(), 2),
        "drained_after_s": round(times.drained - times.back, 1),
        "peak_per_second": rate,
    }
    report.note(**figures)
    report.expect(f"the backlog is drained within {bound:.0f} s", figures["drained_after_s"] <= bound)
    report.expect(f"never more than {most} a second at the provider", rate <= most, rate)
    return back_at


async def _after(ground: Ground, run_id: str, times: Times) -> list[float]:
    async with steady(ground.place, f"after-{run_id}", STRAIGHT, rate=STRIPE_RATE) as stripe:
        times.normal = times.drained + BACK_TO_NORMAL_SECONDS
        await asyncio.sleep(max(0.0, times.normal + AFTER_SECONDS - time.monotonic()))
    times.end = time.monotonic()
    return stripe.between(times.normal, times.end)


def _latencies(report: Report, echo: Steady, times: Times, worse: float) -> None:
    spans = {
        "quiet": (times.quiet, times.busy),
        "busy": (times.busy, times.ready),
        "queueing": (times.down, times.queued),
        "down": (times.queued, times.back),
        "return": (times.back, times.drained),
        "after": (times.drained, times.end),
    }
    measured = {name: milliseconds(echo.between(*span)) for name, span in spans.items()}
    report.note(echo_ms=measured)
    report.expect("every charge of the other lane succeeds", not echo.failed, echo.failed[:3])
    for name in list(measured)[1:]:
        within = measured[name]["p95"] <= worse * measured["quiet"]["p95"]
        report.expect(f"the other lane's p95 {name} is within {worse} of quiet", within, measured)


async def _accounts(ground: Ground, job_ids: list[str], back_at: datetime) -> None:
    """Every charge succeeded, and those that the provider still knows were made once."""
    report = ground.report
    rows = await ground.sql(
        f"SELECT job_id, state, attempt_count, updated_at FROM job_done WHERE lane_id = '{LANE}' "
        "AND request_id LIKE 'outage-%';"
    )
    report.expect("every charge has ended", {row[0] for row in rows} == set(job_ids), len(rows))
    ended_otherwise = [row for row in rows if row[1] != "6"]
    report.expect("every charge succeeded", not ended_otherwise, ended_otherwise[:3])
    payments = await Books(ground.place).payments()
    late = [row[0] for row in rows if datetime.fromisoformat(row[3]) >= back_at]
    wrong = books.not_once(late, payments)
    report.expect("the provider has made each of the waiting charges once", not wrong, wrong[:3])
    most = max(int(row[2]) for row in rows)
    report.note(charges=len(rows), made_after_return=len(late), most_attempts_of_a_job=most)
    fired = await ground.count("SELECT count(*) FROM alert WHERE name = 'BreakerOpen' AND ended_at IS NULL;")
    report.expect("the alert BreakerOpen has ended", fired == 0)


async def _left(ground: Ground) -> int:
    return await ground.count(f"SELECT count(*) {_UNFINISHED} AND state <> 8;")


async def _attempts(ground: Ground, condition: str) -> int:
    return await ground.count(_ATTEMPTS.format(lane=LANE, condition=condition))


def _moves(ground: Ground) -> list[tuple[datetime, str]]:
    moves = ground.logged("hub", "breaker moved")
    return [(at, said["breaker"]) for at, said in moves if said["lane"] == LANE]


def _is_open(lane: lane_pb2.Lane) -> bool:
    return lane.breaker.state == lane_pb2.BREAKER_STATE_OPEN
