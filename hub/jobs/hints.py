"""Hints between replicas, over the database: coalesced, and never the truth, which every loop reads."""

import asyncio
import json
from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from hub.clock import Clock
from hub.database.engine import single

CHANNEL = "hub_hint"
GATHER_SECONDS = 0.01
PRESENT_SECONDS = 5.0
MOST_IN_ONE = 150  # ids: a notification holds less than 8,000 bytes

_NOTIFY = text("SELECT pg_notify(:channel, :payload)")


class Hints:
    """What this replica tells the others, and hears from them. Alone, it tells only that it is there."""

    def __init__(
        self,
        engine: AsyncEngine,
        *,
        replica: str,
        clock: Clock,
        lane: Callable[[str], None],
        job: Callable[[str], None],
    ) -> None:
        self._engine = engine
        self._single = single(engine)
        self._replica = replica
        self._clock = clock
        self._on_lane = lane
        self._on_job = job
        self._heard_at = float("-inf")
        self._lanes: set[str] = set()
        self._jobs: set[str] = set()
        self.wake: Callable[[], None] = lambda: None

    def tell_lane(self, lane: str) -> None:
        """A job of the lane may be due."""
        if self._has_company:
            self._lanes.add(lane)
            self.wake()

    def tell_job(self, job_id: str) -> None:
        """A job has changed."""
        if self._has_company:
            self._jobs.add(job_id)
            self.wake()

    async def tell(self) -> float:
        """Tells what has gathered; seconds until it should be told again that this replica is there."""
        if not self._lanes and not self._jobs:
            await self._notify([], [])
            return PRESENT_SECONDS
        await asyncio.sleep(GATHER_SECONDS)
        lanes, jobs = sorted(self._lanes), sorted(self._jobs)
        self._lanes.clear()
        self._jobs.clear()
        for start in range(0, max(len(jobs), 1), MOST_IN_ONE):
            await self._notify(lanes if start == 0 else [], jobs[start : start + MOST_IN_ONE])
        return PRESENT_SECONDS

    async def hear(self) -> None:
        """Hears the others until the connection ends."""
        ended = asyncio.Event()
        async with self._engine.connect() as connection:
            raw: Any = (await connection.get_raw_connection()).driver_connection
            raw.add_termination_listener(lambda _: ended.set())
            await raw.add_listener(CHANNEL, self._heard)
            try:
                await ended.wait()
            finally:
                await connection.invalidate()

    @property
    def _has_company(self) -> bool:
        return self._clock.monotonic() - self._heard_at < 3 * PRESENT_SECONDS

    async def _notify(self, lanes: Sequence[str], jobs: Sequence[str]) -> None:
        payload = json.dumps([self._replica, lanes, jobs])
        async with self._single.connect() as connection:
            await connection.execute(_NOTIFY, {"channel": CHANNEL, "payload": payload})

    def _heard(self, _connection: object, _pid: int, _channel: str, payload: str) -> None:
        replica, lanes, jobs = json.loads(payload)
        if replica == self._replica:
            return
        self._heard_at = self._clock.monotonic()
        for lane in lanes:
            self._on_lane(lane)
        for job_id in jobs:
            self._on_job(job_id)


class TellHints:
    """The duty that tells."""

    name = "tell hints"

    def __init__(self, hints: Hints) -> None:
        self._hints = hints

    async def run_once(self) -> float | None:
        """Tells once."""
        return await self._hints.tell()


class HearHints:
    """The duty that hears; a connection that ends is made anew."""

    name = "hear hints"

    def __init__(self, hints: Hints) -> None:
        self._hints = hints

    async def run_once(self) -> float | None:
        """Hears until the connection ends."""
        await self._hints.hear()
        return 0.5
