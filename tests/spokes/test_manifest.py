"""Manifests and accounts: every mistake is refused by the name of its key."""

import copy
import json
import tomllib

import pytest

from spokes.kit import registry
from spokes.kit.accounts import load_accounts
from spokes.kit.errors import BadAccounts, BadManifest
from spokes.kit.manifest import Replay, limited, parse_manifest
from spokes.kit.resolver import is_public

ECHO = tomllib.loads((registry.root() / "echo" / "spoke.toml").read_text())
EGRESS = frozenset({"api.echo.example"})


def changed(path, value):
    values = copy.deepcopy(ECHO)
    *tables, key = path.split(".")
    table = values
    for name in tables:
        table = table.setdefault(name, {})
    table[key] = value
    return values


@pytest.mark.parametrize("name", registry.names())
def test_every_spoke_keeps_its_manifest(name):
    assert registry.build(name).handlers()


def test_operations_take_defaults_and_overrule_them():
    operations = {s.operation.rpc: s for s in parse_manifest(ECHO, folder="echo").operations.values()}
    assert operations["Charge"].replay is Replay.NATIVE_KEY
    assert operations["GetPayment"].replay is Replay.READ
    assert operations["Charge"].timeout == operations["GetPayment"].timeout


@pytest.mark.parametrize(
    ("path", "value", "named"),
    [
        ("name", "other", "name"),
        ("title", "", "title"),
        ("titel", "x", "titel"),
        ("capabilities", ["teleport"], "teleport"),
        ("pool.max", 0, "pool.max"),
        ("pool.min", 3, "pool.max"),
        ("pool.threads", 3, "pool.threads"),
        ("accounts", {}, "accounts"),
        ("accounts.default.max_concurrency", "many", "accounts.default.max_concurrency"),
        ("accounts.Bad Name", {}, "accounts.Bad Name"),
        ("webhook.scheme", "hope", "webhook.scheme"),
        ("operations.Charge.replay", "always", "operations.Charge.replay"),
        ("operations.Charge.replay", "read", "operations.Charge.replay"),
        ("operations.GetPayment.replay", "native_key", "operations.GetPayment.replay"),
        ("operations.Charge.window_seconds", 0, "operations.Charge.window_seconds"),
        ("operations.Charge.timeout_seconds", 0, "operations.Charge"),
        ("operations.Charge.timeout_seconds", -1, "operations.Charge.timeout_seconds"),
        ("operations.Charge.timeout", 5, "operations.Charge.timeout"),
        ("operations.Teleport", {}, "operations.Teleport"),
    ],
)
def test_a_mistake_in_a_manifest_is_refused_by_its_key(path, value, named):
    with pytest.raises(BadManifest) as refused:
        parse_manifest(changed(path, value), folder="echo")
    assert named in str(refused.value)


def accounts(tmp_path, **row):
    file = tmp_path / "accounts.json"
    file.write_text(json.dumps({"default": row}))
    return load_accounts(file, names=frozenset({"default"}), egress=EGRESS)["default"]


def test_an_account_hides_its_secrets(tmp_path):
    account = accounts(
        tmp_path, base_url="https://api.echo.example", api_key="canary", webhook_secrets=["canary"]
    )
    assert account.api_key.reveal() == "canary"
    assert "canary" not in repr(account)


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
        {"base_url": "https://api.echo.example", "sandbox": "yes"},
        {"base_url": "https://api.echo.example", "webhook_secrets": "one"},
        {"base_url": "https://api.echo.example", "api_key": 7},
        {"base_url": "https://api.echo.example", "limits": 7},
    ],
    ids=repr,
)
def test_an_account_leads_nowhere_else(tmp_path, row):
    with pytest.raises(BadAccounts) as refused:
        accounts(tmp_path, **row)
    assert "default." in str(refused.value)


def test_an_account_overrules_the_manifests_limits_key_by_key(tmp_path):
    account = accounts(tmp_path, base_url="https://api.echo.example", limits={"rate_per_second": 2.5})
    usual = parse_manifest(ECHO, folder="echo")
    spec = limited(usual, {"default": account.limits}).accounts["default"]
    assert (spec.rate_per_second, spec.burst) == (2.5, usual.accounts["default"].burst)


@pytest.mark.parametrize(
    "limits", [{"rate_per_second": "2"}, {"burst": 0}, {"max_concurrency": True}, {"rate": 2}]
)
def test_a_mistake_in_an_accounts_limits_is_refused_by_its_key(limits):
    with pytest.raises(BadManifest, match=f"default.limits.{next(iter(limits))}"):
        limited(parse_manifest(ECHO, folder="echo"), {"default": limits})


def test_a_sandbox_may_be_on_loopback(tmp_path):
    for host in ("127.0.0.1", "localhost", "[::1]"):
        assert accounts(tmp_path, base_url=f"http://{host}:8", sandbox=True).port == 8


def test_the_accounts_are_those_of_the_manifest(tmp_path):
    (tmp_path / "accounts.json").write_text(json.dumps({"other": {"base_url": "https://api.echo.example"}}))
    with pytest.raises(BadAccounts, match="default"):
        load_accounts(tmp_path / "accounts.json", names=frozenset({"default"}), egress=EGRESS)


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("8.8.8.8", True),
        ("10.1.2.3", False),
        ("127.0.0.1", False),
        ("169.254.169.254", False),
        ("::1", False),
    ],
)
def test_a_name_may_only_lead_to_public_addresses(address, public):
    assert is_public(address) is public
