"""Runs of a campaign on one stack: strike, mend, and after each block compare all that is known."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from tests.faults import trace
from tests.faults.checker import Found, Violation, check, check_alerts
from tests.faults.client import DOOMED, Client, methods
from tests.faults.gather import forget, gather
from tests.faults.oncall import give_up, told
from tests.faults.plan import Shot, Strike
from tests.faults.rig import SANDBOXES, Rig, part_of
from tests.faults.trace import Kill, Pass

BLOCK = 25
JOBS = 3
HIT_SECONDS = 15.0
TRIES = 3
SETTLE_SECONDS = 180.0
HELD_SECONDS = 0.3

Say = Callable[[str], None]


@dataclass(slots=True)
class Tally:
    """What a campaign has come to so far.

    `doomed`: the requests that are never done. `alerts`: those of dead letters that Alertmanager has shown,
    each by its key and its beginning.
    """

    runs: int = 0
    jobs: int = 0
    effects: int = 0
    hits: Counter[tuple[str, str]] = field(default_factory=Counter)
    missed: list[str] = field(default_factory=list)
    victims: Counter[str] = field(default_factory=Counter)
    windows: Counter[str] = field(default_factory=Counter)
    states: Counter[str] = field(default_factory=Counter)
    doomed: int = 0
    letters: int = 0
    alerts: set[tuple[str, str]] = field(default_factory=set)
    violations: list[Violation] = field(default_factory=list)


class Campaign:
    """One campaign on a rig that runs. `seed` is part of every request's key."""

    def __init__(self, rig: Rig, seed: int, *, say: Say) -> None:
        self._rig = rig
        self._seed = seed
        self._say = say
        self._client = Client(rig.place)
        self._kills: list[Kill] = []
        self._tries = 0
        self.tally = Tally()

    @property
    def refusals(self) -> Counter[str]:
        """What the client was answered other than a job, by status."""
        return self._client.refusals

    async def close(self) -> None:
        """Hangs up."""
        await self._client.close()

    async def enumerated(self, strikes: Sequence[Strike]) -> Tally:
        """Each strike once, checked block by block."""
        for start in range(0, len(strikes), BLOCK):
            for strike in strikes[start : start + BLOCK]:
                await self._strike(strike)
            await self._check_block()
        return self.tally

    async def random(self, shots: Sequence[Shot]) -> Tally:
        """Each shot once, checked block by block."""
        life = await self._measured_life()
        for start in range(0, len(shots), BLOCK):
            for shot in shots[start : start + BLOCK]:
                await self._shoot(shot, HELD_SECONDS if shot.held else life)
            await self._check_block()
        return self.tally

    async def _strike(self, strike: Strike) -> None:
        """Tries until the point is passed in this peer's way, and not by what an earlier run left behind."""
        for _ in range(TRIES):
            hit = await self._struck(strike)
            if hit is None:
                break
            jobs = {i.partition(".")[0] for i in hit.ids}
            of_others = {self._client.providers().get(j, strike.peer) for j in jobs} - {strike.peer}
            if not of_others:
                self.tally.hits[strike.point, strike.peer] += 1
                break
            await self._rig.settled(seconds=SETTLE_SECONDS)
        else:
            hit = None
        if hit is None:
            self.tally.missed.append(f"run {strike.number}: {strike.point} by {strike.peer} was not hit")
        self.tally.runs += 1

    async def _struck(self, strike: Strike) -> Pass | None:
        rig, point, peer = self._rig, strike.point, strike.peer
        rig.arm(point, peer, after=strike.after)
        async with self._traffic(f"run{strike.number}", peer, methods(peer, point, JOBS)):
            if not await rig.struck(point, peer, seconds=HIT_SECONDS):
                return None
            if (part := part_of(point, peer)) is not None:
                await rig.ended(part)
                await rig.mend()
        hit = next(one for one in reversed(rig.passes()) if one.name == point and one.action)
        served = peer if part is None or part.startswith("spoke") else ""
        self._kills.append(Kill(hit.at, part or f"actor-{peer}", served))
        self.tally.victims[part or "actor"] += 1
        return hit

    async def _shoot(self, shot: Shot, life: float) -> None:
        rig, sandbox = self._rig, SANDBOXES[shot.peer]
        if shot.held:
            rig.pause(sandbox)
        try:
            async with self._traffic(f"run{shot.number}", shot.peer, methods(shot.peer, "", shot.jobs)):
                await asyncio.sleep(shot.moment * life)
                self._kill(shot)
                if shot.held:
                    rig.resume(sandbox)
                await rig.mend()
        finally:
            if shot.held:
                rig.resume(sandbox)
        self.tally.runs += 1

    def _kill(self, shot: Shot) -> None:
        kind, _, peer = shot.victim.partition("-")
        at = self._rig.now()
        if kind == "actor":
            self._rig.kill_actors(peer)
        else:
            self._rig.kill(shot.victim)
        self._kills.append(Kill(at, shot.victim, peer))
        self.tally.victims[kind] += 1

    @asynccontextmanager
    async def _traffic(self, run: str, peer: str, requests: Sequence[str]) -> AsyncIterator[None]:
        """Some requests at once, whose keys name the run; when it ends, all have been accepted."""
        self._tries += 1
        self.tally.doomed += sum(method in DOOMED for method in requests)
        key = f"faults-{self._seed}-{run}-{self._tries}"
        async with asyncio.TaskGroup() as group:
            for number, method in enumerate(requests):
                group.create_task(self._client.ask(f"{key}-{number}", peer, method))
            yield

    async def _measured_life(self) -> float:
        """How long a job lives undisturbed, in seconds: the median of some of each peer."""
        for peer in self._rig.peers:
            for _ in range(3):
                async with self._traffic("calm", peer, methods(peer, "", JOBS)):
                    pass
        await self._rig.settled(seconds=SETTLE_SECONDS)
        passes = self._rig.passes()
        began, ended = trace.of_job(passes, "hub.accepting"), trace.of_job(passes, "hub.settled")
        lives = sorted(ended[job] - began[job] for job in ended)
        self._say(f"a job lives {lives[len(lives) // 2]:.3f} s undisturbed")
        return lives[len(lives) // 2]

    async def _check_block(self) -> None:
        rig, tally = self._rig, self.tally
        began = rig.now()
        if not await rig.settled(seconds=SETTLE_SECONDS):
            self._say("the block has not settled in time")
        found = await gather(rig, self._client)
        violations = [*check(found), *await self._give_up(found)]
        tally.jobs += len(found.asked)
        tally.effects += len(found.effects)
        tally.states.update(one.state for one in found.asked)
        tally.windows.update(trace.windows(rig.passes(), self._kills, self._client.providers()))
        tally.violations += violations
        for violation in violations:
            self._say(f"VIOLATION {violation} (asked as {self._client.key_of(violation.subject)})")
        self._say(
            f"{tally.runs} runs, {tally.jobs} jobs, {tally.effects} effects, "
            f"{len(tally.violations)} violations; settled and checked in {rig.now() - began:.1f} s"
        )
        self._client.journal.clear()
        self._kills.clear()
        await forget(rig)

    async def _give_up(self, found: Found) -> list[Violation]:
        """Has the dead given up, so that the next block's must raise their alerts anew: theirs must end."""
        keys = {letter.alert_key for letter in found.letters}
        self.tally.letters = len(found.letters)
        self.tally.alerts |= {(a.key, a.began) for a in found.alerts if a.shown and a.key in keys}
        if not await give_up(self._rig):
            return []
        return check_alerts(*await told(self._rig))
