"""An event loop in virtual time: nothing waits, the order of what is ready is drawn from a seed."""

import asyncio
import contextvars
import heapq
import itertools
import random
from collections.abc import Callable, Coroutine, Generator
from typing import Any, TypeVar, cast

T = TypeVar("T")
MOST_TURNS = 200_000
TURN_SECONDS = 1e-6


class Machine:
    """A process. Its callbacks run; they wait while it is paused; they are gone once it is dead."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.runs = True
        self.dead = False
        self.held: list[asyncio.Handle] = []
        self.context = contextvars.copy_context()
        self.context.run(MACHINE.set, self)

    def kill(self) -> None:
        """Nothing of it runs any more: no handler, no `finally`."""
        self.runs, self.dead = False, True

    def pause(self) -> None:
        """Holds everything back."""
        self.runs = False


MACHINE: contextvars.ContextVar[Machine | None] = contextvars.ContextVar("machine", default=None)
NOBODY = contextvars.Context()
"""The context of what belongs to no machine: the network, the provider, the database."""


class Deadlock(Exception):
    """Nothing is ready and no timer is set."""


class Livelock(Exception):
    """So much has happened that the run cannot be on its way to an end."""


class NumberedTask(asyncio.Task[T]):
    """A task whose hash is its number, so that the order of a set of tasks is the same in every run."""

    def __init__(
        self,
        coroutine: Generator[Any, None, T] | Coroutine[Any, Any, T],
        *,
        number: int,
        loop: asyncio.AbstractEventLoop,
        context: contextvars.Context | None = None,
    ) -> None:
        self.number = number
        self.machine = MACHINE.get() if context is None else context.get(MACHINE)
        super().__init__(coroutine, loop=loop, context=context)

    def __hash__(self) -> int:
        return self.number


class VirtualLoop(asyncio.BaseEventLoop):
    """Jumps to the next timer whenever nothing is ready. `chance` None: first come, first served."""

    # What `asyncio.BaseEventLoop` keeps, as far as this loop replaces how it runs.
    _ready: Any
    _scheduled: Any
    _stopping: bool

    def __init__(self, chance: random.Random | None) -> None:
        super().__init__()
        self._now = 0.0
        self._chance = chance
        self._numbers = itertools.count()
        self._timers = itertools.count()
        self.tasks: list[NumberedTask[Any]] = []
        self.mishaps: list[str] = []
        self._turns = 0
        self.set_task_factory(self._numbered)
        self.set_exception_handler(self._note_mishap)

    def time(self) -> float:
        """Virtual seconds since the loop was made."""
        return self._now

    def call_at(
        self,
        when: float,
        callback: Callable[..., object],
        *args: Any,
        context: contextvars.Context | None = None,
    ) -> asyncio.TimerHandle:
        """Sets a timer; of those for the same moment the first comes first."""
        timer: Any = asyncio.TimerHandle(when, callback, args, self, context)
        heapq.heappush(self._scheduled, (when, next(self._timers), timer))
        timer._scheduled = True
        return cast(asyncio.TimerHandle, timer)

    def later(self, seconds: float, callback: Callable[..., object], *args: object) -> None:
        """Calls back on behalf of no machine."""
        self.call_at(self._now + seconds, callback, *args, context=NOBODY)

    def resume(self, machine: Machine) -> None:
        """Lets a paused machine run what it has missed."""
        if not machine.dead:
            machine.runs = True
            self._ready.extend(machine.held)
            machine.held = []

    def end(self) -> None:
        """Cancels all that is left, of dead machines too, and closes."""
        for task in self.tasks:
            machine = task.machine
            if machine is not None and not machine.runs:
                machine.runs = True
                self._ready.extend(machine.held)
                machine.held = []
            task.cancel()
        self._turns = 0
        left = [task for task in self.tasks if not task.done()]
        if left:
            self.run_until_complete(asyncio.wait(left, timeout=60))
        self.close()

    def _numbered(
        self, loop: asyncio.AbstractEventLoop, coroutine: Any, context: contextvars.Context | None = None
    ) -> NumberedTask[Any]:
        task: NumberedTask[Any] = NumberedTask(
            coroutine, number=next(self._numbers), loop=loop, context=context
        )
        self.tasks.append(task)
        if len(self.tasks) > 256:
            self.tasks = [t for t in self.tasks if not t.done()]
        return task

    def _note_mishap(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        self.mishaps.append(f"{context['message']} {context.get('exception')!r}")

    def _run_once(self) -> None:
        ready = self._ready
        self._turns += 1
        if self._turns > MOST_TURNS:
            raise Livelock(f"{self._turns} turns by {self._now:.3f}")
        self._wake_timers()
        # Work takes time, however little: without it a wait that rounds to nothing would never end.
        self._now += TURN_SECONDS
        batch = list(ready)
        ready.clear()
        if self._chance is not None and len(batch) > 1:
            self._chance.shuffle(batch)
        for handle in batch:
            if handle._cancelled:
                continue
            machine = handle._context.get(MACHINE)
            if machine is None or machine.runs:
                handle._run()
            elif not machine.dead:
                machine.held.append(handle)

    def _wake_timers(self) -> None:
        timers, ready = self._scheduled, self._ready
        while timers and timers[0][2]._cancelled:
            heapq.heappop(timers)
        if not ready and not self._stopping:
            if not timers:
                raise Deadlock(f"nothing can happen any more at {self._now:.3f}")
            self._now = max(self._now, timers[0][0])
        now = self._now
        while timers and timers[0][0] <= now:
            timer = heapq.heappop(timers)[2]
            timer._scheduled = False
            if not timer._cancelled:
                ready.append(timer)
