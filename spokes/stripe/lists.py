"""Stripe's lists: finding an object by our reference, where there is no search."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from spokes.kit.errors import Interrupted
from spokes.kit.outcome import Unknown
from spokes.kit.spoke import Call

SLACK: Final = timedelta(minutes=5)
MOST_PAGES: Final = 100


async def find(
    call: Call, path: str, headers: Mapping[str, str], params: Mapping[str, str]
) -> dict[str, Any] | None:
    """The object by its id if that is known, else the one whose metadata holds our job; None: no such."""
    if call.reference:
        reply = await call.http.get(f"{path}/{call.reference}", headers=headers)
        return reply.json() if reply.status < 300 else None
    since = {"created[gte]": str(int((call.job_created_at - SLACK).timestamp()))}
    asked = {"limit": "100", **(params or since)}  # a list narrowed to one payment is short anyway
    for _ in range(MOST_PAGES):
        reply = await call.http.get(path, params=asked, headers=headers)
        if reply.status == 400 and "created[gte]" in asked:
            del asked["created[gte]"]  # not every list takes it
            continue
        if reply.status >= 300:
            raise Interrupted(Unknown("LIST_REFUSED", "the provider refuses to list"))
        page: Any = reply.json()
        found = [o for o in page["data"] if (o.get("metadata") or {}).get("job_id") == call.job_id]
        if found or not page["has_more"]:
            return found[0] if found else None
        asked["starting_after"] = page["data"][-1]["id"]
    raise Interrupted(Unknown("LIST_TOO_LONG", "the provider's list is too long to look through"))
