"""Duties that make good what a process left undone, and end what nobody else would."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import timedelta
from typing import Protocol

EVENTS_PATIENCE = timedelta(minutes=5)
RECONCILE_SECONDS = 2.0
HELD_FOR = timedelta(days=30)
LAPSE_BATCH = 1000
LAPSE_SECONDS = 60.0


class AlertsOfCauses(Protocol):
    """Alerts beside what they are about, in the store."""

    async def reconcile_alerts(self, patience: timedelta) -> None:
        """Ends alerts whose cause is gone, and raises those for events that nobody has claimed in time."""
        ...

    async def reconcile_lanes(self, lanes: Sequence[str], unheard: Sequence[str]) -> None:
        """Ends the alerts of lanes that are no more. `unheard`: spokes that have not said what they offer."""
        ...


class ApplyHeld:
    """The duty that applies what a process kept, or settled a job for, and died before it applied it."""

    name = "apply held events"

    def __init__(
        self,
        held: Callable[[], Awaitable[Sequence[tuple[str, str]]]],
        apply: Callable[[str, str], Awaitable[None]],
    ) -> None:
        self._held = held
        self._apply = apply

    async def run_once(self) -> float | None:
        """Applies what is held."""
        for job_id, lane in await self._held():
            await self._apply(job_id, lane)
        return RECONCILE_SECONDS


class Lapsing:
    """The duty that gives up events held for longer than anything can still come that they are about."""

    name = "lapse held events"

    def __init__(self, lapse: Callable[[timedelta, int], Awaitable[int]]) -> None:
        self._lapse = lapse

    async def run_once(self) -> float | None:
        """Gives a batch up; at once again if there may be more."""
        return 0 if await self._lapse(HELD_FOR, LAPSE_BATCH) == LAPSE_BATCH else LAPSE_SECONDS


class Reconciling:
    """The duty that makes the alerts agree with what they are about."""

    name = "reconcile alerts"

    def __init__(
        self,
        store: AlertsOfCauses,
        *,
        lanes: Callable[[], Iterable[str]],
        unheard: Callable[[], Iterable[str]],
    ) -> None:
        self._store = store
        self._lanes = lanes
        self._unheard = unheard

    async def run_once(self) -> float | None:
        """Ends and raises what is due."""
        await self._store.reconcile_alerts(EVENTS_PATIENCE)
        await self._store.reconcile_lanes([*self._lanes()], [*self._unheard()])
        return RECONCILE_SECONDS
