"""The provider's own records: what did it really do, for which job, and when?"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from local.place import Place
from local.sandboxes import sandbox
from local.sandboxes.stripe.client import ALL, LocalStripe

Payments = Mapping[str, Sequence[Mapping[str, Any]]]


class Books(LocalStripe):
    """localstripe's records, and its switch for webhooks."""

    def __init__(self, place: Place) -> None:
        super().__init__(place.address("stripe-sandbox"))
        self._target = {
            "url": f"http://{place.address('webhooks')}/webhooks/stripe/default",
            "secret": sandbox.webhook_secret(place.layout, "stripe"),
        }

    async def refunds(self) -> list[dict[str, Any]]:
        """All refunds."""
        found: list[dict[str, Any]] = (await self._call("GET", f"/v1/refunds?limit={ALL}"))["data"]
        return found

    async def events(self) -> list[dict[str, Any]]:
        """All events."""
        found: list[dict[str, Any]] = (await self._call("GET", f"/v1/events?limit={ALL}"))["data"]
        return found

    async def silence(self) -> None:
        """Sends no webhooks any more."""
        await self.send_only(["none"], **self._target)

    async def speak(self) -> None:
        """Sends all webhooks again."""
        await self.send_only(None, **self._target)


def not_once(job_ids: Iterable[str], payments: Payments) -> list[str]:
    """Those jobs for which there is not exactly one payment that has succeeded."""
    return [
        job_id
        for job_id in job_ids
        if [payment["status"] for payment in payments.get(job_id, ())] != ["succeeded"]
    ]


def peak(payments: Payments, since: float) -> int:
    """The most payments made in one second, by the provider's clock, since then."""
    seconds = Counter(int(p["created"]) for made in payments.values() for p in made if p["created"] >= since)
    return max(seconds.values(), default=0)
