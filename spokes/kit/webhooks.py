"""Webhook signatures: the Standard Webhooks scheme, and freshness for all schemes. Pure."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from spokes.kit.accounts import Secret
from spokes.kit.errors import WebhookRefused
from spokes.kit.spoke import Delivery

TOLERANCE: Final = timedelta(seconds=300)

_SECRET_PREFIX: Final = "whsec_"  # noqa: S105 - a prefix, not a secret


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
    expected = [hmac.digest(standard_key(s.reveal()), content, hashlib.sha256) for s in secrets]
    # Every pair is compared, so the time tells nothing of which secret was near.
    if not sum(hmac.compare_digest(e, g) for e in expected for g in given):
        raise WebhookRefused("signature does not verify")
    check_fresh(signed_at, delivery.received_at)
    return message_id


def sign_standard(*, secret: str, message_id: str, signed_at: int, body: bytes) -> dict[str, str]:
    """The headers of a Standard Webhooks delivery; `signed_at` in seconds since 1970."""
    content = b"%b.%d.%b" % (message_id.encode(), signed_at, body)
    signature = base64.b64encode(hmac.digest(standard_key(secret), content, hashlib.sha256)).decode()
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(signed_at),
        "webhook-signature": f"v1,{signature}",
    }


def standard_key(secret: str) -> bytes:
    """The key in a secret: base64 after `whsec_`."""
    try:
        return base64.b64decode(secret.removeprefix(_SECRET_PREFIX), validate=True)
    except binascii.Error:
        raise WebhookRefused("a secret of ours is not base64 after whsec_") from None


def _signatures(header: str) -> list[bytes]:
    found = []
    for item in header.split(" ")[:16]:
        version, _, encoded = item.partition(",")
        if version == "v1":
            try:
                found.append(base64.b64decode(encoded, validate=True))
            except (binascii.Error, ValueError):
                continue
    return found
