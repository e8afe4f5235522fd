"""Stripe's lists: finding objects by our reference, where there is no search."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

from mesh.batcher import Batcher
from spokes.kit.errors import Interrupted
from spokes.kit.outcome import Unknown
from spokes.kit.replies import Reply
from spokes.kit.spoke import Call

SLACK: Final = timedelta(minutes=5)
MOST_PAGES: Final = 100
SINCE: Final = "created[gte]"
MOST_CALLS: Final = 1000

Found = dict[str, Any] | None
Params = dict[str, str]
Headers = Mapping[str, str]


class Finder:
    """Finds objects by the job in their metadata. Look-ups that wait together share one reading of a list."""

    def __init__(self, path: str, headers: Headers) -> None:
        self._path = path
        self._headers = headers
        self._takes_since = True
        self._readings: Batcher[Call, Found] = Batcher(self._read, max_items=MOST_CALLS, max_queue=MOST_CALLS)

    async def find(self, call: Call, *, within: Mapping[str, str] | None = None) -> Found:
        """The object by its id if that is known, else by our job; None: no such.

        `within` narrows the list to what belongs to one object, where it is short anyway.
        """
        if call.reference:
            reply = await call.http.get(f"{self._path}/{call.reference}", headers=self._headers)
            return reply.json() if reply.status < 300 else None
        if within:
            return (await self._pages(call, dict(within), {call.job_id})).get(call.job_id)
        return await self._readings.submit(call)

    async def _read(self, calls: Sequence[Call]) -> list[Found | Exception]:
        # A reading begins after every look-up that it serves, so it cannot miss what they ask for.
        since = min(call.job_created_at for call in calls) - SLACK
        narrowed = {SINCE: str(int(since.timestamp()))} if self._takes_since else {}
        found = await self._pages(calls[0], narrowed, {call.job_id for call in calls})
        return [found.get(call.job_id) for call in calls]

    async def _pages(self, call: Call, params: Params, wanted: set[str]) -> dict[str, dict[str, Any]]:
        found: dict[str, dict[str, Any]] = {}
        asked = {"limit": "100", **params}
        for _ in range(MOST_PAGES):
            reply = await call.http.get(self._path, params=asked, headers=self._headers)
            if reply.status == 400 and asked.pop(SINCE, ""):
                self._takes_since = False  # not every list does
                continue
            page = _page(reply)
            found |= {job: o for o in page["data"] if (job := _job_of(o)) in wanted}
            if len(found) == len(wanted) or not page["has_more"]:
                return found
            asked["starting_after"] = page["data"][-1]["id"]
        raise _too_long()


async def key_of_change(call: Call, headers: Headers, payment_id: str, kind: str) -> str:
    """The idempotency key of the request that changed a payment, by events of a kind; empty: none tells."""
    since = str(int((call.job_created_at - SLACK).timestamp()))
    params = {"limit": "100", "type": kind, SINCE: since}
    for _ in range(MOST_PAGES):
        page = _page(await call.http.get("/v1/events", params=params, headers=headers))
        about = [e for e in page["data"] if e["data"]["object"].get("id") == payment_id]
        if key := next(filter(None, map(_key_of, about)), ""):
            return key
        if not page["has_more"]:
            return ""
        params["starting_after"] = page["data"][-1]["id"]
    raise _too_long()


def _page(reply: Reply) -> Any:
    if reply.status >= 300:
        raise Interrupted(Unknown("LIST_REFUSED", "the provider refuses to list"))
    return reply.json()


def _too_long() -> Interrupted:
    return Interrupted(Unknown("LIST_TOO_LONG", "the provider's list is too long to look through"))


def _key_of(event: Mapping[str, Any]) -> str:
    request = event.get("request")
    return str(request.get("idempotency_key") or "") if isinstance(request, dict) else ""


def _job_of(item: Mapping[str, Any]) -> str:
    return str((item.get("metadata") or {}).get("job_id", ""))
