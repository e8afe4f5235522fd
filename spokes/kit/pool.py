"""The processes that run a provider's code. The only file that knows Ray, and only when it is used."""

import asyncio
import logging
import os
import secrets
import subprocess
import sys
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from mesh.clock import Clock
from spokes.kit.accounts import is_loopback
from spokes.kit.coalesce import Courier, Desk, Item
from spokes.kit.envelope import deadline_of
from spokes.kit.errors import ActorLost, PoolOverloaded
from spokes.kit.inline import InlinePool, Pool, Recipe
from spokes.kit.manifest import PoolSpec
from spokes.kit.sizing import Load, RestartBudget, desired_size, is_idle

ACTOR_CPUS: Final = 0.1
RESTARTS: Final = 5
RESTART_WINDOW_SECONDS: Final = 60.0
START_SECONDS: Final = 60.0
CLOSE_SECONDS: Final = 3.0
TICK_SECONDS: Final = 0.25
# Beyond its deadline an attempt gets this long; then its actor is stuck, and is replaced.
STUCK_SECONDS: Final = 5.0
QUEUE_FACTOR: Final = 16
LOCAL_OBJECT_STORE_BYTES: Final = 80 << 20

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class OwnRay:
    """A Ray for this process alone, on loopback. It ends when the process does, however that ends.

    It has a process of its own, because Ray forks, and a fork of a process with gRPC's threads in it
    sometimes never comes to its end.
    """

    address: str
    process: subprocess.Popen[str]

    @classmethod
    def start(cls, *, cpus: int) -> "OwnRay":
        """Returns when it answers; raises ActorLost if it does not."""
        # The token is handed on by the environment, to the Ray and to whoever connects to it.
        os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))
        os.environ["RAY_AUTH_MODE"] = "token"
        _prepare_environment(loopback=True)
        process = subprocess.Popen(
            [sys.executable, "-m", "spokes.kit.pool", str(cpus)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        if not address:
            raise ActorLost("Ray did not start")
        return cls(address, process)

    def stop(self) -> None:
        """Ends it."""
        self.process.communicate()


def _prepare_environment(*, loopback: bool) -> None:
    # Under `uv run` Ray would pack the whole folder as a runtime environment.
    os.environ["RAY_ENABLE_UV_RUN_RUNTIME_ENV"] = "0"
    if loopback:
        # Ray takes loopback for the machine's outer address, unless it thinks that it is a laptop's.
        os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"


def _run_own_ray(cpus: int) -> None:
    """What `OwnRay` runs: says its address, and lasts until its input ends."""
    import ray

    ray.init(
        num_cpus=cpus,
        include_dashboard=False,
        object_store_memory=LOCAL_OBJECT_STORE_BYTES,
        log_to_driver=False,
        _node_ip_address="127.0.0.1",
    )
    sys.stdout.write(f"{ray.get_runtime_context().gcs_address}\n")
    sys.stdout.flush()
    sys.stdin.read()
    ray.shutdown()


class SpokeActor:
    """What runs in an actor's process."""

    def __init__(self, recipe: Recipe) -> None:
        self._worker = recipe.make()
        self._desk = Desk(self._worker.run)

    async def exchange(self, items: Sequence[Item]) -> Sequence[Item]:
        """Takes questions, brings answers."""
        return await self._desk.exchange(items)

    async def ping(self) -> int:
        """Answers with the process id."""
        return os.getpid()

    async def close(self) -> None:
        """Closes the connections and sends the last spans."""
        await self._worker.close()


@dataclass(slots=True)
class _Member:
    handle: Any
    courier: Courier
    pid: int


class RayPool:
    """Ray async actors in a namespace of the spoke's own. They die with this process.

    Ray neither restarts an actor nor repeats a call (both 0): a restart behind our back would lose
    what the actor had and look alive. The pool replaces lost actors itself, within a budget.
    """

    def __init__(self, recipe: Recipe, spec: PoolSpec, *, address: str, clock: Clock) -> None:
        self._recipe = recipe
        self._spec = spec
        self._address = address
        self._clock = clock
        self._members: list[_Member] = []
        self._queue: deque[tuple[asyncio.Future[bytes], bytes, float]] = deque()
        self._budget = RestartBudget(RESTARTS, RESTART_WINDOW_SECONDS)
        self._size = spec.least
        self._idle_since = clock.monotonic()
        self._ticking: asyncio.Task[None] | None = None
        self._ray: Any = None
        self._own: OwnRay | None = None

    async def start(self) -> None:
        """Connects to Ray, or starts one here; returns when the least number of actors answers."""
        await asyncio.to_thread(self._connect)
        await asyncio.gather(*(self._add() for _ in range(self._spec.least)))
        self._ticking = asyncio.create_task(self._tick_forever())

    async def run(self, question: bytes) -> bytes:
        """Answers one envelope, on the least busy actor; waits where all have enough."""
        member = self._least_busy()
        if member is not None and not self._queue:
            return await member.courier.ask(question)
        hopeless = not self._members and self._budget.is_spent(self._clock.monotonic())
        if hopeless or len(self._queue) >= QUEUE_FACTOR * self._spec.concurrency:
            raise PoolOverloaded("no actor has room")
        answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._queue.append((answer, question, self._clock.monotonic()))
        return await answer

    def actor_pids(self) -> list[int]:
        """The process ids of the actors."""
        return [member.pid for member in self._members]

    async def close(self) -> None:
        """Ends the actors and leaves Ray."""
        if self._ticking is not None:
            self._ticking.cancel()
        with suppress(TimeoutError, self._ray.exceptions.RayError):
            async with asyncio.timeout(CLOSE_SECONDS):
                await asyncio.gather(*(member.handle.close.remote() for member in self._members))
        for member in list(self._members):
            self._remove(member)
        await asyncio.to_thread(self._ray.shutdown)
        if self._own is not None:
            await asyncio.to_thread(self._own.stop)

    def _connect(self) -> None:
        if not self._address:
            self._own = OwnRay.start(cpus=self._spec.most)
        address = self._own.address if self._own else self._address
        _prepare_environment(loopback=is_loopback(address.rpartition(":")[0]))
        import ray  # here, because a spoke with the inline pool needs no Ray

        self._ray = ray
        ray.init(
            address=address,
            namespace=f"spoke-{self._recipe.spoke}",
            log_to_driver=False,
            configure_logging=False,
        )

    async def _add(self) -> None:
        actor = self._ray.remote(
            num_cpus=ACTOR_CPUS,
            max_concurrency=4,
            max_restarts=0,
            max_task_retries=0,
            concurrency_groups={"health": 1},
        )(SpokeActor)
        handle = await asyncio.to_thread(actor.remote, self._recipe)
        try:
            async with asyncio.timeout(START_SECONDS):
                pid = await handle.ping.options(concurrency_group="health").remote()
        except (TimeoutError, self._ray.exceptions.RayError) as error:
            self._ray.kill(handle)
            raise ActorLost("an actor did not start") from error
        self._members.append(_Member(handle, Courier(self._exchange_of(handle), freed=self._pump), pid))
        _log.info("actor started", extra={"spoke": self._recipe.spoke, "actor_pid": pid})
        self._pump()

    def _exchange_of(self, handle: Any) -> Any:
        async def exchange(items: Sequence[Item]) -> Sequence[Item]:
            try:
                return await handle.exchange.remote(items)  # type: ignore[no-any-return]
            except self._ray.exceptions.RayError as error:
                raise ActorLost("the call to the actor failed") from error

        return exchange

    def _least_busy(self) -> _Member | None:
        open_ones = [
            m for m in self._members if not m.courier.is_lost and m.courier.in_flight < self._spec.concurrency
        ]
        return min(open_ones, key=lambda m: m.courier.in_flight, default=None)

    def _pump(self) -> None:
        while self._queue and (member := self._least_busy()) is not None:
            answer, question, _ = self._queue.popleft()
            if not answer.done():
                member.courier.ask(question).add_done_callback(partial(_hand_over, answer))

    async def _tick_forever(self) -> None:
        while True:
            await asyncio.sleep(TICK_SECONDS)
            try:
                await self._tick()
            except ActorLost:
                _log.warning("actor did not start", extra={"spoke": self._recipe.spoke})

    async def _tick(self) -> None:
        """Removes lost and stuck actors, and brings the pool to its size."""
        late = self._clock.now().timestamp() - STUCK_SECONDS
        for member in list(self._members):
            if member.courier.is_lost or member.courier.is_overdue(late):
                _log.warning("actor lost", extra={"spoke": self._recipe.spoke, "actor_pid": member.pid})
                self._remove(member)
        self._drop_late()
        self._resize()
        if len(self._members) < self._size and self._budget.take(self._clock.monotonic()):
            await self._add()
        elif len(self._members) > self._size:
            self._retire()

    def _drop_late(self) -> None:
        """What no actor has taken in time was certainly not done."""
        now = self._clock.now().timestamp()
        while self._queue and deadline_of(self._queue[0][1]) < now:
            answer, _, _ = self._queue.popleft()
            if not answer.done():
                answer.set_exception(PoolOverloaded("no actor had room in time"))

    def _resize(self) -> None:
        now = self._clock.monotonic()
        load = Load(
            size=max(len(self._members), 1),
            in_flight=sum(m.courier.in_flight for m in self._members),
            queued=len(self._queue),
            oldest_wait=now - self._queue[0][2] if self._queue else 0.0,
            idle_seconds=now - self._idle_since,
        )
        if not is_idle(load, self._spec):
            self._idle_since = now
        self._size = desired_size(load, self._spec)

    def _retire(self) -> None:
        idle = next((m for m in self._members if m.courier.in_flight == 0), None)
        if idle is not None:
            self._remove(idle)
            self._idle_since = self._clock.monotonic()

    def _remove(self, member: _Member) -> None:
        self._members.remove(member)
        member.courier.lose()
        self._ray.kill(member.handle)


def _hand_over(answer: asyncio.Future[bytes], asked: asyncio.Future[bytes]) -> None:
    if answer.done():
        return
    error = asked.exception()
    if error is not None:
        answer.set_exception(error)
    else:
        answer.set_result(asked.result())


def make_pool(backend: str, recipe: Recipe, spec: PoolSpec, *, address: str, clock: Clock) -> Pool:
    """The pool of a back end: `inline`, `local` or `cluster`."""
    if backend == "inline":
        return InlinePool(recipe)
    return RayPool(recipe, spec, address=address, clock=clock)


if __name__ == "__main__":
    _run_own_ray(int(sys.argv[1]))
