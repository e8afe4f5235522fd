"""An actor of a spoke: it talks to the provider, and classifies what comes back."""

import asyncio
from datetime import timedelta

from hub.jobs.model import Claimed, Purpose
from hub.jobs.outcome import NotSent, NotSentCause, Outcome, Unknown, UnknownCause
from hub.jobs.spec import Replay
from tests.simulation.cases import LAG, QUIET, SPECS, TIMEOUT
from tests.simulation.world import World

NO_CONNECTION = NotSent(NotSentCause.PROVIDER_DOWN, "NO_CONNECTION", "")
NO_REPLY = Unknown("NO_REPLY", "", cause=UnknownCause.PROVIDER)
CUT = Unknown("REPLY_CUT", "")
NOT_OFFERED = NotSent(NotSentCause.UNSUPPORTED, "NOT_OFFERED", "")
FAILED = Unknown("PROVIDER_ERROR", "", cause=UnknownCause.PROVIDER)


class Actor:
    """Works on attempts, each in a task of its own. None: the actor has died of it."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def ask(self, claimed: Claimed) -> Outcome | None:
        """What an attempt comes to."""
        if not self._world.spoke.offer.has(claimed.work.operation):
            return NOT_OFFERED
        if claimed.purpose is Purpose.LOOK_UP:
            return await self._look_up(claimed)
        if claimed.purpose is Purpose.CANCEL:
            return await self._cancel(claimed)
        return await self._perform(claimed)

    async def _perform(self, claimed: Claimed) -> Outcome | None:
        world = self._world
        if world.fates[claimed.job_id] == "poison" or world.faults.strikes("actor_lost"):
            await self._die(claimed)
            return None
        await asyncio.sleep(world.latency())
        if (refusal := self._refusal()) is not None:
            return refusal
        world.watch.sent(claimed)
        if world.faults.strikes("request_lost"):
            return await self._time_out()
        if world.faults.strikes("ghost"):
            world.ghosts += 1
            held = self._hold(claimed)
            world.loop.later(held, self._arrive, claimed)
            return await self._time_out()
        if world.faults.strikes("error_500"):
            if world.net.random() < 0.5:
                world.provider.perform(claimed)
            return FAILED
        outcome = world.provider.perform(claimed)
        if world.faults.strikes("reply_cut"):
            return CUT
        if world.faults.strikes("reply_slow"):
            return await self._time_out()
        await asyncio.sleep(world.net.choice((world.latency(), world.net.uniform(0.05, 0.8))))
        return outcome

    def _hold(self, claimed: Claimed) -> float:
        """How long a request is on its way that nobody waits for any more."""
        world, longest = self._world, QUIET.total_seconds() * 0.9
        if SPECS[claimed.work.operation].replay is Replay.NATIVE_KEY and world.net.random() < 0.5:
            # Longer than any wait: only the key can keep it from a second effect.
            world.watch.outlived.add(claimed.job_id)
            return world.net.uniform(longest, 4 * longest)
        return world.net.choice((world.net.uniform(0.5, longest), world.net.uniform(2.5, longest)))

    async def _die(self, claimed: Claimed) -> None:
        world = self._world
        if world.fates[claimed.job_id] == "poison" and not world.faults.healed:
            world.faults.counts["poison"] += 1
        if world.net.random() < 0.5 and not world.provider.is_down:
            world.watch.sent(claimed)
            world.ghosts += 1
            world.loop.later(world.latency(), self._arrive, claimed)
        await asyncio.sleep(world.latency())

    def _refusal(self) -> Outcome | None:
        world = self._world
        if world.provider.is_down:
            return world.net.choice((NO_CONNECTION, FAILED, self._says_down()))
        if world.faults.strikes("connect_refused"):
            return NO_CONNECTION
        if world.faults.strikes("retry_after_503"):
            return self._says_down()
        if world.faults.strikes("throttled"):
            wait = timedelta(seconds=world.net.uniform(0.5, 4.0))
            return NotSent(NotSentCause.THROTTLED, "THROTTLED", "", wait)
        return None

    def _says_down(self) -> NotSent:
        wait = timedelta(seconds=self._world.net.uniform(0.5, 8.0))
        return NotSent(NotSentCause.PROVIDER_DOWN, "PROVIDER_SAYS_DOWN", "", wait)

    def _arrive(self, claimed: Claimed) -> None:
        self._world.ghosts -= 1
        self._world.provider.perform(claimed)

    async def _time_out(self) -> Outcome:
        await asyncio.sleep(TIMEOUT.total_seconds())
        return NO_REPLY

    async def _look_up(self, claimed: Claimed) -> Outcome:
        world = self._world
        await asyncio.sleep(world.latency())
        refusal = self._refusal()
        if refusal is not None:
            return refusal
        outcome = world.provider.look_up(claimed.job_id, world.net.uniform(0, LAG.total_seconds()))
        await asyncio.sleep(world.latency())
        return CUT if world.faults.strikes("reply_cut") else outcome

    async def _cancel(self, claimed: Claimed) -> Outcome:
        world = self._world
        await asyncio.sleep(world.latency())
        refusal = self._refusal()
        if refusal is not None:
            return FAILED if isinstance(refusal, Unknown) else refusal
        world.watch.calls_off(claimed)
        if world.faults.strikes("request_lost"):
            return await self._time_out()
        outcome = world.provider.cancel(claimed.job_id)
        await asyncio.sleep(world.latency())
        return CUT if world.faults.strikes("reply_cut") else outcome
