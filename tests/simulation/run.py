"""One run: a seed becomes a world, faults strike it, it heals, and what must hold is checked."""

import asyncio
import logging
import random
from collections import Counter
from dataclasses import dataclass

from hub.jobs.model import Cancel
from hub.jobs.ports import Withdrawal
from tests.simulation import ending
from tests.simulation.audit import SimulatedLog
from tests.simulation.cases import Case, cases, limits
from tests.simulation.events import MemoryEvents
from tests.simulation.faults import HEAL_AT, Faults
from tests.simulation.hub import SimulatedHub
from tests.simulation.loop import VirtualLoop
from tests.simulation.provider import Provider, compare, decode
from tests.simulation.spoke import SimulatedSpoke
from tests.simulation.store import MemoryStore
from tests.simulation.watch import Violation, Watch
from tests.simulation.world import World

REST_BY = 250.0
"""Seconds by which a healed world must be at rest."""

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
    violations: tuple[Violation, ...]
    trace: tuple[tuple[object, ...], ...]


def simulate(seed: int) -> Run:
    """Runs one seed."""
    logging.disable(logging.CRITICAL)
    name = f"run-{seed}"
    chance = random.Random(name)
    faults = Faults(chance)
    loop = VirtualLoop(random.Random(f"{name}/order") if chance.random() < 0.8 else None)
    world = World(name, loop=loop, faults=faults, limits=limits(chance))
    given = cases(name, chance, poison=faults.has("poison"), cancel=faults.has("cancel"))
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
            violations=tuple(found),
            trace=tuple(world.trace),
        )
    finally:
        world.over = True
        loop.end()
        logging.disable(logging.NOTSET)


def _build(world: World, given: list[Case]) -> None:
    world.watch = Watch(world)
    world.store = MemoryStore(world.now, moved=world.watch.moved)
    world.events = MemoryEvents(world.store, decode, compare)
    world.log = SimulatedLog(world)
    world.provider = Provider(world)
    world.spoke = SimulatedSpoke(world)
    two = any(world.faults.has(kind) for kind in NEEDS_TWO_HUBS)
    world.hubs = [SimulatedHub(world, name) for name in ("hub-a", "hub-b")[: 1 + two]]
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
    for hub in world.hubs:
        hub.start()
    planned = world.faults.planned()
    for at, kind in planned:
        world.loop.later(at, _strike, world, kind)
    healed_at = HEAL_AT if planned else max(case.at for case in given) + CALM_SECONDS
    await asyncio.sleep(healed_at)
    _heal(world)
    while world.loop.time() < REST_BY and not ending.at_rest(world):
        await asyncio.sleep(0.5)


def _heal(world: World) -> None:
    world.note("healed")
    world.faults.healed = True
    world.provider.down_until = world.log.down_until = 0.0
    world.spoke.start()
    for hub in world.hubs:
        hub.resume()
        hub.start()
        hub.store.down_until = 0.0


def _strike(world: World, kind: str) -> None:
    world.faults.counts[kind] += 1
    world.note(kind)
    seconds = world.net.uniform(0.5, 4.0)
    until = world.loop.time() + seconds
    hub = world.net.choice(world.hubs)
    match kind:
        case "hub_crash":
            hub.crash()
            world.loop.later(seconds, hub.start)
        case "hub_drain":
            hub.drain()
            world.loop.later(seconds + 2.0, hub.start)
        case "hub_pause":
            hub.pause()
            # Long enough to lose its leases, or not.
            pause = world.net.choice((world.net.uniform(0.5, 4.0), world.net.uniform(6.0, 10.0)))
            world.loop.later(pause, hub.resume)
        case "spoke_crash":
            world.spoke.crash()
            world.loop.later(world.net.choice((0.01, seconds)), world.spoke.start)
        case "provider_down":
            world.provider.down_until = until
        case "log_down":
            world.log.down_until = until
        case "store_down":
            hub.store.down_until = until
