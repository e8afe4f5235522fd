"""The duties that tell people what stands still in silence."""

from collections.abc import Awaitable, Callable, Sequence

from hub.alerts.model import Alert
from hub.clock import Clock
from hub.housekeeping.concerns import Concern
from hub.housekeeping.lasting import Lasting

WATCH_SECONDS = 5.0


class Watching:
    """`find` says what is so; `agree` takes the keys of it, and the alerts of what has lasted too long."""

    name = "watch what stands still"

    def __init__(
        self,
        find: Callable[[], Awaitable[Sequence[Concern]]],
        agree: Callable[[Sequence[str], Sequence[Alert]], Awaitable[None]],
        clock: Clock,
    ) -> None:
        self._find = find
        self._agree = agree
        self._clock = clock
        self._lasting = Lasting()

    async def run_once(self) -> float | None:
        """Raises what has lasted too long, and ends what is over."""
        found = await self._find()
        ages = self._lasting.seen((each.alert.key for each in found), self._clock.monotonic())
        too_long = [each.alert for each in found if ages[each.alert.key] >= each.patience]
        await self._agree([*ages], too_long)
        return WATCH_SECONDS


class WatchBacklog:
    """At each edge, by its own count: `see` says that what an alert is about is still there, or raises it."""

    name = "watch the backlog"

    def __init__(
        self,
        find: Callable[[], Sequence[Concern]],
        see: Callable[[Alert], Awaitable[None]],
        clock: Clock,
    ) -> None:
        self._find = find
        self._see = see
        self._clock = clock
        self._lasting = Lasting()

    async def run_once(self) -> float | None:
        """Raises what has been full for too long; the replica that keeps house ends it."""
        found = self._find()
        ages = self._lasting.seen((each.alert.key for each in found), self._clock.monotonic())
        for each in found:
            if ages[each.alert.key] >= each.patience:
                await self._see(each.alert)
        return WATCH_SECONDS
