"""The webhook listener: raw bytes to the spoke, events into the store, only then 2xx."""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Protocol

from aiohttp import web

from hub.edge.convert import is_uuid
from hub.edge.deliveries import MAX_BODY, Refusal, check_head, says_the_same
from hub.jobs.errors import UnknownProvider
from hub.jobs.events import ArrivedEvent, WebhookRefused
from hub.jobs.model import lane_id
from hub.jobs.ports import Clock, SpokeUnavailable
from mesh.caller import PROXY_ROLE
from mesh.errors import IdentityError
from mesh.failpoints import reach
from mesh.identity import peer_id
from mesh.telemetry import Telemetry

BODY_SECONDS = 10.0
MOST_AT_ONCE = 256

_STATUSES: Mapping[type[Exception], int] = {
    WebhookRefused: 401,
    UnknownProvider: 404,
    TimeoutError: 408,
    web.HTTPRequestEntityTooLarge: 413,
    SpokeUnavailable: 503,
}
_BUSY = {"Retry-After": "5"}

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

    async def kept(self, lane: str, event_id: str) -> ArrivedEvent | None:
        """An event as it was kept."""
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
        body_seconds: float = BODY_SECONDS,
        most_at_once: int = MOST_AT_ONCE,
    ) -> None:
        self._spokes = spokes
        self._store = store
        self._clock = clock
        self._settled = settled
        self._telemetry = telemetry
        self._body_seconds = body_seconds
        self._room = most_at_once

    def runner(self) -> web.AppRunner:
        """The HTTP server, to be opened behind the mesh's proxy."""
        application = web.Application(client_max_size=MAX_BODY)
        application.router.add_post("/webhooks/{spoke}/{account}", self._receive)
        return web.AppRunner(
            application,
            access_log=None,
            handle_signals=False,
            # A compressed body is refused, so nothing may unpack it first.
            auto_decompress=False,
            # What is left of a refused body is not read: the connection goes.
            lingering_time=0,
        )

    async def _receive(self, request: web.Request) -> web.Response:
        if not _is_from_proxy(request):
            return web.Response(status=403)
        lane = lane_id(request.match_info["spoke"], request.match_info["account"])
        if not self._room:
            return _answer(lane, 503, "busy")
        self._room -= 1
        try:
            return await self._take(request, lane)
        except Refusal as refusal:
            return _answer(lane, refusal.status, str(refusal))
        except tuple(_STATUSES) as problem:
            return _answer(lane, _STATUSES[type(problem)], type(problem).__name__)
        except Exception as error:  # noqa: BLE001 - whatever it is, nothing is kept: it is to come again
            _log.exception("webhook failed", exc_info=error, extra={"lane": lane})
            return _answer(lane, 503, "failed")
        finally:
            self._room += 1

    async def _take(self, request: web.Request, lane: str) -> web.Response:
        check_head(request.headers)
        headers = [(name.lower(), value) for name, value in request.headers.items() if value.isascii()]
        body = await asyncio.wait_for(request.read(), self._body_seconds)
        with self._telemetry.span("webhook"):
            await self._keep(await self._spokes.parse_webhook(lane, headers, body, self._clock.now()))
        return web.Response(status=204)

    async def _keep(self, events: Sequence[ArrivedEvent]) -> None:
        for told in events:
            # The reference is the provider's word: what cannot be a job of ours is kept without one.
            event = told if is_uuid(told.job_id) else replace(told, job_id="")
            reach("hub.event_keeping", event.event_id)
            if not await self._store.keep(event):
                await self._compare(event)
            reach("hub.event_kept", event.event_id)
            if event.job_id:
                # Also for a redelivery: the first delivery may have died between keeping and applying.
                await self._apply(event)
            reach("hub.event_applied", event.event_id)

    async def _compare(self, event: ArrivedEvent) -> None:
        first = await self._store.kept(event.lane, event.event_id)
        if first is not None and not says_the_same(first, event):
            _log.error(
                "an event came again with another content: the first one stands",
                extra={"lane": event.lane, "event": event.event_id, "job": first.job_id},
            )

    async def _apply(self, event: ArrivedEvent) -> None:
        # The sender's trace is not ours to trust: the webhook's own trace links to the job's.
        with self._telemetry.span("confirm", links=[await self._store.trace(event.job_id)]):
            await self._store.apply(event.job_id)
        self._settled(event.job_id, event.lane)


def _answer(lane: str, status: int, why: str) -> web.Response:
    _log.warning("webhook not taken", extra={"lane": lane, "status": status, "why": why})
    return web.Response(status=status, headers=_BUSY if status == 503 else None)


def _is_from_proxy(request: web.Request) -> bool:
    # Providers reach this listener through the mesh's proxy only, which holds the limits.
    connection = request.transport.get_extra_info("ssl_object") if request.transport else None
    try:
        return connection is not None and peer_id(connection).role == PROXY_ROLE
    except IdentityError:
        return False
