"""What a provider's code breaks is an outcome, and its words stay where they are."""

import json

import pytest

from mesh.clock import SystemClock
from mesh.telemetry import Telemetry
from spokes.kit import registry
from spokes.kit.accounts import load_accounts
from spokes.kit.worker import Worker
from tests.conformance.bench import Bench
from tests.spokes.harness import account


class Broken:
    """A spoke whose code fails with what it was given."""

    def handlers(self):
        return {"Charge": self.charge}

    async def charge(self, call, request):
        raise ValueError(f"cannot charge {request.payment_method} with {call.account.api_key.reveal()}")


@pytest.fixture
async def bench(tmp_path):
    manifest, file = registry.manifest("echo"), tmp_path / "accounts.json"
    file.write_text(json.dumps(account("http://127.0.0.1:9")))
    accounts = load_accounts(file, names=frozenset(manifest.accounts), egress=manifest.egress)
    worker = Worker(manifest, Broken(), accounts, clock=SystemClock(), telemetry=Telemetry(None))
    yield Bench("echo", worker)
    await worker.close()


async def test_a_handler_that_fails_leaves_unknown_and_no_words(bench, caplog):
    outcome = await bench.ask("Charge")
    assert outcome.unknown.reason == "SPOKE_FAULT"
    assert "ValueError" in str([vars(record) for record in caplog.records])
    assert "canary" not in caplog.text + str(outcome) + str([vars(record) for record in caplog.records])


async def test_an_attempt_whose_time_is_up_does_not_begin(bench):
    outcome = await bench.ask("Charge", seconds=-1)
    assert outcome.not_sent.reason == "NO_TIME_LEFT"


async def test_what_the_manifest_does_not_offer_is_not_done(bench):
    bench.name = "stripe"
    bench.worker._manifest = registry.manifest("smtp")
    outcome = await bench.ask("Charge")
    assert outcome.not_sent.reason == "NOT_OFFERED"
