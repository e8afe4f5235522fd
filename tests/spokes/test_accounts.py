"""The file of accounts: every mistake is refused at start by account and key, and no value is shown."""

import base64
import json
import tomllib

import pytest

from spokes.kit import registry
from spokes.kit.accounts_file import load_accounts
from spokes.kit.errors import BadAccounts, BadManifest
from spokes.kit.manifest import limited, parse_manifest

ECHO = parse_manifest(tomllib.loads((registry.root() / "echo" / "spoke.toml").read_text()), folder="echo")
URL = "https://api.echo.example"
GOOD = "whsec_" + base64.b64encode(b"g" * 24).decode()
CANARY = "canary_0815_canary"


def load(tmp_path, row, name="echo"):
    file = tmp_path / "accounts.json"
    file.write_text(json.dumps({"default": row}))
    return load_accounts(file, registry.manifest(name))["default"]


def refused(tmp_path, row, name="echo"):
    with pytest.raises(BadAccounts) as error:
        load(tmp_path, row, name)
    return str(error.value)


def test_an_account_hides_its_secrets(tmp_path):
    account = load(tmp_path, {"base_url": URL, "api_key": CANARY, "webhook_secrets": [GOOD]})
    assert account.api_key.reveal() == CANARY
    assert CANARY not in repr(account)
    assert GOOD not in repr(account)


@pytest.mark.parametrize(
    "row",
    [
        {"base_url": "http://127.0.0.1:1"},
        {"base_url": "http://api.echo.example"},
        {"base_url": "https://evil.example"},
        {"base_url": "https://api.echo.example.evil.example"},
        {"base_url": "https://api.echo.example@evil.example"},
        {"base_url": "https://user@api.echo.example"},
        {"base_url": "https://169.254.169.254"},
        {"base_url": "https://2130706433"},
        {"base_url": "http://10.0.0.1", "sandbox": True},
        {"base_url": "http://[::ffff:10.0.0.1]", "sandbox": True},
        {"base_url": ""},
        {"base_url": URL, "sandbox": "yes"},
        {"base_url": URL, "webhook_secrets": "one"},
        {"base_url": URL, "api_key": 7},
        {"base_url": URL, "limits": 7},
    ],
    ids=repr,
)
def test_an_account_leads_nowhere_else(tmp_path, row):
    assert "default." in refused(tmp_path, row)


@pytest.mark.parametrize(
    "more",
    [
        "\n",
        " ",
        "/a b",
        "/\n",
        ":0",
        ":99999",
        ":9:9",
        ":x",
        ":",
        "/\u00e9",
        "/a\\b",
        "/%zz",
        "?a=b",
        "?",
        "#a",
        "\u00e9",
        "\t",
    ],
    ids=repr,
)
def test_a_base_url_that_no_request_could_be_sent_to_is_refused(tmp_path, more):
    assert refused(tmp_path, {"base_url": URL + more}).startswith("default.base_url: ")


@pytest.mark.parametrize(
    "url", [" " + URL, "https://:pw@api.echo.example", "smtps://api.echo.example", "https://"]
)
def test_a_base_url_holds_no_more_than_an_address_that_the_provider_speaks(tmp_path, url):
    assert refused(tmp_path, {"base_url": url}).startswith("default.base_url: ")


@pytest.mark.parametrize("url", [URL, URL + "/", URL + ":8443/v1/%C3%A9", "https://api.echo.example/a.b_c~d"])
def test_an_address_with_port_and_path_is_taken(tmp_path, url):
    assert load(tmp_path, {"base_url": url}).base_url == url.rstrip("/")


UNSOUND = [
    f"{CANARY}\n",
    f"{CANARY}\r\n",
    f" {CANARY}",
    f"{CANARY} ",
    f"{CANARY}\u2013",
    f"\u9375{CANARY}",
    f"{CANARY}\t",
]


