"""Webhooks: the Standard Webhooks signature, freshness for all schemes, and bodies read with care."""

import base64
import hashlib
import hmac
import logging
import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

import orjson

from mesh.webhook_keys import standard_key
from spokes.kit.accounts import Secret
from spokes.kit.errors import Interrupted, WebhookRefused
from spokes.kit.outcome import Cause, NotSent
from spokes.kit.replies import Reply, not_understood
from spokes.kit.spoke import Delivery, Event

TOLERANCE: Final = timedelta(seconds=300)
NOT_UNDERSTOOD: Final = "not_understood"

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:+/=-]{0,254}").fullmatch

_log = logging.getLogger(__name__)


def check_fresh(signed_at: datetime, received_at: datetime, tolerance: timedelta = TOLERANCE) -> None:
    """Raises WebhookRefused for a signature too old or too far in the future."""
    if abs(received_at - signed_at) > tolerance:
        raise WebhookRefused("signed too long before or after it was received")


def read_timestamp(text: str) -> datetime:
    """Reads whole seconds since 1970; raises WebhookRefused."""
    if not text.isascii() or not text.isdecimal() or len(text) > 11:
        raise WebhookRefused("no readable time in the signature")
    return datetime.fromtimestamp(int(text), UTC)


def verify_standard(delivery: Delivery, secrets: Sequence[Secret]) -> str:
    """Verifies a Standard Webhooks 1.0 delivery (HMAC, `v1`) and returns its message id.

    Any of the secrets may have signed, and any of the signatures may be the right one. The
    signature comes first, freshness after it.
    """
    message_id, stamp = delivery.headers.get("webhook-id", ""), delivery.headers.get("webhook-timestamp", "")
    if not message_id or not secrets:
        raise WebhookRefused("no id, or no secret to verify with")
    signed_at = read_timestamp(stamp)
    given = _signatures(delivery.headers.get("webhook-signature", ""))
    content = b"%b.%b.%b" % (message_id.encode(), stamp.encode(), delivery.body)
    expected = [hmac.digest(key, content, hashlib.sha256) for key in _keys(secrets)]
    # Every pair is compared, so the time tells nothing of which secret was near.
    if not sum(hmac.compare_digest(e, g) for e in expected for g in given):
        raise WebhookRefused("signature does not verify")
    check_fresh(signed_at, delivery.received_at)
    return message_id


def read_object(body: bytes) -> dict[str, Any]:
    """Reads a verified body; raises WebhookRefused unless it is a JSON object."""
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise WebhookRefused("the body is not JSON") from None
    if not isinstance(found, dict):
        raise WebhookRefused("the body is not an object")
    return found


def read_event(data: dict[str, Any], read: Callable[[dict[str, Any]], Event]) -> Event:
    """What an event with `id` and `type` says; raises WebhookRefused where it has none.

    What cannot be understood, as after a change at the provider, is an event that says nothing about a
    job: it is kept and not asked for again. So is one whose reference is no job of ours.
    """
    event_id, kind = _name(data, "id"), _name(data, "type")
    try:
        event = read(data)
        event_is_ours = not event.job_id or str(UUID(event.job_id)) == event.job_id
    except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError, OSError) as error:
        _log.error("event not understood", extra={"event": event_id, "error": type(error).__name__})
        return Event(event_id, kind)
    return event if event_is_ours else replace(event, job_id="", outcome=None)


def read_events(items: Sequence[object], read: Callable[[dict[str, Any]], Event]) -> list[Event]:
    """What each of many events says; one without a fit id or type is not understood and spoils no other."""
    return [_one_of_many(item, read) for item in items]


def listed(reply: Reply) -> tuple[dict[str, Any], list[Any]]:
    """A page of a provider's list of events, and the items in its `data`.

    Raises Interrupted, which names the status of a refusal.
    """
    if reply.status >= 300:
        message = f"the provider refuses to list its events, with status {reply.status}"
        raise Interrupted(NotSent(Cause.UNSUPPORTED, f"HTTP_{reply.status}", message))
    page: dict[str, Any] = reply.json()
    items = page.get("data")
    if not isinstance(items, list):
        raise not_understood()
    return page, items


def sign_standard(*, secret: str, message_id: str, signed_at: int, body: bytes) -> dict[str, str]:
    """The headers of a Standard Webhooks delivery; `signed_at` in seconds since 1970."""
    content = b"%b.%d.%b" % (message_id.encode(), signed_at, body)
    signature = base64.b64encode(hmac.digest(standard_key(secret), content, hashlib.sha256)).decode()
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(signed_at),
        "webhook-signature": f"v1,{signature}",
    }


def _one_of_many(item: object, read: Callable[[dict[str, Any]], Event]) -> Event:
    try:
        return read_event(item if isinstance(item, dict) else {}, read)
    except WebhookRefused as refused:
        # It has no name that it could be kept under, so its content names it.
        content = orjson.dumps(item, option=orjson.OPT_SORT_KEYS)
        event_id = f"unread-{hashlib.sha256(content).hexdigest()[:32]}"
        _log.error("event not understood", extra={"event": event_id, "error": str(refused)})
        return Event(event_id, NOT_UNDERSTOOD)


def _name(data: dict[str, Any], key: str) -> str:
    name = data.get(key)
    if not isinstance(name, str) or not _NAME(name):
        raise WebhookRefused(f"an event without a fit {key}")
    return name


def _keys(secrets: Sequence[Secret]) -> list[bytes]:
    """The keys of the secrets that hold one: what is wrong with one secret does not spoil the others."""
    keys = []
    for secret in secrets:
        with suppress(ValueError):
            keys.append(standard_key(secret.reveal()))
    return keys


def _signatures(header: str) -> list[bytes]:
    found = []
    for item in header.split(" ")[:16]:
        version, _, encoded = item.partition(",")
        if version == "v1":
            with suppress(ValueError):
                found.append(base64.b64decode(encoded, validate=True))
    return found
