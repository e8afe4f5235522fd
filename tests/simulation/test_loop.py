"""The virtual loop: time jumps, a paused machine waits, a dead one is gone."""

import asyncio
import time

import pytest

from tests.simulation.loop import Deadlock, Machine, VirtualLoop


async def _ticks(seen: list[str], name: str) -> None:
    try:
        for n in range(3):
            await asyncio.sleep(1.0)
            seen.append(f"{name}{n}")
    finally:
        seen.append(f"{name} ends")


def test_an_hour_passes_at_once() -> None:
    loop, began = VirtualLoop(None), time.monotonic()
    loop.run_until_complete(asyncio.sleep(3600.0))
    assert loop.time() >= 3600.0
    assert time.monotonic() - began < 10.0
    loop.end()


def test_a_paused_machine_goes_on_where_it_stood_and_a_dead_one_runs_no_more() -> None:
    loop, seen = VirtualLoop(None), list[str]()
    paused, dead = Machine("p"), Machine("d")
    for machine in (paused, dead):
        loop.create_task(_ticks(seen, machine.name), context=machine.context)
    loop.later(1.5, paused.pause)
    loop.later(1.5, dead.kill)
    loop.later(9.0, loop.resume, paused)
    loop.run_until_complete(asyncio.sleep(8.0))
    assert sorted(seen) == ["d0", "p0"]
    loop.run_until_complete(asyncio.sleep(5.0))
    assert sorted(seen) == ["d0", "p ends", "p0", "p1", "p2"]
    loop.end()


def test_a_world_in_which_nothing_can_happen_is_reported() -> None:
    loop = VirtualLoop(None)
    with pytest.raises(Deadlock):
        loop.run_until_complete(loop.create_future())
    loop.end()
