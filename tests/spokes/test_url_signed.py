"""Signatures over the public address and the form, against vectors that openssl and a provider made."""

import base64
from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import urlencode

import pytest

from spokes.kit.accounts import Secret
from spokes.kit.errors import WebhookRefused
from spokes.kit.spoke import Delivery
from spokes.kit.url_signed import MOST_FIELDS, Digest, read_form, sign_url, verify_url

SECRET, OLD = "auth-token-0123456789", "auth-token-9876543210"
URL, QUERY = "https://hooks.example.com/webhooks/acme/default", "b=2&a=1+x"
FIELDS = [("Tag", "b"), ("Name", "josé ß"), ("Empty", ""), ("Tag", ""), ("Amount", "12.50"), ("Tag", "a")]
# printf '%s' "$URL?${QUERY}Amount12.50EmptyNamejosé ßTagTagaTagb" |
#     openssl dgst -sha256 -hmac "$SECRET" -binary | base64
VECTORS: dict[Digest, str] = {
    "sha256": "FcEHTsxNPVtmxXr+hfXWYnYTp8zTa8ZdTBPSJ1lEhkM=",
    "sha1": "DK7PSt657pmZhVSW14Et6cjt/AQ=",
}
CALL = Delivery(
    body=urlencode(FIELDS).encode(),
    headers={},
    received_at=datetime(2026, 1, 1, tzinfo=UTC),
    url=URL,
    query=QUERY,
)


def given(digest: Digest = "sha256") -> bytes:
    return base64.b64decode(VECTORS[digest])


def test_the_published_vector_of_a_provider_holds() -> None:
    fields = {
        "CallSid": "CA1234567890ABCDE",
        "Digits": "1234",
        "From": "+14158675309",
        "To": "+18005551212",
        "Caller": "+14158675309",
    }
    signature = sign_url("12345", "https://mycompany.com/myapp.php?foo=1&bar=2", fields.items(), "sha1")
    assert base64.b64encode(signature) == b"RSOYDt4T1cUTdK1PDd93/VVr8B8="


@pytest.mark.parametrize("digest", ["sha256", "sha1"])
@pytest.mark.parametrize("secrets", [(SECRET,), (OLD, SECRET), (SECRET, OLD), ("", "short", SECRET)])
def test_any_live_secret_verifies_and_the_fields_come_in_their_order(
    digest: Digest, secrets: tuple[str, ...]
) -> None:
    assert verify_url(CALL, [Secret(s) for s in secrets], given(digest), digest=digest) == FIELDS


def test_a_call_without_a_form_is_its_query() -> None:
    call = replace(CALL, body=b"", method="GET")
    assert verify_url(call, [Secret(SECRET)], sign_url(SECRET, f"{URL}?{QUERY}", [])) == [
        ("b", "2"),
        ("a", "1 x"),
    ]


@pytest.mark.parametrize(
    "changes",
    [
        {"url": URL.replace("https", "http")},
        {"url": f"{URL}/"},
        {"url": ""},
        {"query": "a=1+x&b=2"},
        {"query": "b=2&a=1%20x"},
        {"query": ""},
        {"body": CALL.body + b"&more=1"},
        {"body": CALL.body.replace(b"12.50", b"12.51")},
        {"body": b""},
    ],
)
def test_another_address_query_or_form_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(WebhookRefused):
        verify_url(replace(CALL, **changes), [Secret(SECRET)], given())


@pytest.mark.parametrize("signature", [b"", b"\0" * 32, given()[:-1], given() + b"\0"])
def test_another_signature_is_refused(signature: bytes) -> None:
    with pytest.raises(WebhookRefused):
        verify_url(CALL, [Secret(SECRET)], signature)


@pytest.mark.parametrize("secret", ["", "x", "0123456789abcde"])
def test_a_secret_that_could_be_guessed_opens_nothing(secret: str) -> None:
    with pytest.raises(WebhookRefused):
        verify_url(CALL, [Secret(secret)], sign_url(secret, CALL.address, FIELDS))


@pytest.mark.parametrize("body", [b"\xff=1", b"a=%ff", b"&".join([b"a=1"] * (MOST_FIELDS + 1))])
def test_a_form_that_cannot_be_read_is_refused(body: bytes) -> None:
    with pytest.raises(WebhookRefused):
        read_form(body)
