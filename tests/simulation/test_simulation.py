"""A few hundred runs of the simulated world; `make simulate SEEDS=10000` runs more."""

import pytest

from tests.simulation.campaign import campaign
from tests.simulation.mutants import MUTANTS, found_at, row
from tests.simulation.run import simulate

SEEDS = 200
SELDOM = frozenset(
    {
        "settle without its fences",
        "settle ignores seq",
        "a failed look-up is absent",
        "attempts counted while open",
        "a doubt is forgotten",
        "held events are left alone",
        "a restarted spoke begins what is older",
        "a lane that is dropped is kept",
        "the abandoned are left alone",
    }
)
"""Sown bugs that take more than a hundred seeds; run with `-m campaign`."""


def test_what_must_hold_holds_in_every_run_and_every_kind_of_fault_strikes() -> None:
    tally = campaign(range(SEEDS))
    assert tally.violations == [], "\n".join(tally.lines())
    assert tally.never == []


@pytest.mark.parametrize("seed", [0, 7, 12, 33, 58])
def test_a_seed_is_the_same_run_bit_for_bit(seed: int) -> None:
    first, second = simulate(seed), simulate(seed)
    assert first == second
    assert len(first.trace) > 5


def test_another_seed_is_another_run() -> None:
    assert simulate(1).trace != simulate(2).trace


@pytest.mark.parametrize(
    "bug", [pytest.param(n, marks=pytest.mark.campaign) if n in SELDOM else n for n in MUTANTS]
)
def test_a_bug_sown_into_the_product_is_found(bug: str) -> None:
    found = found_at(bug)
    print(row(bug, found))
    assert found is not None
