"""The one lane of the simulated world: its operations, its limits and its jobs."""

import random
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from hub.jobs.model import NewJob, Origin, RetryPolicy, Work, lane_id
from hub.jobs.spec import Limits, OperationSpec, Replay

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
PROVIDER, ACCOUNT = "echo", "default"
LANE = lane_id(PROVIDER, ACCOUNT)
ORIGIN = Origin("spiffe://integration.local/core/demo")
POLICY = RetryPolicy(3, timedelta(seconds=0.3), timedelta(seconds=3))
TIMEOUT = timedelta(seconds=2)
LAG = timedelta(seconds=0.5)
QUIET = max(2 * TIMEOUT, LAG)
"""How long the hub waits between two looks before it sends a request again that no key protects."""


def _spec(replay: Replay, *, can_look_up: bool) -> OperationSpec:
    return OperationSpec(
        replay=replay,
        replay_window=timedelta(hours=24),
        can_look_up=can_look_up,
        look_up_lag=LAG,
        timeout=TIMEOUT,
        confirm_within=timedelta(seconds=6),
        expire_after=timedelta(hours=1),
        policy=POLICY,
    )


SPECS = {
    "Charge": replace(_spec(Replay.NATIVE_KEY, can_look_up=True), can_cancel=True),
    "Tap": _spec(Replay.NATIVE_KEY, can_look_up=False),
    "Post": _spec(Replay.QUERYABLE, can_look_up=True),
    "Send": _spec(Replay.BLIND, can_look_up=False),
}


@dataclass(frozen=True, slots=True)
class Case:
    """A job, when Core sends it, and how it fares at the provider."""

    job: NewJob
    at: float
    fate: str
    cancel_at: float | None


def limits(chance: random.Random) -> Limits:
    """Limits of the lane's account."""
    return Limits(chance.choice((2, 4, 16)), *chance.choice(((0.0, 0), (2.0, 2), (10.0, 3))))


def cases(seed: str, chance: random.Random, *, poison: bool, cancel: bool) -> list[Case]:
    """The jobs of one run."""
    many = chance.choice((2, 4, 6, 8, 14))
    return [_case(n, seed, chance, poison=poison, cancel=cancel) for n in range(many)]


def of_two_tenants(given: list[Case], chance: random.Random) -> list[Case]:
    """As many again of one tenant, nearly at once, and a few of another beside them."""
    at = chance.uniform(0.5, 4.0)
    many = chance.randint(10, 20)
    more = [_case(len(given) + n, "loads", chance, poison=False, cancel=False) for n in range(many)]
    tenants = ["acme"] * many
    for n in chance.sample(range(many), 4):
        tenants[n] = "globex"
    return given + [
        replace(case, at=at + chance.uniform(0, 0.5), job=replace(case.job, tenant=tenant))
        for case, tenant in zip(more, tenants, strict=True)
    ]


def short_lived(given: list[Case], chance: random.Random) -> list[Case]:
    """Half of them have only seconds."""
    return [
        replace(c, job=replace(c.job, expire_at=START + timedelta(seconds=c.at + chance.uniform(1.5, 6.0))))
        if chance.random() < 0.5
        else c
        for c in given
    ]


def _case(number: int, seed: str, chance: random.Random, *, poison: bool, cancel: bool) -> Case:
    at = chance.uniform(0.5, 6.0)
    fates = ["done", "done", "done", "declined", "pending"] + ["poison"] * poison
    life = chance.choice((4.0, 15.0, 300.0, 300.0, 300.0))
    job_id = f"01890000-0000-7000-8000-{number:012d}"
    operation = chance.choice((*SPECS, "Charge", "Post", "Send"))
    job = NewJob(
        job_id=job_id,
        tenant="acme",
        request_id=f"request-{number}",
        fingerprint=b"f" * 32,
        provider=PROVIDER,
        account=ACCOUNT,
        priority=chance.choice((0, 0, 1)),
        expire_at=START + timedelta(seconds=at + life),
        policy=POLICY,
        labels={},
        origin=ORIGIN,
        work=Work(operation, "T", seed.encode(), b"s" * 32, f"key-{number}"),
    )
    fate = chance.choice(fates)
    if fate in ("declined", "pending") and operation == "Send":
        fate = "done"
    if fate == "pending" and operation == "Charge" and life < 20.0:
        fate = "abandoned"
    return Case(job, at, fate, at + chance.uniform(0, 12.0) if cancel and chance.random() < 0.4 else None)
