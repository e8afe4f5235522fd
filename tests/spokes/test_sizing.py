"""How many actors, and how often replaced."""

from dataclasses import replace

from spokes.kit.manifest import PoolSpec
from spokes.kit.sizing import Load, RestartBudget, desired_size

SPEC = PoolSpec(least=1, most=4, concurrency=10)
CALM = Load(size=2, in_flight=10, queued=0, oldest_wait=0.0, idle_seconds=0.0)


def size(**change):
    return desired_size(replace(CALM, **change), SPEC)


def test_a_calm_pool_stays_as_it_is():
    assert size() == 2


def test_work_that_waits_makes_it_grow_to_what_is_needed_but_not_beyond_the_most():
    assert size(oldest_wait=0.6, queued=5, in_flight=20) == 3
    assert size(oldest_wait=0.6, queued=500, in_flight=20) == 4


def test_a_short_wait_does_not():
    assert size(oldest_wait=0.1, queued=5, in_flight=15) == 2


def test_it_shrinks_by_one_only_after_a_quiet_minute():
    assert size(in_flight=0, idle_seconds=59) == 2
    assert size(in_flight=0, idle_seconds=61) == 1
    assert size(size=1, in_flight=0, idle_seconds=1000) == 1


def test_a_crash_loop_spends_its_budget_and_gets_it_back():
    budget = RestartBudget(2, 60.0)
    assert [budget.take(now) for now in (0, 1, 2, 59, 60.5)] == [True, True, False, False, True]
