"""What the hub looks at in a delivery before anybody reads it, and the setting of its public address."""

from collections.abc import Mapping

import pytest

from hub.events.deliveries import Refusal, check_head, split_target, told_headers
from hub.events.model import WebhookRules
from hub.settings import webhook_public_url
from mesh.errors import SettingsError
from mesh.settings import Environment

TYPES = {"application/json", "application/x-www-form-urlencoded", "text/xml", "multipart/form-data"}
RULES = WebhookRules(frozenset({"GET", "POST"}), frozenset(TYPES), max_bytes=100, room=1)


@pytest.mark.parametrize(
    ("method", "headers", "status"),
    [
        ("POST", {"Content-Type": "application/json"}, 0),
        ("POST", {"Content-Type": "application/cloudevents+json; charset=UTF-8"}, 0),
        ("POST", {"Content-Type": "application/json; charset=utf-16"}, 415),
        ("POST", {"Content-Type": "text/json"}, 415),
        ("POST", {"Content-Type": "Multipart/Form-Data; boundary=x"}, 0),
        ("POST", {"Content-Type": "text/xml; charset=iso-8859-1"}, 0),
        ("POST", {"Content-Type": "application/xml"}, 415),
        ("POST", {}, 415),
        ("GET", {}, 0),
        ("GET", {"Content-Type": "text/html"}, 0),
        ("GET", {"Content-Type": "text/html", "Content-Length": "1"}, 415),
        ("GET", {"Content-Type": "text/html", "Transfer-Encoding": "chunked"}, 415),
        ("GET", {"Content-Encoding": "gzip"}, 415),
        ("PUT", {"Content-Type": "application/json"}, 405),
        ("get", {}, 405),
        ("POST", {"Content-Type": "text/xml", "Content-Length": "100"}, 0),
        ("POST", {"Content-Type": "text/xml", "Content-Length": "101"}, 413),
        ("GET", {f"x-{n}": "" for n in range(101)}, 431),
    ],
)
def test_only_what_the_manifest_names_is_read(method: str, headers: Mapping[str, str], status: int) -> None:
    if not status:
        check_head(method, headers, RULES)
        return
    with pytest.raises(Refusal) as refused:
        check_head(method, headers, RULES)
    assert refused.value.status == status


def test_path_and_query_stay_as_they_were_written() -> None:
    assert split_target("/webhooks/a/b/%2Bc?b=+&a=%20?") == ("/webhooks/a/b/%2Bc", "b=+&a=%20?")
    assert split_target("/webhooks/a/b") == ("/webhooks/a/b", "")


@pytest.mark.parametrize(
    ("target", "status"),
    [
        ("https://elsewhere.example/webhooks/a/b", 400),
        ("/webhooks/a/é", 400),
        ("/webhooks/a/b\t", 400),
        ("/" + "x" * 4096, 414),
        ("/?" + "x" * 8193, 414),
    ],
)
def test_a_target_that_no_address_holds_is_refused(target: str, status: int) -> None:
    with pytest.raises(Refusal) as refused:
        split_target(target)
    assert refused.value.status == status


def test_headers_that_no_contract_could_carry_are_left_out() -> None:
    assert told_headers({"X-A": "b c", "X-B": "a\tb", "X-C": "é", "X-D": ""}) == [("x-a", "b c"), ("x-d", "")]


@pytest.mark.parametrize(
    "url",
    ["", "https://hooks.example.com", "https://hooks.example.com:8443/in/v1", "http://127.0.0.1:7400"],
)
def test_the_public_address_is_one_that_providers_can_sign(url: str) -> None:
    assert webhook_public_url(Environment({"HUB_WEBHOOK_PUBLIC_URL": url})) == url


@pytest.mark.parametrize(
    "url",
    [
        "hooks.example.com",
        "http://hooks.example.com",
        "https://hooks.example.com/",
        "https://hooks.example.com/in/",
        "https://hooks.example.com?a=b",
        "https://user@hooks.example.com",
        "ftp://hooks.example.com",
        "https://hooks.example.com\n",
        "https://hooks.example.com/" + "x" * 1000,
    ],
)
def test_a_public_address_that_would_never_verify_stops_the_start(url: str) -> None:
    with pytest.raises(SettingsError, match="HUB_WEBHOOK_PUBLIC_URL") as refused:
        webhook_public_url(Environment({"HUB_WEBHOOK_PUBLIC_URL": url}))
    assert url not in str(refused.value)