@pytest.mark.parametrize("value", [*UNSOUND, f"{CANARY}\0x", f"{CANARY}\x7fx", ""], ids=repr)
@pytest.mark.parametrize(("name", "key"), [("echo", "api_key"), ("smtp", "api_key"), ("smtp", "username")])
def test_what_no_header_can_hold_is_refused_by_account_and_key(tmp_path, name, key, value):
    url = {"echo": URL, "smtp": "smtps://smtp.example.com"}[name]
    said = refused(tmp_path, {"base_url": url, key: value}, name)
    assert said.startswith(f"default.{key}: ")
    assert "canary" not in said


@pytest.mark.parametrize(
    "bad",
    [
        "whsec_",
        "whsec_YQ==",
        "whsec_not base64!",
        "whsec_" + base64.b64encode(b"s" * 23).decode(),
        base64.b64encode(b"n" * 32).decode(),
        GOOD + "\n",
        " " + GOOD,
        GOOD + "\u00e9",
        "",
        7,
    ],
    ids=repr,
)
def test_one_standard_secret_that_is_no_key_stops_the_start(tmp_path, bad):
    said = refused(tmp_path, {"base_url": URL, "webhook_secrets": [GOOD, bad]})
    assert said.startswith("default.webhook_secrets[1]: ")
    assert not str(bad) or str(bad) == "whsec_" or str(bad) not in said


@pytest.mark.parametrize(
    "bad", ["", "whsec_", "whsec_123456789", f"whsec_{CANARY}\n", f"whsec_{CANARY}\u00e9"], ids=repr
)
def test_one_secret_of_another_scheme_that_can_be_guessed_or_not_sent_stops_the_start(tmp_path, bad):
    row = {"base_url": "https://api.stripe.com", "webhook_secrets": [f"whsec_{CANARY}", bad]}
    said = refused(tmp_path, row, "stripe")
    assert said.startswith("default.webhook_secrets[1]: ")
    assert "canary" not in said


@pytest.mark.parametrize("key", ["api-key", "apikey", "webhook_secret", "from_address"])
def test_a_key_that_the_provider_does_not_know_is_refused_by_its_name(tmp_path, key):
    said = refused(tmp_path, {"base_url": URL, key: CANARY})
    assert said.startswith(f"default.{key}: no such key")
    assert CANARY not in said


@pytest.mark.parametrize("types", ["card, link", "card,", "Card", "card link"])
def test_payment_method_types_are_names_and_commas(tmp_path, types):
    row = {"base_url": "https://api.stripe.com", "payment_method_types": types}
    assert refused(tmp_path, row, "stripe").startswith("default.payment_method_types: ")


@pytest.mark.parametrize(
    "sender", ["Shop <a@b.c>", "nonsense", "a@b.c,d@e.f", ".a@b.c", "=?utf-8?q?=0a?=@b.c", "grp:a@b.c"]
)
def test_a_from_address_is_one_plain_address(tmp_path, sender):
    row = {"base_url": "smtps://smtp.example.com", "from_address": sender}
    assert refused(tmp_path, row, "smtp").startswith("default.from_address: ")


def test_an_account_overrules_the_manifests_limits_key_by_key(tmp_path):
    account = load(tmp_path, {"base_url": URL, "limits": {"rate_per_second": 2.5}})
    spec = limited(ECHO, {"default": account.limits}).accounts["default"]
    assert (spec.rate_per_second, spec.burst) == (2.5, ECHO.accounts["default"].burst)


@pytest.mark.parametrize(
    "limits", [{"rate_per_second": "2"}, {"burst": 0}, {"max_concurrency": True}, {"rate": 2}]
)
def test_a_mistake_in_an_accounts_limits_is_refused_by_its_key(limits):
    with pytest.raises(BadManifest, match=f"default.limits.{next(iter(limits))}"):
        limited(ECHO, {"default": limits})


def test_a_sandbox_may_be_on_loopback(tmp_path):
    for host in ("127.0.0.1", "localhost", "[::1]"):
        assert load(tmp_path, {"base_url": f"http://{host}:8", "sandbox": True}).port == 8


def test_the_accounts_are_those_of_the_manifest(tmp_path):
    (tmp_path / "accounts.json").write_text(json.dumps({"other": {"base_url": URL}}))
    with pytest.raises(BadAccounts, match="default"):
        load_accounts(tmp_path / "accounts.json", ECHO)
