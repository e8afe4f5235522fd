"""One run: a seed becomes a world, faults strike it, it heals, and what must hold is checked."""

import asyncio
import logging
import random
from collections import Counter
from dataclasses import dataclass

from hub.jobs.model import Cancel
from hub.jobs.ports import Withdrawal
from hub.jobs.spec import Limits
from tests.simulation import ending
from tests.simulation.audit import SimulatedLog
from tests.simulation.cases import Case, cases, limits, of_two_tenants, short_lived
from tests.simulation.events import MemoryEvents
from tests.simulation.faults import HEAL_AT, Faults
from tests.simulation.hub import SimulatedHub
from tests.simulation.loop import VirtualLoop
from tests.simulation.proofs import proofs
from tests.simulation.provider import Provider, compare, decode
from tests.simulation.spoke import SimulatedSpoke
from tests.simulation.store import MemoryStore
from tests.simulation.strikes import heal, strike
from tests.simulation.watch import Violation, Watch
from tests.simulation.world import World

REST_BY = 250.0
"""Seconds by which a healed world must be at rest."""

FOREVER_SECONDS = 500.0
"""How much longer it takes where what has gone does not come back."""

CALM_SECONDS = 5.0
"""How long after its last job a world stays at fault in which no machine breaks."""

NEEDS_TWO_HUBS = ("hub_crash", "hub_pause", "hub_drain")


@dataclass(frozen=True, slots=True)
class Run:
    """What a seed came to."""

    seed: int
    jobs: int
    attempts: int
    seconds: float
    faults: Counter[str]
    proofs: Counter[str]
    violations: tuple[Violation, ...]
    trace: tuple[tuple[object, ...], ...]


def faults_of(seed: int) -> Faults:
    """What can go wrong in the run of a seed."""
    return Faults(random.Random(f"run-{seed}"))


def simulate(seed: int) -> Run:
    """Runs one seed."""
    logging.disable(logging.CRITICAL)
    name = f"run-{seed}"
    chance = random.Random(name)
    faults = Faults(chance)
    loop = VirtualLoop(random.Random(f"{name}/order") if chance.random() < 0.8 else None)
    world = World(name, loop=loop, faults=faults, limits=limits(chance))
    given = cases(name, chance, poison=faults.has("poison"), cancel=faults.has("cancel"))
    given = _set_up(world, given)
    _build(world, given)
    try:
        loop.run_until_complete(_live(world, given))
        found = [*world.watch.violations, *ending.violations(world)]
        found += [Violation("mishap", name, m, loop.time()) for m in loop.mishaps]
        world.over = True
        return Run(
            seed,
            jobs=len(given),
            attempts=world.watch.attempts,
            seconds=loop.time(),
            faults=faults.counts,
            proofs=proofs(world),
            violations=tuple(found),
            trace=tuple(world.trace),
        )
    finally:
        world.over = True
        loop.end()
        logging.disable(logging.NOTSET)


def _set_up(world: World, given: list[Case]) -> list[Case]:
    """Makes it one of the kinds of worlds that are not plain; its jobs."""
    kinds, chance = world.faults.worlds, world.faults.more
    world.has_goers, world.is_forever = "goers" in kinds, "forever" in kinds
    if "peers" in kinds:
        world.idle_lanes = tuple(f"idle/{n}" for n in range(chance.randint(2, 7)))
    if "loads" in kinds:
        given = of_two_tenants(given, chance)
        world.limits = Limits(chance.choice((1, 2, 4)), 4.0, 2)
    return short_lived(given, chance) if "log_away" in kinds else given


def _build(world: World, given: list[Case]) -> None:
    world.watch = Watch(world)
    world.store = MemoryStore(world.now, moved=world.watch.moved)
    world.events = MemoryEvents(world.store, decode, compare)
    world.log = SimulatedLog(world)
    world.provider = Provider(world)
    world.spoke = SimulatedSpoke(world)
    two = any(world.faults.has(kind) for kind in NEEDS_TWO_HUBS)
    many = 3 if "peers" in world.faults.worlds else 1 + two
    world.hubs = [SimulatedHub(world, name) for name in ("hub-a", "hub-b", "hub-c")[:many]]
    for case in given:
        world.fates[case.job.job_id] = case.fate
        world.loop.later(case.at, _accept, world, case)


def _accept(world: World, case: Case) -> None:
    world.store.accept(case.job)
    for hub in world.hubs:
        hub.hint()
    if case.cancel_at is not None:
        world.loop.later(case.cancel_at - case.at, _cancel, world, case.job.job_id)


def _withdrawal(job_id: str) -> Withdrawal:
    return Withdrawal(Cancel("core"), f"cancel {job_id}", f"action {job_id} job.cancel core".encode())


def _cancel(world: World, job_id: str) -> None:
    if world.store.cancel(job_id, _withdrawal(job_id)):
        world.faults.counts["cancel"] += 1


async def _live(world: World, given: list[Case]) -> None:
    planned = world.faults.planned()
    comes_late = any(kind == "hub_joins" for _, kind in planned)
    for hub in world.hubs[: 2 if comes_late else None]:
        hub.start()
    for at, kind in planned:
        world.loop.later(at, strike, world, kind)
    healed_at = HEAL_AT if planned else max(case.at for case in given) + CALM_SECONDS
    await asyncio.sleep(healed_at)
    heal(world)
    rest_by = REST_BY + FOREVER_SECONDS * world.is_forever
    while world.loop.time() < rest_by and not ending.at_rest(world):
        await asyncio.sleep(0.5)
