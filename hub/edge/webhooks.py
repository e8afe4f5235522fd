"""The webhook listener: raw bytes to the spoke, events into the store, only then 2xx."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol

from aiohttp import web

from hub.jobs.errors import UnknownProvider
from hub.jobs.events import ArrivedEvent, WebhookRefused
from hub.jobs.model import lane_id
from hub.jobs.ports import Clock, SpokeUnavailable

MAX_BODY = 256 * 1024
BODY_SECONDS = 10.0

_log = logging.getLogger(__name__)


class Verifier(Protocol):
    """The spokes, as far as webhooks need them."""

    async def parse_webhook(
        self, lane: str, headers: Sequence[tuple[str, str]], body: bytes, received_at: datetime
    ) -> list[ArrivedEvent]:
        """Verifies and reads; raises WebhookRefused, UnknownProvider or SpokeUnavailable."""
        ...


class EventStore(Protocol):
    """Where events are kept and matched."""

    async def keep(self, event: ArrivedEvent) -> bool:
        """Makes an event durable; False if it is a redelivery."""
        ...

    async def apply(self, job_id: str) -> bool:
        """Lets held events settle the job; True if it has now ended."""
        ...


class Webhooks:
    """One handler for all providers; `settled` is told of each job that an event may have moved."""

    def __init__(
        self, *, spokes: Verifier, store: EventStore, clock: Clock, settled: Callable[[str, str], None]
    ) -> None:
        self._spokes = spokes
        self._store = store
        self._clock = clock
        self._settled = settled

    def application(self) -> web.Application:
        """The HTTP application, to be served behind the mesh's proxy."""
        application = web.Application(client_max_size=MAX_BODY)
        application.router.add_post("/webhooks/{spoke}/{account}", self._receive)
        return application

    async def _receive(self, request: web.Request) -> web.Response:
        lane = lane_id(request.match_info["spoke"], request.match_info["account"])
        try:
            body = await asyncio.wait_for(request.read(), BODY_SECONDS)
        except web.HTTPRequestEntityTooLarge:
            return web.Response(status=413)
        except TimeoutError:
            return web.Response(status=408)
        headers = [(name.lower(), value) for name, value in request.headers.items()]
        try:
            events = await self._spokes.parse_webhook(lane, headers, body, self._clock.now())
        except UnknownProvider:
            return web.Response(status=404)
        except WebhookRefused:
            _log.warning("webhook refused", extra={"lane": lane, "bytes": len(body)})
            return web.Response(status=401)
        except SpokeUnavailable:
            return web.Response(status=503, headers={"Retry-After": "5"})
        await self._keep(events)
        return web.Response(status=204)

    async def _keep(self, events: Sequence[ArrivedEvent]) -> None:
        for event in events:
            await self._store.keep(event)
            if event.job_id:
                # Also for a redelivery: the first delivery may have died between keeping and applying.
                await self._store.apply(event.job_id)
                self._settled(event.job_id, event.lane)
