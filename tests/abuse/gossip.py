"""Providers that put into their answers whatever they know of a person, and more."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web
from aiosmtpd.smtp import SMTP

from tests.spokes.harness import http_server

CANARIES = {
    "api key": "sk_live_canary4eC39HqLyjWDarjtT1zdp7dc",
    "card number": "4242424242424242",
    "IBAN": "DE89370400440532013000",
    "e-mail": "ann.canary@example.org",
    "phone": "+4915112345678",
    "JWT": "eyJhbGciOiJub25lIn0.eyJzdWIiOiJjYW5hcnkifQ.c2lnbmF0dXJl",
    "name": "Annabel Canary",
    "webhook secret": "Y2FuYXJ5Y2FuYXJ5Y2FuYXJ5Y2FuYXJ5",
}
"""What must be seen nowhere but where it belongs."""

ALL = " ".join(CANARIES.values())


class GossipingApi:
    """Speaks echo's and Stripe's protocols, badly: the payment method says how."""

    def application(self) -> web.Application:
        """The HTTP application."""
        application = web.Application()
        application.router.add_route("*", "/{path:.*}", self._answer)
        return application

    async def _answer(self, request: web.Request) -> web.Response:
        asked = (await request.text()) + request.path
        headers = {"X-Request-Of": ALL, "Set-Cookie": CANARIES["JWT"]}
        status, body = next((r for word, r in _SCRIPT.items() if word in asked), (404, _error("not_found")))
        if isinstance(body, str):
            return web.Response(status=status, text=body, content_type="text/html", headers=headers)
        return web.json_response(body, status=status, headers=headers)


def _error(code: str) -> dict[str, Any]:
    return {"error": {"code": code, "type": code, "message": ALL, "param": ALL}, "customer": ALL}


_PAYMENT = {
    "id": "pay_1",
    "object": "payment_intent",
    "state": "captured",
    "status": "succeeded",
    "amount": 100,
    "amount_received": 100,
    "currency": "EUR",
    "captured": 100,
    "refunded": 0,
    "reference": "",
    "created": 1_700_000_000,
    "latest_charge": {"id": "ch_1", "billing_details": ALL},
    "last_payment_error": {"code": CANARIES["card number"], "message": ALL},
    "metadata": {},
    "description": ALL,
    "receipt_email": CANARIES["e-mail"],
}
_SCRIPT: dict[str, tuple[int, Any]] = {
    "pm_good": (201, _PAYMENT),
    "pm_declined": (402, _error("card_declined")),
    "pm_odd_code": (402, _error(CANARIES["card number"])),
    "pm_name_code": (400, _error(CANARIES["name"])),
    "pm_failed": (201, {**_PAYMENT, "state": "failed", "status": "requires_payment_method"}),
    "pm_denied": (401, _error("unauthorized")),
    "pm_broken": (500, f"<html>{ALL}</html>"),
    "pm_not_json": (200, ALL),
    "pm_odd_shape": (201, {**_PAYMENT, "amount": ALL}),
    "pm_odd_time": (201, {**_PAYMENT, "created": ALL}),
    "pm_no_id": (201, {ALL: ALL}),
    "pm_moved": (302, f"<a href='{ALL}'>moved</a>"),
}
REFUSALS = ("pm_good", "pm_declined", "pm_odd_code", "pm_name_code", "pm_failed")
"""What a healthy provider may say; the rest looks like a fault of its own, and opens breakers."""
FAULTS = tuple(way for way in _SCRIPT if way not in REFUSALS)


class GossipingMail:
    """A mail system that takes nobody and says why at length."""

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        """Refuses."""
        return f"550 5.1.1 <{address}> unknown here; {ALL}"


@asynccontextmanager
async def gossiping() -> AsyncIterator[tuple[str, str]]:
    """Serves both; gives the URLs of the API and of the mail system."""
    logging.getLogger("mail.log").setLevel(logging.ERROR)  # the mail system's own log is not ours
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(GossipingMail(), loop=loop), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with http_server(GossipingApi().application()) as url:
        yield url, f"smtp://127.0.0.1:{port}"
    server.close()
