"""Echo's sandbox: a trivial payment provider. Our own, so it proves nothing about real ones.

`pm_declined` is declined; `pm_pending` settles a second later and sends a webhook; `pm_action` waits until
the payer has taken a step (POST /v1/payments/<id>/act) or it is called off; for `pm_closed` it takes our
credentials for wrong.
"""

import asyncio
import itertools
import json
import secrets
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import aiohttp
import click
import orjson
from aiohttp import web

from spokes.kit.webhooks import sign_standard

SETTLE_SECONDS = 1.0
ACTION_SECONDS = 3600.0

Json = dict[str, Any]

_CLOSED: tuple[int, Json] = (403, {"error": {"code": "account_closed"}})


class Sandbox:
    """The provider's state, in memory. `begun` counts the requests that came in whole.

    While `refuses` is set, it takes our credentials for wrong.
    """

    def __init__(self, *, latency: float = 0.0, webhook_url: str = "", webhook_secret: str = "") -> None:
        self._latency = latency
        self._webhook = (webhook_url, webhook_secret)
        self._ids = itertools.count(1)
        self._answers: dict[str, tuple[bytes, int, Json]] = {}
        self.payments: dict[str, Json] = {}
        self.refunds: dict[str, Json] = {}
        self.events: list[Json] = []
        self.begun = 0
        self.refuses = False
        self._waiting: dict[str, str] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def application(self) -> web.Application:
        """The HTTP application."""
        app = web.Application()
        app.router.add_post("/v1/payments", self._keyed(self._pay))
        app.router.add_get("/v1/payments", self._list(self.payments))
        app.router.add_get("/v1/payments/{id}", self._get)
        app.router.add_post("/v1/payments/{id}/capture", self._keyed(self._step("captured")))
        app.router.add_post("/v1/payments/{id}/void", self._keyed(self._step("voided")))
        app.router.add_post("/v1/payments/{id}/cancel", self._keyed(self._cancel))
        app.router.add_post("/v1/payments/{id}/act", self._act)
        app.router.add_post("/v1/refunds", self._keyed(self._refund))
        app.router.add_get("/v1/refunds", self._list(self.refunds))
        app.router.add_get("/v1/events", self._list_events)
        app.router.add_get("/effects", self._effects)
        return app

    def _keyed(self, act: Callable[[Json, str], tuple[int, Json]]) -> Any:
        async def handle(request: web.Request) -> web.Response:
            if not request.headers.get("Authorization"):
                return _json({"error": {"code": "unauthorized"}}, 401)
            body = await request.read()
            self.begun += 1
            if self.refuses:
                return _json(_CLOSED[1], _CLOSED[0])
            if self._latency:
                await asyncio.sleep(self._latency)
            key = request.path + " " + request.headers.get("Idempotency-Key", f"none-{next(self._ids)}")
            known = self._answers.get(key)
            if known is None:
                status, answer = act(orjson.loads(body), request.match_info.get("id", ""))
                known = self._answers[key] = (body, status, answer)
            if known[0] != body:
                return _json({"error": {"code": "key_reused"}}, 409)
            return _json(known[2], known[1])

        return handle

    def _pay(self, asked: Json, _: str) -> tuple[int, Json]:
        method = asked["payment_method"]
        if method == "pm_declined":
            return 402, {"error": {"code": "card_declined"}}
        if method == "pm_closed":
            return _CLOSED
        state = (
            "pending"
            if method in ("pm_pending", "pm_action")
            else "captured"
            if asked["capture"]
            else "authorized"
        )
        payment: Json = {
            "id": f"pay_{next(self._ids)}",
            "state": state,
            "amount": asked["amount"],
            "currency": asked["currency"],
            "captured": asked["amount"] if state == "captured" else 0,
            "refunded": 0,
            "reference": asked["reference"],
            "created": time.time(),
        }
        self.payments[payment["id"]] = payment
        leads_to = "captured" if asked["capture"] else "authorized"
        if method == "pm_action":
            payment["action"] = _action(payment["id"], asked.get("return_url", ""))
            self._waiting[payment["id"]] = leads_to
        elif state == "pending":
            self._later(self._settle(payment, leads_to, SETTLE_SECONDS))
        return 201, dict(payment)

    def _step(self, state: str) -> Callable[[Json, str], tuple[int, Json]]:
        def act(asked: Json, payment_id: str) -> tuple[int, Json]:
            payment = self.payments.get(payment_id)
            if payment is None:
                return 404, {"error": {"code": "not_found"}}
            if payment["state"] != "authorized":
                return 409, {"error": {"code": "wrong_state"}}
            if asked.get("currency", payment["currency"]) != payment["currency"]:
                return 409, {"error": {"code": "currency_mismatch"}}
            captured = asked.get("amount", payment["amount"]) if state == "captured" else 0
            payment.update(state=state, captured=captured, ended_by=asked["reference"])
            return 200, dict(payment)

        return act

    def _cancel(self, asked: Json, payment_id: str) -> tuple[int, Json]:
        payment = self.payments.get(payment_id)
        if payment is None:
            return 404, {"error": {"code": "not_found"}}
        if payment_id not in self._waiting:
            return 409, {"error": {"code": "wrong_state"}}
        del self._waiting[payment_id], payment["action"]
        payment.update(state="voided", canceled=True)
        return 200, dict(payment)

    async def _act(self, request: web.Request) -> web.Response:
        return _json({}, 200 if await self.act(request.match_info["id"]) else 409)

    async def act(self, payment_id: str) -> bool:
        """The payer takes the step that a payment waits for; False if it waits for none."""
        leads_to = self._waiting.pop(payment_id, None)
        if leads_to is None:
            return False
        del self.payments[payment_id]["action"]
        await self._settle(self.payments[payment_id], leads_to, 0)
        return True

    def _refund(self, asked: Json, _: str) -> tuple[int, Json]:
        payment = self.payments.get(asked["payment"])
        if payment is None:
            return 404, {"error": {"code": "not_found"}}
        if asked.get("currency", payment["currency"]) != payment["currency"]:
            return 409, {"error": {"code": "currency_mismatch"}}
        amount = asked.get("amount", payment["captured"] - payment["refunded"])
        if not 0 < amount <= payment["captured"] - payment["refunded"]:
            return 409, {"error": {"code": "wrong_state"}}
        payment["refunded"] += amount
        refund = {
            "id": f"ref_{next(self._ids)}",
            "payment": payment["id"],
            "amount": amount,
            "currency": payment["currency"],
            "reference": asked["reference"],
        }
        self.refunds[refund["id"]] = refund
        return 201, refund

    async def _get(self, request: web.Request) -> web.Response:
        payment = self.payments.get(request.match_info["id"])
        return _json(payment) if payment else _json({"error": {"code": "not_found"}}, 404)

    def _list(self, objects: dict[str, Json]) -> Any:
        async def handle(request: web.Request) -> web.Response:
            reference = request.query.get("reference", "")
            return _json({"data": [o for o in objects.values() if o["reference"] == reference]})

        return handle

    async def _list_events(self, request: web.Request) -> web.Response:
        since, until = float(request.query["since"]), float(request.query["until"])
        after = int(request.query.get("after") or 0)
        found = [(n, e) for n, e in enumerate(self.events, 1) if n > after and since <= e["created"] < until]
        following = str(found[99][0]) if len(found) > 100 else ""
        return _json({"data": [e for _, e in found[:100]], "next": following})

    async def _effects(self, _: web.Request) -> web.Response:
        return _json({"payments": len(self.payments), "refunds": len(self.refunds)})

    async def _settle(self, payment: Json, state: str, seconds: float) -> None:
        await asyncio.sleep(seconds)
        payment.update(state=state, captured=payment["amount"] if state == "captured" else 0)
        event: Json = {
            "id": f"evt_{next(self._ids)}",
            "type": f"payment.{state}",
            "created": time.time(),
            "data": dict(payment),
        }
        self.events.append(event)
        url, secret = self._webhook
        if not url:
            return
        body = orjson.dumps(event)
        headers = sign_standard(secret=secret, message_id=event["id"], signed_at=int(time.time()), body=body)
        headers["Content-Type"] = "application/json"
        async with aiohttp.ClientSession() as client, client.post(url, data=body, headers=headers):
            pass

    def _later(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _action(payment_id: str, return_url: str) -> Json:
    """Where the payer has to go, and until when it can."""
    query = f"?{urlencode({'back': return_url})}" if return_url else ""
    url = f"https://pay.echo.example/{payment_id}/{secrets.token_urlsafe(16)}{query}"
    return {"url": url, "expires": time.time() + ACTION_SECONDS}


def _json(data: object, status: int = 200) -> web.Response:
    return web.Response(body=orjson.dumps(data), status=status, content_type="application/json")


@click.command()
@click.option("--port", type=int, required=True)
@click.option("--latency-ms", type=float, default=0.0)
@click.option("--webhook-url", default="")
@click.option("--webhook-secret", default="", help="whsec_ and base64")
def main(port: int, latency_ms: float, webhook_url: str, webhook_secret: str) -> None:
    """Serves the sandbox on loopback."""
    sandbox = Sandbox(latency=latency_ms / 1000, webhook_url=webhook_url, webhook_secret=webhook_secret)
    click.echo(json.dumps({"message": "sandbox of echo", "port": port}))
    web.run_app(sandbox.application(), host="127.0.0.1", port=port, access_log=None, print=None)


if __name__ == "__main__":
    main()
