"""The webhook listener: raw bytes to the spoke, events into the store, only then 2xx."""

import asyncio
import logging
from collections.abc import Mapping

from aiohttp import web

from hub.clock import Clock
from hub.errors import UnknownProvider
from hub.events.arrivals import Arrivals
from hub.events.deliveries import MAX_BODY, Refusal, check_head
from hub.events.model import Delivery, WebhookRefused
from hub.jobs.model import lane_id
from hub.lanes.ports import SpokeUnavailable
from mesh.caller import PROXY_ROLE
from mesh.errors import IdentityError
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


class Webhooks:
    """One handler for all providers. What it answers 2xx has been kept."""

    def __init__(
        self,
        arrivals: Arrivals,
        *,
        clock: Clock,
        telemetry: Telemetry,
        body_seconds: float = BODY_SECONDS,
        most_at_once: int = MOST_AT_ONCE,
    ) -> None:
        self._arrivals = arrivals
        self._clock = clock
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
            await self._arrivals.take(Delivery(lane, headers, body, self._clock.now()))
        return web.Response(status=204)


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
