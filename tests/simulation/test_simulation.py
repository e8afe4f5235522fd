"""A few hundred runs of the simulated world; `make simulate SEEDS=10000` runs more."""

import pytest

from tests.simulation.campaign import Tally, campaign
from tests.simulation.mutants import MUTANTS, found_at, row
from tests.simulation.run import faults_of, simulate

SEEDS = 200
OF_A_KIND = 15
SELDOM = frozenset(
    {
        "settle without its fences",
        "settle ignores seq",
        "a failed look-up is absent",
        "attempts counted while open",
        "a doubt is forgotten",
        "held events are left alone",
        "a restarted spoke begins what is older",
        "the abandoned are left alone",
    }
)
"""Sown bugs that take more than a hundred seeds; run with `-m campaign`."""


def test_what_must_hold_holds_in_every_run_and_every_kind_of_fault_strikes() -> None:
    tally = campaign(range(SEEDS))
    assert tally.violations == [], "\n".join(tally.lines())
    assert tally.never == []


def _worlds_of(kind: str) -> Tally:
    """So many worlds of a kind, and of whatever others they are too."""
    seeds = [seed for seed in range(20 * OF_A_KIND) if kind in faults_of(seed).worlds]
    return campaign(seeds[:OF_A_KIND])


def test_tenants_that_share_a_lane_have_their_turns() -> None:
    tally = _worlds_of("loads")
    assert [v for _, v in tally.violations if v.invariant == "turns"] == []
    assert tally.proofs["tenants_waited"] > OF_A_KIND


def test_lanes_lie_evenly_among_the_replicas_that_live() -> None:
    tally = _worlds_of("peers")
    assert [v for _, v in tally.violations if v.invariant in ("sharing", "one owner", "fence")] == []
    assert tally.proofs["lanes_moved"] > OF_A_KIND


def test_what_contradicts_an_end_is_told_once_and_changes_none() -> None:
    tally = _worlds_of("afterwards")
    assert [v for _, v in tally.violations if v.invariant in ("contradictions", "transitions")] == []
    assert tally.proofs["contradictions_told"] > OF_A_KIND


def test_all_ends_or_waits_for_a_person_also_where_something_never_comes_back() -> None:
    tally = _worlds_of("goers")
    assert [v for _, v in tally.violations if v.invariant in ("ends", "evidence", "letters")] == []
    assert tally.proofs["away_for_ever"]


def test_nothing_is_sent_after_its_time_and_what_was_never_begun_expires() -> None:
    tally = _worlds_of("log_away")
    assert [v for _, v in tally.violations if v.invariant == "expiry"] == []
    assert tally.proofs["expired_unsent"]


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
