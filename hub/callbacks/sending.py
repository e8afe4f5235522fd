"""An event as a signed webhook, as Standard Webhooks 1.0 has it."""

import hashlib
import json
from datetime import datetime

from google.protobuf.json_format import MessageToDict

from hub.events.convert import told_to_proto
from hub.events.told import Told
from hub.posting.http import post
from hub.posting.signing import signed_headers
from hub.tenants import Endpoint


async def send(endpoint: Endpoint, told: Told, now: datetime) -> str | None:
    """Posts it; None if it was taken, else why not, which says nothing of the address."""
    body = payload(told)
    headers = signed_headers(endpoint.keys, message_id(told), body, now)
    return await post(endpoint.url, body, headers, public_only=not endpoint.allow_private)


def message_id(told: Told) -> str:
    """The same whenever this event is posted, and for no other; receivers drop what they have by it."""
    name = "\0".join((told.lane, told.event_id, told.kind.name))
    return f"event_{hashlib.sha256(name.encode()).hexdigest()[:32]}"


def payload(told: Told) -> bytes:
    """The body: the same bytes whenever this event is posted."""
    kind = f"event.{told.kind.name.lower()}"
    data = MessageToDict(told_to_proto(told))
    return json.dumps({"type": kind, "timestamp": told.kept_at.isoformat(), "data": data}).encode()
