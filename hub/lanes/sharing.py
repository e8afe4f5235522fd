"""Which replica is each lane's home: evenly spread, and moved as little as that allows."""

from collections.abc import Collection, Mapping
from hashlib import sha256
from itertools import product


def homes(offers: Mapping[str, Collection[str]], owners: Mapping[str, str]) -> dict[str, str]:
    """The home of each lane.

    `offers` says which lanes each living replica can work on, `owners` whose they are. Replicas that ask the
    store at about the same time come to the same answer. No replica has two lanes more than another, except
    of lanes that only some offer. A lane stays with its owner unless that one has more than its share; then
    those go that the owner stands lowest for.
    """
    able = [replica for replica, lanes in offers.items() if lanes]
    lanes = {lane for replica in able for lane in offers[replica]}
    kept = {replica: _kept(replica, offers[replica], owners) for replica in able}
    shares = _shares(len(lanes), kept)
    home = {lane: replica for replica in able for lane in kept[replica][: shares[replica]]}
    load = {replica: min(len(kept[replica]), shares[replica]) for replica in able}
    for lane, replica in sorted(product(lanes - home.keys(), able), key=_rank, reverse=True):
        if lane not in home and load[replica] < shares[replica] and lane in offers[replica]:
            home[lane] = replica
            load[replica] += 1
    for lane in sorted(lanes - home.keys()):
        candidates = [replica for replica in able if lane in offers[replica]]
        owner = owners.get(lane, "")
        home[lane] = owner if owner in candidates else min(candidates, key=lambda r: (load[r], r))
        load[home[lane]] += 1
    return home


def _kept(replica: str, offered: Collection[str], owners: Mapping[str, str]) -> list[str]:
    own = [lane for lane in offered if owners.get(lane) == replica]
    return sorted(own, key=lambda lane: _rank((lane, replica)), reverse=True)


def _shares(lanes: int, kept: Mapping[str, Collection[str]]) -> dict[str, int]:
    """How many lanes each may have; what cannot be divided stays with those that have the most."""
    least, odd = divmod(lanes, len(kept)) if kept else (0, 0)
    order = sorted(kept, key=lambda replica: (-len(kept[replica]), replica))
    return {replica: least + (place < odd) for place, replica in enumerate(order)}


def _rank(pair: tuple[str, str]) -> bytes:
    """Where a replica stands among those that could have a lane; every process draws the same."""
    return sha256("\0".join(pair).encode()).digest()
