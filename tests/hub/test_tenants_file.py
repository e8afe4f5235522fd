"""The file that says who may act for which tenant, and what each tenant may use."""

import base64
import json
from pathlib import Path

import pytest

from hub import tenants_file
from hub.errors import AccountNotAllowed, TenantNotPermitted
from hub.tenants import Tenants
from mesh.caller import set_caller
from mesh.identity import SpiffeId
from mesh.settings import SettingsError

SHOP = "spiffe://integration.local/core/shop"
WRITTEN = {
    "callers": {SHOP: ["acme", "beta"]},
    "tenants": {
        "acme": {"accounts": ["stripe/acme-live", "echo/*"]},
        "beta": {"accounts": ["stripe/beta-live", "stripe/beta-test"]},
        "gamma": {"accounts": []},
        "*": {"accounts": ["echo/default"]},
    },
}


def load(path: Path, written: object) -> Tenants:
    """What a file with this content is read as."""
    file = path / "tenants.json"
    file.write_text(written if isinstance(written, str) else json.dumps(written))
    return tenants_file.load(file)


@pytest.mark.parametrize(
    ("tenant", "provider", "named", "used"),
    [
        ("acme", "stripe", "", "acme-live"),
        ("acme", "stripe", "acme-live", "acme-live"),
        ("acme", "stripe", "beta-live", None),
        ("acme", "echo", "", "default"),
        ("acme", "echo", "third", "third"),
        ("acme", "smtp", "", None),
        ("beta", "stripe", "", None),
        ("beta", "stripe", "beta-test", "beta-test"),
        ("gamma", "echo", "default", None),
        ("nobody", "echo", "", "default"),
        ("nobody", "stripe", "", None),
    ],
)
def test_a_tenant_may_use_the_accounts_of_its_entry_and_has_its_only_one_by_default(
    tmp_path: Path, tenant: str, provider: str, named: str, used: str | None
) -> None:
    rights = load(tmp_path, WRITTEN).rights(tenant)
    if used is not None:
        assert rights.account(provider, named) == used
        return
    with pytest.raises(AccountNotAllowed):
        rights.account(provider, named)


def test_without_an_entry_a_tenant_may_use_nothing(tmp_path: Path) -> None:
    tenants = load(tmp_path, {"callers": {SHOP: ["*"]}})
    with pytest.raises(AccountNotAllowed):
        tenants.rights("acme").account("echo", "default")


def test_a_caller_acts_for_the_tenants_of_its_entry(tmp_path: Path) -> None:
    tenants = load(tmp_path, WRITTEN)
    set_caller(SpiffeId.parse(SHOP))
    tenants.check("acme")
    with pytest.raises(TenantNotPermitted):
        tenants.check("gamma")


@pytest.mark.parametrize(
    ("written", "at_fault"),
    [
        ("[", "tenants.json"),
        ('{"tenants": {"acme": {}, "acme": {}}}', "tenants.json"),
        ([], "tenants.json"),
        ({"tenant": {}}, "tenants.json"),
        ({"callers": []}, "callers"),
        ({"callers": {"core/shop": ["acme"]}}, "callers"),
        ({"callers": {SHOP: "acme"}}, f"callers.{SHOP}"),
        ({"callers": {SHOP: ["acme", "Acme"]}}, f"callers.{SHOP}[1]"),
        ({"callers": {SHOP: [7]}}, f"callers.{SHOP}[0]"),
        ({"tenants": {"Acme": {}}}, "tenants"),
        ({"tenants": {"acme": []}}, "tenants.acme"),
        ({"tenants": {"acme": {"account": []}}}, "tenants.acme"),
        ({"tenants": {"acme": {"foreign_references": 1}}}, "tenants.acme.foreign_references"),
        ({"tenants": {"acme": {"events": []}}}, "tenants.acme.events"),
        ({"tenants": {"acme": {"events": {}}}}, "tenants.acme.events.url"),
        ({"tenants": {"acme": {"events": {"url": "http://core.example/events"}}}}, "tenants.acme.events.url"),
        ({"tenants": {"acme": {"events": {"url": "https://10.0.0.7/events"}}}}, "tenants.acme.events.url"),
        ({"tenants": {"acme": {"events": {"url": "http://localhost/events"}}}}, "tenants.acme.events.url"),
        ({"tenants": {"acme": {"events": {"url": "https://u:p@a.example/"}}}}, "tenants.acme.events.url"),
        ({"tenants": {"acme": {"events": {"url": "https://a.example/"}}}}, "tenants.acme.events.secret_file"),
        ({"tenants": {"acme": {"events": {"secret": "whsec_"}}}}, "tenants.acme.events.secret"),
        ({"tenants": {"acme": {"events": {"allow_private": 1, "url": "x"}}}}, "tenants.acme.events"),
        ({"tenants": {"acme": {"accounts": "echo/*"}}}, "tenants.acme.accounts"),
        ({"tenants": {"acme": {"accounts": ["echo/*", "*"]}}}, "tenants.acme.accounts[1]"),
        ({"tenants": {"acme": {"accounts": ["*/*"]}}}, "tenants.acme.accounts[0]"),
        ({"tenants": {"acme": {"accounts": ["echo/"]}}}, "tenants.acme.accounts[0]"),
        ({"tenants": {"acme": {"accounts": ["echo/a/b"]}}}, "tenants.acme.accounts[0]"),
        ({"tenants": {"acme": {"accounts": ["echo/\ud800"]}}}, "tenants.acme.accounts[0]"),
        ({"tenants": {"acme": {"accounts": [["echo", "*"]]}}}, "tenants.acme.accounts[0]"),
        ({"tenants": {"acme": {"accounts": ["echo/a"] * 10_001}}}, "tenants.acme.accounts"),
    ],
)
def test_a_file_that_breaks_its_rules_stops_the_start_and_the_key_is_named(
    tmp_path: Path, written: object, at_fault: str
) -> None:
    with pytest.raises(SettingsError, match=r"^tenants\.json") as refused:
        load(tmp_path, written)
    assert at_fault in str(refused.value)


def test_an_endpoint_is_read_with_all_its_secrets_and_shows_none_of_them(tmp_path: Path) -> None:
    keys = [b"k" * 24, b"l" * 32]
    lines = [f"whsec_{base64.b64encode(key).decode()}" for key in keys]
    (tmp_path / "acme").write_text("\n".join(lines))
    entry = {"url": "http://127.0.0.1:8080/t0ken", "secret_file": "acme", "allow_private": True}
    rights = load(tmp_path, {"tenants": {"acme": {"events": entry}}}).rights("acme")
    assert rights.events is not None
    assert (rights.events.url, list(rights.events.keys)) == (entry["url"], keys)
    assert not [secret for secret in ("t0ken", "kkk", lines[0]) if secret in repr(rights)]


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="bytes"):
        load(tmp_path, '{"callers": {}}' + " " * tenants_file.MOST_BYTES)
