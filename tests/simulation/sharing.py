"""Whether the lanes lie evenly among the hubs that live."""

from collections import Counter
from collections.abc import Iterator

from tests.simulation.world import World


def violations(world: World) -> Iterator[tuple[str, str, str]]:
    """Lanes that nobody who lives has, and hubs that have two more than another."""
    living = {hub.name: hub.lanes for hub in world.hubs if hub.lanes}
    now, has = world.now(), Counter(dict.fromkeys(living, 0))
    for lane in sorted({lane for lanes in living.values() for lane in lanes}):
        row = world.store.lanes.get(lane)
        owner = row.owner if row and row.lease_until >= now else ""
        if owner not in living:
            yield "sharing", lane, f"nobody who lives has it, but {owner or 'nobody'}"
        else:
            has[owner] += 1
    if has and max(has.values()) - min(has.values()) > 1:
        yield "sharing", "hubs", " ".join(f"{name}={n}" for name, n in sorted(has.items()))
