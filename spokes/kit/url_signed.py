"""Schemes that sign the public address and the form's fields instead of the raw bytes."""

import hmac
from collections.abc import Iterable, Sequence
from typing import Final, Literal, TypeAlias
from urllib.parse import parse_qsl

from spokes.kit.accounts import Secret
from spokes.kit.errors import WebhookRefused
from spokes.kit.spoke import Delivery

MOST_FIELDS: Final = 1000
LEAST_SECRET: Final = 16

Fields: TypeAlias = Sequence[tuple[str, str]]
Digest: TypeAlias = Literal["sha1", "sha256"]


def signed_text(url: str, fields: Iterable[tuple[str, str]]) -> bytes:
    """What is signed: the address as it was called, then each name with its value, in their order."""
    return (url + "".join(name + value for name, value in sorted(set(fields)))).encode()


def sign_url(secret: str, url: str, fields: Iterable[tuple[str, str]], digest: Digest = "sha256") -> bytes:
    """The signature, under the secret's own text."""
    return hmac.digest(secret.encode(), signed_text(url, fields), digest)


def verify_url(
    delivery: Delivery, secrets: Sequence[Secret], given: bytes, *, digest: Digest = "sha256"
) -> Fields:
    """Verifies a delivery by address and form; returns the form's fields, or the query's if it has none.

    Any of the secrets may have signed. Read only what this returns: of the body nothing but the fields is
    signed. The scheme holds no time: one that the provider sends is a field for `check_fresh`.
    """
    if not delivery.url:
        raise WebhookRefused("the hub was not told its public address")
    form = read_form(delivery.body)
    live = [s.reveal() for s in secrets if len(s.reveal()) >= LEAST_SECRET]
    expected = [sign_url(secret, delivery.address, form, digest) for secret in live]
    # Every secret is compared, so the time tells nothing of which one was near.
    if not sum(hmac.compare_digest(each, given) for each in expected):
        raise WebhookRefused("signature does not verify")
    return form or read_form(delivery.query.encode())


def read_form(body: bytes) -> Fields:
    """The fields of a form, in order; raises WebhookRefused."""
    try:
        return parse_qsl(body.decode(), keep_blank_values=True, errors="strict", max_num_fields=MOST_FIELDS)
    except ValueError:
        raise WebhookRefused("the form cannot be read") from None


def one(fields: Fields, name: str) -> str:
    """The value of a field that stands there once; raises WebhookRefused."""
    values = [value for key, value in fields if key == name]
    if len(values) != 1:
        raise WebhookRefused(f"not one field {name}")
    return values[0]
