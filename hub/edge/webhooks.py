"""The webhook listener: raw bytes to the spoke, events into the store, only then 2xx."""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from aiohttp import web

from hub.jobs.errors import UnknownProvider
from hub.jobs.events import ArrivedEvent, WebhookRefused
from hub.jobs.model import lane_id
from hub.jobs.ports import Clock, SpokeUnavailable
from mesh.caller import PROXY_ROLE
from mesh.errors import IdentityError
from mesh.identity import peer_id
from mesh.telemetry import Telemetry

MAX_BODY = 256 * 1024
BODY_SECONDS = 10.0

_STATUSES: Mapping[type[Exception], int] = {
    WebhookRefused: 401,
    UnknownProvider: 404,
    TimeoutError: 408,
    web.HTTPRequestEntityTooLarge: 413,
    SpokeUnavailable: 503,
}
_RETRY = {"Retry-After": "5"}

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

    async def trace(self, job_id: str) -> Mapping[str, str]:
        """The trace context under which the job was accepted."""
        ...


class Webhooks:
    """One handler for all providers; `settled` is told of each job that an event may have moved."""

    def __init__(
        self,
        *,
        spokes: Verifier,
        store: EventStore,
        clock: Clock,
        telemetry: Telemetry,
        settled: Callable[[str, str], None],
    ) -> None:
        self._spokes = spokes
        self._store = store
        self._clock = clock
        self._settled = settled
        self._telemetry = telemetry

    def application(self) -> web.Application:
        """The HTTP application, to be served behind the mesh's proxy."""
        application = web.Application(client_max_size=MAX_BODY)
        application.router.add_post("/webhooks/{spoke}/{account}", self._receive)
        return application

    async def _receive(self, request: web.Request) -> web.Response:
        if not _is_from_proxy(request):
            return web.Response(status=403)
        lane = lane_id(request.match_info["spoke"], request.match_info["account"])
        headers = [(name.lower(), value) for name, value in request.headers.items()]
        try:
            body = await asyncio.wait_for(request.read(), BODY_SECONDS)
            with self._telemetry.span("webhook"):
                await self._keep(await self._spokes.parse_webhook(lane, headers, body, self._clock.now()))
        except tuple(_STATUSES) as problem:
            status = _STATUSES[type(problem)]
            _log.warning("webhook not taken", extra={"lane": lane, "status": status})
            return web.Response(status=status, headers=_RETRY if status == 503 else None)
        return web.Response(status=204)

    async def _keep(self, events: Sequence[ArrivedEvent]) -> None:
        for event in events:
            await self._store.keep(event)
            if event.job_id:
                # Also for a redelivery: the first delivery may have died between keeping and applying.
                await self._apply(event)

    async def _apply(self, event: ArrivedEvent) -> None:
        # The sender's trace is not ours to trust: the webhook's own trace links to the job's.
        with self._telemetry.span("confirm", links=[await self._store.trace(event.job_id)]):
            await self._store.apply(event.job_id)
        self._settled(event.job_id, event.lane)


def _is_from_proxy(request: web.Request) -> bool:
    # Providers reach this listener through the mesh's proxy only, which holds the limits.
    connection = request.transport.get_extra_info("ssl_object") if request.transport else None
    try:
        return connection is not None and peer_id(connection).role == PROXY_ROLE
    except IdentityError:
        return False
