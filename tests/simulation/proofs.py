"""How often a run really came to what its invariants are about; what never comes about proves nothing."""

from collections import Counter

from hub.jobs.model import JobState
from tests.simulation.offering import EVERYTHING
from tests.simulation.world import World

GONE = frozenset({"LANE_ABANDONED", "NOBODY_TO_ASK", "CONFIRMATION_OVERDUE"})

PROOFS = (
    "tenants_waited",
    "expired_unsent",
    "contradictions_told",
    "lanes_moved",
    "away_for_ever",
    "ended_not_offered",
    "parked_for_nobody",
)
"""Turns that a tenant waited for another; jobs that were claimed, never begun, and expired; contradictions;
lanes that another replica took; worlds that something has left for good; letters of jobs whose operation or
account was gone, and of those whose lane had nobody left."""


def proofs(world: World) -> Counter[str]:
    """What has come about in a run."""
    store, letters = world.store, [letter.reason for letter in world.store.letters.values()]
    claimed = [row for row in store.done.values() if row.seq and row.state is JobState.EXPIRED]
    is_less = world.spoke.is_gone or world.spoke.offer != EVERYTHING
    return Counter(
        tenants_waited=world.watch.turns.waits,
        expired_unsent=sum(row.new.job_id not in world.watch.begun_jobs for row in claimed),
        contradictions_told=world.events.tellings.total(),
        lanes_moved=sum(store.lanes[lane].term - 1 for lane in world.idle_lanes if lane in store.lanes),
        away_for_ever=int(is_less),
        ended_not_offered=letters.count("NOT_OFFERED"),
        parked_for_nobody=sum(reason in GONE for reason in letters) if is_less else 0,
    )
