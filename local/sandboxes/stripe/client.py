"""Stripe's stand-in, asked directly: what did it really see?"""

from typing import Any

import aiohttp

ALL = 1_000_000
API_KEY = "sk_test_local"


class LocalStripe:
    """localstripe, by its own API."""

    def __init__(self, address: str) -> None:
        self._base = f"http://{address}"
        self._headers = {"Authorization": f"Bearer {API_KEY}"}

    async def payments(self) -> dict[str, list[dict[str, Any]]]:
        """All payments, by the job's id that they carry as our reference."""
        found: dict[str, list[dict[str, Any]]] = {}
        listed = await self._call("GET", f"/v1/payment_intents?limit={ALL}")
        for payment in listed["data"]:
            found.setdefault(payment["metadata"].get("job_id", ""), []).append(payment)
        return found

    async def send_only(self, events: list[str] | None, *, url: str, secret: str) -> None:
        """Sends webhooks of these types only from now on; None: of all."""
        config = {"url": url, "secret": secret, **({} if events is None else {"events": events})}
        await self._call("POST", "/_config/webhooks/integration", json=config)

    async def forget(self) -> None:
        """Empties the stand-in, as if it were new."""
        await self._call("DELETE", "/_config/data")

    async def card_with_authentication(self) -> str:
        """A token of the test card whose holder must approve each charge."""
        form = {
            "type": "card",
            "card[number]": "4000002760003184",
            "card[exp_month]": "12",
            "card[exp_year]": "2030",
            "card[cvc]": "123",
        }
        return str((await self._call("POST", "/v1/payment_methods", data=form))["id"])

    async def approve(self, payment_id: str) -> None:
        """Does what the cardholder does in the bank's app."""
        payment = await self._call("GET", f"/v1/payment_intents/{payment_id}")
        form = {"client_secret": payment["client_secret"], "success": "true"}
        await self._call("POST", f"/v1/payment_intents/{payment_id}/_authenticate", data=form)

    async def _call(self, method: str, path: str, **options: Any) -> Any:
        async with (
            aiohttp.ClientSession(headers=self._headers) as session,
            session.request(method, self._base + path, **options) as response,
        ):
            response.raise_for_status()
            return await response.json() if response.content_type == "application/json" else None
