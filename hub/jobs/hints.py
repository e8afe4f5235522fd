"""Hints between replicas, over the database: coalesced, and never the truth, which every loop reads."""

import asyncio
import json
from collections.abc import Callable, Collection, Iterable
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from hub.clock import Clock
from hub.database.engine import single

CHANNEL = "hub_hint"
GATHER_SECONDS = 0.01
PRESENT_SECONDS = 5.0
MOST_BYTES = 7_900  # a notification holds less than 8,000

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
        if self._lanes or self._jobs:
            await asyncio.sleep(GATHER_SECONDS)
        lanes, jobs = self._lanes, self._jobs
        self._lanes, self._jobs = set(), set()
        try:
            await self._notify(payloads(self._replica, lanes, jobs))
        except BaseException:
            # To tell something twice is harmless.
            self._lanes |= lanes
            self._jobs |= jobs
            raise
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

    async def _notify(self, told: Iterable[str]) -> None:
        async with self._single.connect() as connection:
            for payload in told:
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


def payloads(replica: str, lanes: Collection[str], jobs: Collection[str]) -> list[str]:
    """What the others are told of these, in as few notifications as hold it; one that says nothing else says
    that the replica is there."""
    told: list[str] = []
    some_lanes: list[str] = []
    some_jobs: list[str] = []
    size = empty = len(json.dumps([replica, [], []]))
    for kind, word in [*((0, lane) for lane in sorted(lanes)), *((1, job_id) for job_id in sorted(jobs))]:
        added = len(json.dumps(word)) + 2
        if size + added > MOST_BYTES:
            told.append(json.dumps([replica, some_lanes, some_jobs]))
            some_lanes, some_jobs, size = [], [], empty
        (some_jobs if kind else some_lanes).append(word)
        size += added
    return [*told, json.dumps([replica, some_lanes, some_jobs])]


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
