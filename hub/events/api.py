"""The webhook listener: raw bytes to the spoke, events into the store, only then 2xx."""

import asyncio
import logging
from collections.abc import Mapping

from aiohttp import hdrs, web

from hub.clock import Clock
from hub.errors import UnknownProvider
from hub.events.arrivals import Arrivals
from hub.events.deliveries import Refusal, check_head, split_target, told_headers
from hub.events.model import Answer, Delivery, WebhookRefused, WebhookRules
from hub.events.rooms import Rooms
from hub.jobs.model import lane_id
from hub.lanes.ports import SpokeUnavailable
from mesh.caller import PROXY_ROLE
from mesh.errors import IdentityError
from mesh.identity import peer_id
from mesh.telemetry import Telemetry

BODY_SECONDS = 10.0
# Less than the proxy waits, so that it is the hub that says when to come back.
TAKE_SECONDS = 9.0

_STATUSES: Mapping[type[Exception], int] = {
    WebhookRefused: 401,
    UnknownProvider: 404,
    SpokeUnavailable: 503,
    TimeoutError: 503,
}
_BUSY = {"Retry-After": "5"}
# An answer may hold the caller's own words: no browser is to make anything of it.
_AS_IT_IS = {
    hdrs.CACHE_CONTROL: "no-store",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "X-Content-Type-Options": "nosniff",
}

_log = logging.getLogger(__name__)


class Webhooks:
    """One handler for all providers. What it answers 2xx has been kept.

    `public_url` is where providers reach the listener, up to "/webhooks"; empty: not known.
    """

    def __init__(
        self,
        arrivals: Arrivals,
        *,
        clock: Clock,
        telemetry: Telemetry,
        public_url: str = "",
        body_seconds: float = BODY_SECONDS,
        take_seconds: float = TAKE_SECONDS,
    ) -> None:
        self._arrivals = arrivals
        self._clock = clock
        self._telemetry = telemetry
        self._public_url = public_url
        self._body_seconds = body_seconds
        self._take_seconds = take_seconds
        self._rooms = Rooms()

    def runner(self) -> web.AppRunner:
        """The HTTP server, to be opened behind the mesh's proxy."""
        application = web.Application()
        application.router.add_route("*", "/webhooks/{spoke}/{account}{below:(/.*)?}", self._receive)
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
        provider = request.match_info["spoke"]
        lane = lane_id(provider, request.match_info["account"])
        try:
            rules = self._arrivals.rules(lane)
            check_head(request.method, request.headers, rules)
            with self._rooms.enter(provider, rules.room):
                return await self._take(request, lane, rules)
        except Refusal as refusal:
            return _answer(lane, refusal.status, str(refusal), allowed=",".join(sorted(refusal.allowed)))
        except tuple(_STATUSES) as problem:
            return _answer(lane, _STATUSES[type(problem)], type(problem).__name__)
        except Exception as error:  # noqa: BLE001 - whatever it is, nothing is kept: it is to come again
            _log.exception("webhook failed", exc_info=error, extra={"lane": lane})
            return _answer(lane, 503, "failed")

    async def _take(self, request: web.Request, lane: str, rules: WebhookRules) -> web.Response:
        path, query = split_target(request.raw_path)
        delivery = Delivery(
            lane=lane,
            headers=told_headers(request.headers),
            body=await self._body(request, rules.max_bytes),
            received_at=self._clock.now(),
            method=request.method,
            url=self._public_url and self._public_url + path,
            query=query,
        )
        with self._telemetry.span("webhook"):
            async with asyncio.timeout(self._take_seconds):
                answer = await self._arrivals.take(delivery)
        return _told(answer)

    async def _body(self, request: web.Request, most: int) -> bytes:
        body = bytearray()
        try:
            async with asyncio.timeout(self._body_seconds):
                async for chunk in request.content.iter_any():
                    body += chunk
                    if len(body) > most:
                        raise Refusal(413, "body")
        except TimeoutError:
            raise Refusal(408, "body") from None
        return bytes(body)


def _told(answer: Answer | None) -> web.Response:
    if answer is None:
        return web.Response(status=204)
    headers = {**_AS_IT_IS, hdrs.CONTENT_TYPE: answer.content_type} if answer.body else None
    return web.Response(status=answer.status, body=answer.body, headers=headers)


def _answer(lane: str, status: int, why: str, *, allowed: str = "") -> web.Response:
    _log.warning("webhook not taken", extra={"lane": lane, "status": status, "why": why})
    headers = _BUSY if status == 503 else {hdrs.ALLOW: allowed} if allowed else None
    return web.Response(status=status, headers=headers)


def _is_from_proxy(request: web.Request) -> bool:
    # Providers reach this listener through the mesh's proxy only, which holds the limits.
    connection = request.transport.get_extra_info("ssl_object") if request.transport else None
    try:
        return connection is not None and peer_id(connection).role == PROXY_ROLE
    except IdentityError:
        return False
