"""What planned faults do to a world, and how it heals."""

from tests.simulation.cases import SPECS
from tests.simulation.hub import SimulatedHub
from tests.simulation.offering import EVERYTHING, Offer
from tests.simulation.world import World


def heal(world: World) -> None:
    """Nothing new goes wrong, and what was broken works again, but for what is away for ever."""
    world.note("healed")
    world.faults.healed = True
    world.provider.down_until = world.log.down_until = 0.0
    if not world.is_forever:
        world.spoke.release(EVERYTHING)
        world.spoke.is_gone = False
    world.spoke.start()
    for hub in world.hubs:
        hub.resume()
        if world.spoke.is_gone:
            # Who takes a spoke away for good rolls the hubs out without it.
            hub.crash()
        hub.start()
        hub.store.down_until = 0.0


def strike(world: World, kind: str) -> None:
    """Something breaks, for a while or for ever."""
    world.note(kind)
    seconds = world.net.uniform(0.5, 4.0)
    hub = world.net.choice([hub for hub in world.hubs if hub.has_started and not hub.is_gone])
    if kind in ("operation_gone", "account_gone", "spoke_gone"):
        _go(world, kind, seconds)
    elif kind.startswith("hub_"):
        _strike_hub(world, hub, kind, seconds)
    else:
        _strike_part(world, hub, kind, world.loop.time() + seconds)
    world.faults.counts[kind] += 1


def _strike_hub(world: World, hub: SimulatedHub, kind: str, seconds: float) -> None:
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
        case "hub_joins":
            world.hubs[-1].start()
        case "hub_gone":
            hub.crash()
            hub.is_gone = True


def _strike_part(world: World, hub: SimulatedHub, kind: str, until: float) -> None:
    match kind:
        case "spoke_crash":
            world.spoke.crash()
            back = world.net.choice((world.loop.time() + 0.01, until))
            world.loop.later(back - world.loop.time(), world.spoke.start)
        case "provider_down":
            world.provider.down_until = until
        case "log_down":
            world.log.down_until = max(world.log.down_until, until)
        case "log_away":
            world.log.down_until = until + world.net.uniform(4.0, 8.0)
        case "store_down":
            hub.store.down_until = until


def _go(world: World, kind: str, seconds: float) -> None:
    spoke, offer = world.spoke, world.spoke.offer
    if kind == "spoke_gone":
        spoke.is_gone = True
        spoke.crash()
        if not world.is_forever:
            world.loop.later(seconds, _come_back, world, EVERYTHING)
        return
    if kind == "operation_gone":
        less = Offer(offer.operations - {world.net.choice(sorted(SPECS))}, offer.has_account)
    else:
        less = Offer(offer.operations, has_account=False)
    spoke.release(less)
    if not world.is_forever:
        world.loop.later(seconds, _come_back, world, EVERYTHING)


def _come_back(world: World, offer: Offer) -> None:
    world.spoke.is_gone = False
    world.spoke.release(offer)
    world.spoke.start()
