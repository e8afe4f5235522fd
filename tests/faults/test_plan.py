"""What a campaign does follows from its seed."""

from collections import Counter

from mesh.failpoints import POINTS
from tests.faults.plan import IMPOSSIBLE, shots, strikes
from tests.faults.rig import PEERS


def test_every_possible_pair_is_struck_as_often_as_asked() -> None:
    planned = strikes(1, peers=PEERS, points=tuple(POINTS), repeats=5)
    pairs = {(point, peer) for point in POINTS for peer in PEERS} - set(IMPOSSIBLE)
    assert Counter((s.point, s.peer) for s in planned) == dict.fromkeys(pairs, 5)
    assert len(planned) >= 300


def test_a_seed_plans_the_same_again_and_another_seed_something_else() -> None:
    first, again, other = (strikes(n, peers=PEERS, points=tuple(POINTS), repeats=2) for n in (1, 1, 2))
    assert first == again != other


def test_one_random_run_is_repeated_by_its_seed_and_number() -> None:
    many = list(shots(3, peers=PEERS, first=0, runs=50))
    assert list(shots(3, peers=PEERS, first=31, runs=1)) == [many[31]]
    assert {shot.victim.partition("-")[0] for shot in many} >= {"hub", "actor", "audit"}
