"""The keys with which webhooks are signed, as secrets write them. A key that anybody could guess is none."""

import base64
from typing import Final

LEAST_KEY_BYTES: Final = 24
"""As Standard Webhooks asks."""

_PREFIX: Final = "whsec_"


def standard_key(secret: str) -> bytes:
    """The key in a Standard Webhooks secret; raises ValueError, which shows nothing of it."""
    try:
        key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except ValueError:
        key = b""
    if not secret.startswith(_PREFIX) or len(key) < LEAST_KEY_BYTES:
        raise ValueError(f"not {_PREFIX} and base64 of {LEAST_KEY_BYTES} bytes or more")
    return key
