"""One lane under one term: its owner claims what is due, within the lane's limits."""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Sequence

from hub.errors import LaneLost
from hub.jobs.spec import Limits
from hub.lanes.breaker import Breaker
from hub.lanes.dispatch import Dispatch, Tools
from hub.lanes.gate import Gate
from hub.lanes.ports import Grant, LaneStore, Orphan
from hub.lanes.store_time import StoreTime
from hub.lanes.turns import Turns, turn_of

POLL_SECONDS = 1.0
HELD_SECONDS = 0.25
LINGER_SECONDS = 0.008
BATCH = 64
THROTTLE_SLACK_SECONDS = 1.0
SHORTEST_TERM_SECONDS = 1.0

_log = logging.getLogger(__name__)


class Lane:
    """The duty of a lane's owner, as long as its term lasts.

    `hint` wakes the loop that runs it; `gone` is told that the lane needs a new term.
    """

    def __init__(self, lane: str, *, grant: Grant, limits: Limits, store: LaneStore, tools: Tools) -> None:
        self.name = f"lane {lane}"
        self.lane = lane
        self.term = grant.term
        self.hint: Callable[[], None] = lambda: None
        self.gone: Callable[[], None] = lambda: None
        self._began = tools.clock.monotonic()
        self.failed = False
        self._store = store
        self._tools = tools
        self._orders = grant.orders
        self._is_paused = grant.is_paused
        throttled_until = tools.clock.monotonic() + grant.throttled_seconds
        self._gate = Gate(
            limits.of_jobs(),
            granted_breaker(grant, tools.clock.monotonic()),
            throttled_until=throttled_until,
        )
        self._written = self._gate.breaker
        self._written_throttle = throttled_until
        self._time = StoreTime(tools.clock, grant.at)
        self._dispatch = Dispatch(
            lane, term=grant.term, tools=tools, gate=self._gate, time=self._time, done=self._one_done
        )
        self._turns = Turns()
        self._adopted = False
        self._waits = False
        self._work: set[asyncio.Task[None]] = set()

    async def run_once(self) -> float | None:
        """Claims what is due and free; seconds until it should look again, None until hinted."""
        try:
            return await self._claim()
        except Exception:
            # A claim may have been committed unseen: only a new term finds out, since it adopts.
            self._fail()
            raise

    async def _claim(self) -> float | None:
        if not self._adopted:
            await self._adopt()
        await self._write_down()
        now = self._tools.clock.monotonic()
        if (limits := self._tools.spokes.limits(self.lane)) is not None:
            self._gate.follow(limits.of_jobs(), now)
        free = min(self._gate.admits(now), BATCH)
        self._waits = free <= 0
        if self._waits:
            return self._until_admitted()
        # What is claimed while nothing can be sent would all go at once afterwards, past the rate.
        if self._dispatch.is_stalled or not self._tools.spokes.is_ready(self.lane.split("/", 1)[0]):
            return POLL_SECONDS
        if self._gate.in_flight:
            # Busy: what arrives within a few milliseconds shares the commit. Idle: nothing waits.
            await asyncio.sleep(LINGER_SECONDS)
        batch = await self._store.claim(
            self.lane,
            self.term,
            free,
            self._tools.notary.intents,
            served=self._turns.order(),
            trial=self._gate.tries,
        )
        self._turns.served(turn_of(orphan.claimed) for orphan in batch)
        if not batch:
            return await self._until_due()
        self._start(batch, self._dispatch.perform, fresh=True)
        return 0 if len(batch) == free else POLL_SECONDS

    def adjust(self, grant: Grant) -> None:
        """Follows the store's clock, and an operator who moves the breaker or lets the lane work again."""
        self._time.tell(grant.at)
        was_paused, self._is_paused = self._is_paused, grant.is_paused
        if was_paused and not self._is_paused:
            self.hint()
        if grant.orders > self._orders:
            self._orders = grant.orders
            self._written = granted_breaker(grant, self._tools.clock.monotonic())
            self._written_throttle = self._tools.clock.monotonic() + grant.throttled_seconds
            self._gate.release(self._written, self._written_throttle)
            self.hint()

    async def drain(self) -> None:
        """Claims nothing more, waits for the attempts under way, and writes down what they have taught."""
        self._gate.close()
        while self._work:
            await asyncio.wait(self._work)
        await self._write_down()

    def abandon(self) -> None:
        """Drops everything at once: the lane has a newer owner, who takes it over."""
        self._gate.close()
        for task in self._work:
            task.cancel()

    async def _write_down(self) -> None:
        await self._write_breaker()
        await self._write_throttle()

    async def _write_breaker(self) -> None:
        breaker = self._gate.breaker
        if (breaker.state, breaker.trips) == (self._written.state, self._written.trips):
            return
        seconds = breaker.open_until - self._tools.clock.monotonic()
        await self._store.save_breaker(self.lane, self.term, breaker, orders=self._orders, seconds=seconds)
        _log.warning("breaker moved", extra={"lane": self.lane, "breaker": breaker.state.name})
        self._written = breaker

    async def _write_throttle(self) -> None:
        if self._gate.throttled_until <= self._written_throttle:
            return
        # A little more than was asked for: what went together comes back together, and is one write.
        until = self._gate.throttled_until + THROTTLE_SLACK_SECONDS
        seconds = until - self._tools.clock.monotonic()
        await self._store.save_throttle(self.lane, self.term, seconds, orders=self._orders)
        self._written_throttle = until

    async def _adopt(self) -> None:
        orphans = await self._store.adopt(self.lane, self.term)
        self._adopted = True
        if orphans:
            _log.info("adopted attempts", extra={"lane": self.lane, "count": len(orphans)})
            for first in range(0, len(orphans), BATCH):
                self._start(orphans[first : first + BATCH], self._dispatch.recover, fresh=False)

    def _until_admitted(self) -> float | None:
        if self._gate.is_full:
            return None
        seconds = self._gate.seconds(self._tools.clock.monotonic())
        return POLL_SECONDS if seconds is None else min(POLL_SECONDS, seconds)

    async def _until_due(self) -> float:
        due = await self._store.next_due(self.lane)
        if due is None:
            return POLL_SECONDS
        # What is due and could not be claimed is held or over: looking again at once changes nothing.
        # While an operator holds the lane only their word changes that, and it comes as a hint.
        return min(POLL_SECONDS, due) if due > 0 else POLL_SECONDS if self._is_paused else HELD_SECONDS

    def _start(
        self,
        batch: Sequence[Orphan],
        work: Callable[[Sequence[Orphan]], Coroutine[None, None, None]],
        *,
        fresh: bool,
    ) -> None:
        self._gate.begun(len(batch), self._tools.clock.monotonic(), fresh=fresh)
        task = asyncio.get_running_loop().create_task(self._guarded(batch, work))
        self._work.add(task)
        task.add_done_callback(self._work.discard)

    async def _guarded(
        self,
        batch: Sequence[Orphan],
        work: Callable[[Sequence[Orphan]], Coroutine[None, None, None]],
    ) -> None:
        try:
            await work(batch)
        except LaneLost as lost:
            _log.warning("lane lost", extra={"lane": self.lane, "term": self.term, "problem": str(lost)})
            self._fail()
        except Exception:  # noqa: BLE001 - see below
            # Whatever broke, the attempts are in the store: a new term adopts and resolves them.
            _log.exception("lane failed", extra={"lane": self.lane, "term": self.term})
            self._fail()

    def _fail(self) -> None:
        if not self.failed and self._tools.clock.monotonic() >= self._began + SHORTEST_TERM_SECONDS:
            # What fails again and again waits for its turn.
            self.gone()
        self.failed = True
        self.abandon()

    def _one_done(self) -> None:
        self._gate.ended()
        moved = self._gate.breaker.state is not self._written.state
        if self._waits or moved or self._gate.throttled_until > self._written_throttle:
            self.hint()


def granted_breaker(grant: Grant, now: float) -> Breaker:
    """How the breaker of a lane stands that is granted now."""
    return Breaker(
        grant.breaker_state,
        now + grant.open_seconds,
        grant.breaker_reason,
        grant.breaker_trips,
        by_writes=grant.breaker_by_writes,
    )
