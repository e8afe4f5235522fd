"""The duty that posts events to the tenants that have an endpoint; a dead one delays no other."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from hub.callbacks.model import Answers, Due, weigh
from hub.clock import Clock
from hub.events.told import Told
from hub.feeds.model import Log
from hub.posting.http import GONE, refusal
from hub.tenants import Endpoint

POLL_SECONDS = 1.0
NEWS = 1000
AT_ONCE = 16
STORE_AT_ONCE = 2
CLAIMED_FOR = timedelta(seconds=60)
"""Longer than a post may take: after it, whoever claimed an event has died."""

_log = logging.getLogger(__name__)


class Store(Protocol):
    """What is on its way, kept."""

    async def place(self) -> int:
        """The cursor up to which events have been looked at."""
        ...

    async def take(self, after: int, upto: int, wanted: Sequence[Told], now: datetime) -> None:
        """Moves on from a cursor, if nobody else has, and keeps what is to be posted."""
        ...

    async def tenants(self, now: datetime) -> list[str]:
        """Whose events are due."""
        ...

    async def switched_off(self) -> dict[str, str]:
        """The endpoints that want no more: by tenant the mark of each."""
        ...

    async def claim(self, tenant: str, *, now: datetime, until: datetime, limit: int) -> list[Due]:
        """Some of a tenant's events that are due, which nobody else gets until then."""
        ...

    async def record(self, tenant: str, mark: str, answers: Answers, now: datetime) -> None:
        """Writes down what became of events, with the alert, in one commit."""
        ...

    async def forget(self, tenant: str) -> None:
        """Drops what is on its way to a tenant that has no endpoint any more, and its alert."""
        ...


class PostEvents:
    """One replica does it at a time. Two that do all the same claim different events."""

    name = "post events to tenants"

    def __init__(
        self,
        store: Store,
        log: Log[Told],
        *,
        endpoint: Callable[[str], Endpoint | None],
        send: Callable[[Endpoint, Told, datetime], Awaitable[str | None]],
        clock: Clock,
        draw: Callable[[], float],
    ) -> None:
        self._store = store
        self._log = log
        self._endpoint = endpoint
        self._send = send
        self._clock = clock
        self._draw = draw
        self._busy: set[str] = set()
        self._failing: set[str] = set()
        # However many tenants there are, they do not use up the connections.
        self._turns = asyncio.Semaphore(STORE_AT_ONCE)

    async def run_once(self) -> float | None:
        """Goes round until it is stopped; each tenant's events are posted by a task of their own."""
        try:
            async with asyncio.TaskGroup() as group:
                while True:
                    await self.take_news()
                    for tenant, endpoint in await self.due():
                        self._busy.add(tenant)
                        group.create_task(self._serve(tenant, endpoint))
                    await asyncio.sleep(POLL_SECONDS)
        except ExceptionGroup as failed:
            raise failed.exceptions[0] from None

    async def take_news(self) -> None:
        """Keeps, of what is new, what is to be posted."""
        await self._log.number(NEWS)
        place = await self._store.place()
        news = await self._log.all_after(place, NEWS)
        if news:
            wanted = [told for told in news if told.tenant and self._endpoint(told.tenant)]
            await self._store.take(place, news[-1].cursor, wanted, self._clock.now())

    async def post(self, tenant: str, endpoint: Endpoint) -> bool:
        """Posts some of a tenant's events; whether it should go on at once."""
        now = self._clock.now()
        async with self._turns:
            due = await self._store.claim(tenant, now=now, until=now + CLAIMED_FOR, limit=AT_ONCE)
        if not due:
            return False
        reasons = await asyncio.gather(*(self._send(endpoint, each.event, now) for each in due))
        answers = weigh(
            tenant, zip(due, reasons, strict=True), gone=refusal(GONE), now=self._clock.now(), draw=self._draw
        )
        async with self._turns:
            await self._store.record(tenant, endpoint.mark, answers, self._clock.now())
        self._log_streak(tenant, answers)
        return bool(answers.taken) and not answers.gone

    async def due(self) -> list[tuple[str, Endpoint]]:
        """Whose events are to be posted now, and where."""
        off = await self._store.switched_off()
        found = []
        for tenant in await self._store.tenants(self._clock.now()):
            endpoint = self._endpoint(tenant)
            if endpoint is None:
                await self._store.forget(tenant)
            elif tenant not in self._busy and off.get(tenant) != endpoint.mark:
                found.append((tenant, endpoint))
        return found

    async def _serve(self, tenant: str, endpoint: Endpoint) -> None:
        try:
            while await self.post(tenant, endpoint):
                pass
        except Exception as error:  # noqa: BLE001 - one tenant's trouble ends nobody else's turn
            _log.error("events cannot be posted", exc_info=error, extra={"tenant": tenant})
        finally:
            self._busy.discard(tenant)

    def _log_streak(self, tenant: str, answers: Answers) -> None:
        if answers.refused and tenant not in self._failing:
            why = sorted({each.reason for each in answers.refused})
            _log.error("a tenant's endpoint does not take events", extra={"tenant": tenant, "reasons": why})
            self._failing.add(tenant)
        elif tenant in self._failing and not answers.refused:
            _log.info("a tenant's endpoint takes events again", extra={"tenant": tenant})
            self._failing.discard(tenant)
