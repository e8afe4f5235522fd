"""What a provider has accepted and not done is called off, and the truth is told of what could not be."""

from dataclasses import replace

import pytest

from integration.common.v1.money_pb2 import Money
from integration.payments.v1 import payments_service_pb2 as payments
from spokes.echo.sandbox import Sandbox
from spokes.kit import registry
from spokes.kit.errors import BadManifest, BadSpoke
from spokes.kit.manifest import load_manifest
from tests.spokes.harness import Work, account, http_server, operation, serving

AMOUNT = Money(minor_units=1250, currency_code="EUR")
KINDS = {"Charge": payments.ChargeRequest, "Authorize": payments.AuthorizeRequest}


@pytest.fixture
async def sandbox():
    sandbox = Sandbox()
    async with http_server(sandbox.application()) as url:
        sandbox.url = url
        yield sandbox


@pytest.fixture
async def echo(sandbox, tmp_path):
    async with serving("echo", account(sandbox.url), tmp_path) as running:
        yield running


async def begun(echo, rpc="Charge", method="pm_action"):
    """A payment at Echo, and the work that calls it off."""
    work = Work(operation("echo", rpc), KINDS[rpc](amount=AMOUNT, payment_method=method))
    (result,) = await echo.hub.execute(work)
    off = replace(
        work, number=2, purpose="cancel", key="another", reference=result.outcome.provider_reference
    )
    return result.outcome, off


async def told(echo, work):
    """Kind and reason of what a work came to, and its evidence."""
    (result,) = await echo.hub.execute(work)
    kind = result.outcome.WhichOneof("kind")
    return kind, getattr(getattr(result.outcome, kind), "reason", ""), echo.evidence(result)


@pytest.mark.parametrize("rpc", KINDS)
async def test_a_payment_that_nobody_has_completed_is_called_off_once_with_its_evidence(echo, sandbox, rpc):
    outcome, off = await begun(echo, rpc)
    assert outcome.WhichOneof("kind") == "pending"
    kind, reason, evidence = await told(echo, off)
    assert (kind, reason) == ("declined", "CALLED_OFF")
    assert (evidence.purpose, evidence.res.outcome, evidence.res.reason) == (
        "cancel",
        "declined",
        "CALLED_OFF",
    )
    (payment,) = sandbox.payments.values()
    assert (payment["state"], payment["captured"]) == ("voided", 0)
    assert not await sandbox.act(payment["id"])
    looking = replace(off, number=3, purpose="look_up", key="")
    assert (await told(echo, looking))[:2] == ("declined", "CALLED_OFF")


async def test_one_that_was_completed_just_before_has_succeeded(echo, sandbox):
    outcome, off = await begun(echo)
    assert await sandbox.act(outcome.provider_reference)
    assert (await told(echo, off))[:2] == ("succeeded", "")
    (payment,) = sandbox.payments.values()
    assert payment["captured"] == 1250


async def test_one_that_cannot_be_called_off_any_more_is_still_pending(echo):
    _, off = await begun(echo, method="pm_pending")
    assert (await told(echo, off))[:2] == ("pending", "")


async def test_one_that_the_provider_does_not_know_is_no_no(echo):
    _, off = await begun(echo)
    assert (await told(echo, replace(off, reference="pay_9")))[:2] == ("unknown", "CANCEL_REFUSED")
    assert (await told(echo, replace(off, number=3, reference="")))[:2] == ("not_sent", "NO_REFERENCE")


async def test_what_the_manifest_does_not_name_is_not_called_off(echo, sandbox):
    _, off = await begun(echo)
    wrong = replace(
        off, operation=operation("echo", "Refund"), request=payments.RefundRequest(payment_id="a")
    )
    assert (await told(echo, wrong))[:2] == ("not_sent", "NO_CANCEL")
    (payment,) = sandbox.payments.values()
    assert payment["state"] == "pending"


@pytest.fixture
def manifest(tmp_path):
    """Echo's manifest with a change, as a file."""

    def change(old, new):
        folder = tmp_path / "echo"
        folder.mkdir()
        file = folder / "spoke.toml"
        text = (registry.root() / "echo" / "spoke.toml").read_text()
        assert old in text
        file.write_text(text.replace(old, new))
        return file

    return change


def test_only_what_is_confirmed_later_can_be_called_off(manifest):
    file = manifest("Void = {}", "Void = { can_cancel = true }")
    with pytest.raises(BadManifest, match=r"operations\.Void\.can_cancel"):
        load_manifest(file)


def test_code_that_can_cancel_and_a_manifest_that_does_not_say_so_are_no_spoke(manifest, monkeypatch):
    file = manifest("can_cancel = true", "can_cancel = false")
    silent = load_manifest(file)
    monkeypatch.setattr(registry, "manifest", lambda name: silent)
    with pytest.raises(BadSpoke, match="cancel"):
        registry.build("echo")
