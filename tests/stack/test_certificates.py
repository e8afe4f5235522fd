"""Identities and keys of the stack."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hubctl.errors import CertificateExpired
from hubctl.identities import refuse_if_expired
from local.stack import certificates
from local.stack.layout import ORIGIN, TRUST_DOMAIN, Layout
from mesh.ca import CertificateAuthority
from mesh.evidence.checkpoint import Vkey
from mesh.evidence.keys import load_producers
from mesh.identity import Identity
from tests.fakes import HandClock


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    """A state directory with the files of one spoke's stack."""
    layout = Layout.at(tmp_path)
    layout.make()
    certificates.issue(layout, ("echo",), CertificateAuthority.create(TRUST_DOMAIN))
    certificates.make_keys(layout, ("echo",))
    return layout


def test_everybody_has_an_identity_of_their_role(layout: Layout) -> None:
    services = (certificates.HUB, certificates.CORE, certificates.ENVOY, ("spoke", "echo"))
    for role, name in (*services, *certificates.PEOPLE):
        assert Identity.load(layout.identity(role, name)).spiffe_id == certificates.spiffe_id(role, name)


def test_keys_of_statements_outlive_a_restart(layout: Layout) -> None:
    before = layout.producers.read_text(), layout.vkey.read_text()
    certificates.make_keys(layout, ("echo", "smtp"))
    after = json.loads(layout.producers.read_text())
    assert after[: len(json.loads(before[0]))] == json.loads(before[0])
    assert layout.vkey.read_text() == before[1]


def test_the_log_and_its_producers_are_known(layout: Layout) -> None:
    holders = {producer.holder for producer in load_producers(layout.producers).values()}
    assert holders == {f"spiffe://{TRUST_DOMAIN}/{who}" for who in ("hub/hub", "audit/audit", "spoke/echo")}
    assert Vkey.parse(layout.vkey.read_text()).name == ORIGIN


def test_private_keys_are_for_their_owner_only(layout: Layout) -> None:
    keys = [*layout.state.glob("keys/*.pem"), *layout.state.glob("identities/*/key.pem")]
    assert len(keys) == 4 + 9
    assert {key.stat().st_mode & 0o777 for key in keys} == {0o600}


def test_an_expired_certificate_is_named_with_its_remedy(layout: Layout) -> None:
    identity = layout.identity(*certificates.CORE)
    clock = HandClock(datetime.now(UTC))
    refuse_if_expired(identity, clock)
    clock.move(timedelta(hours=25).total_seconds())
    with pytest.raises(CertificateExpired, match="hubctl up"):
        refuse_if_expired(identity, clock)
