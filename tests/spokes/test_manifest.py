"""Manifests: every mistake is refused by the name of its key."""

import copy
import tomllib

import pytest

from mesh.resolver import is_public
from spokes.kit import registry
from spokes.kit.errors import BadManifest
from spokes.kit.manifest import Replay, parse_manifest

ECHO = tomllib.loads((registry.root() / "echo" / "spoke.toml").read_text())


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
        ("accounts.default.read_share", 0.0, "accounts.default.read_share"),
        ("accounts.default.read_share", 1.0, "accounts.default.read_share"),
        ("operations.Charge.cache_seconds", 1, "operations.Charge.cache_seconds"),
        ("operations.GetPayment.cache_seconds", 3601, "cache_seconds"),
        ("accounts.default.max_concurrency", "many", "accounts.default.max_concurrency"),
        ("accounts.Bad Name", {}, "accounts.Bad Name"),
        ("webhook.scheme", "hope", "webhook.scheme"),
        ("webhook.methods", ["BREW"], "webhook.methods"),
        ("webhook.methods", ["post"], "webhook.methods"),
        ("webhook.content_types", ["text/plain; charset=utf-8"], "webhook.content_types"),
        ("webhook.content_types", ["*/*"], "webhook.content_types"),
        ("webhook.content_types", ["a/b"] * 17, "webhook.content_types"),
        ("webhook.max_bytes", (256 << 10) + 1, "webhook.max_bytes"),
        ("webhook.room", 0, "webhook.room"),
        ("webhook.room", 1025, "webhook.room"),
        ("webhook.path", "/", "webhook.path"),
        ("protocol", "ftp", "protocol"),
        ("account_keys.region", "[", "account_keys.region"),
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
