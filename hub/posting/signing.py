"""Signatures as Standard Webhooks 1.0 has them. Pure."""

import base64
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from datetime import datetime


def signed_headers(keys: Sequence[bytes], message_id: str, body: bytes, now: datetime) -> Mapping[str, str]:
    """The headers of a signed body of JSON: one `v1` signature for each key, so that keys can be replaced."""
    seconds = int(now.timestamp())
    content = b"%b.%d.%b" % (message_id.encode(), seconds, body)
    digests = (hmac.digest(key, content, hashlib.sha256) for key in keys)
    return {
        "Content-Type": "application/json",
        "webhook-id": message_id,
        "webhook-timestamp": str(seconds),
        "webhook-signature": " ".join(f"v1,{base64.b64encode(digest).decode()}" for digest in digests),
    }
