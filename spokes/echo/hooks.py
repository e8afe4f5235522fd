"""Echo's calls to us: events as JSON by Standard Webhooks; forms and challenges by a signed address."""

import base64
from collections.abc import Callable, Mapping
from typing import Any, Final

import orjson

from spokes.kit.accounts import Account
from spokes.kit.errors import WebhookRefused
from spokes.kit.spoke import Answer, Delivery, Event, Heard
from spokes.kit.url_signed import Fields, one, sign_url, verify_url
from spokes.kit.webhooks import (
    check_fresh,
    read_event,
    read_events,
    read_object,
    read_timestamp,
    verify_standard,
)

SIGNATURE: Final = "echo-signature"


def hear(account: Account, delivery: Delivery, read: Callable[[Mapping[str, Any]], Event]) -> Heard:
    """Verifies, then reads; raises WebhookRefused."""
    if SIGNATURE not in delivery.headers:
        event_id = verify_standard(delivery, account.webhook_secrets)
        return Heard([read_event({**read_object(delivery.body), "id": event_id}, read)])
    fields = verify_url(delivery, account.webhook_secrets, _given(delivery))
    check_fresh(read_timestamp(one(fields, "signed_at")), delivery.received_at)
    if delivery.method == "GET":
        return Heard(answer=Answer(one(fields, "challenge").encode()))
    return Heard(read_events([_item(value) for name, value in fields if name == "event"], read))


def sign(secret: str, url: str, fields: Fields) -> dict[str, str]:
    """The headers of a call with a signed address."""
    return {SIGNATURE: base64.b64encode(sign_url(secret, url, fields)).decode()}


def _given(delivery: Delivery) -> bytes:
    try:
        return base64.b64decode(delivery.headers[SIGNATURE], validate=True)
    except ValueError:
        raise WebhookRefused("the signature is not base64") from None


def _item(text: str) -> object:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return text
