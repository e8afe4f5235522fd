"""What a provider's code breaks is an outcome, and its words stay where they are."""

import json

import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from integration.spoke.v1 import outcome_pb2
from integration.spoke.v1 import spoke_service_pb2 as pb
from mesh.clock import SystemClock
from mesh.telemetry import Telemetry
from spokes.kit import envelope, registry
from spokes.kit.accounts_file import load_accounts
from spokes.kit.envelope import Task, Verdict
from spokes.kit.progress import Progress
from spokes.kit.worker import Worker
from tests.conformance.bench import Bench
from tests.spokes.harness import account, operation


class Broken:
    """A spoke whose code fails with what it was given, once it has got so far."""

    def __init__(self):
        self.progress = Progress.NOT_STARTED
        self.returns = False

    def handlers(self):
        return {"Charge": self.charge, "GetPayment": self.charge}

    async def charge(self, call, request):
        call.track.advance(self.progress)
        if self.returns:
            return
        raise ValueError(f"cannot charge {request} with {call.account.api_key.reveal()}")

    async def look_up(self, call, rpc, request):
        return await self.charge(call, request)


@pytest.fixture
def broken():
    return Broken()


@pytest.fixture
async def bench(tmp_path, broken):
    manifest, file = registry.manifest("echo"), tmp_path / "accounts.json"
    file.write_text(json.dumps(account("http://127.0.0.1:9")))
    accounts = load_accounts(file, manifest)
    worker = Worker(manifest, broken, accounts, clock=SystemClock(), telemetry=Telemetry(None))
    yield Bench("echo", worker)
    await worker.close()


async def test_a_handler_that_fails_once_a_byte_may_have_left_leaves_unknown_and_no_words(
    bench, broken, caplog
):
    broken.progress = Progress.WRITING
    outcome = await bench.ask("Charge")
    assert outcome.unknown.reason == "SPOKE_FAULT"
    assert "ValueError" in str([vars(record) for record in caplog.records])
    assert "canary" not in caplog.text + str(outcome) + str([vars(record) for record in caplog.records])


@pytest.mark.parametrize("returns", [False, True])
@pytest.mark.parametrize("progress", [Progress.NOT_STARTED, Progress.CONNECTING])
async def test_a_handler_that_fails_before_a_byte_left_has_sent_nothing(bench, broken, progress, returns):
    broken.progress, broken.returns = progress, returns
    outcome = await bench.ask("Charge")
    assert outcome.not_sent.cause == outcome_pb2.NOT_SENT_CAUSE_MISCONFIGURED
    assert outcome.not_sent.reason == "SPOKE_FAULT"
    assert (outcome.progress, outcome.HasField("sent_time")) == (int(progress), False)


async def test_an_attempt_that_cannot_even_begin_has_sent_nothing(bench):
    far = Timestamp(seconds=10**12)
    attempt = pb.Attempt(operation=operation("echo", "Charge"), account="default", job_create_time=far)
    deadline = SystemClock().now().timestamp() + 5
    verdict, body = envelope.read(await bench.worker.run(envelope.pack(Task.EXECUTE, deadline, attempt)))
    assert verdict is Verdict.DONE
    assert outcome_pb2.Outcome.FromString(body).not_sent.reason == "SPOKE_FAULT"


async def test_an_outcome_that_is_none_after_a_byte_left_is_unknown(bench, broken):
    broken.progress, broken.returns = Progress.WRITTEN, True
    outcome = await bench.ask("Charge")
    assert (outcome.unknown.reason, outcome.progress) == ("SPOKE_FAULT", int(Progress.WRITTEN))


async def test_a_read_that_fails_leaves_no_doubt(bench):
    assert (await bench.ask("GetPayment")).not_sent.reason == "SPOKE_FAULT"


@pytest.mark.parametrize("returns", [False, True])
async def test_a_look_up_that_fails_never_says_that_nothing_was_done(bench, broken, returns):
    broken.returns = returns
    assert (await bench.ask("Charge", task=Task.LOOK_UP)).unknown.reason == "SPOKE_FAULT"


async def test_an_attempt_whose_time_is_up_does_not_begin(bench):
    outcome = await bench.ask("Charge", seconds=-1)
    assert outcome.not_sent.reason == "NO_TIME_LEFT"


async def test_what_the_manifest_does_not_offer_is_not_done(bench):
    bench.name = "stripe"
    bench.worker._manifest = registry.manifest("smtp")
    outcome = await bench.ask("Charge")
    assert outcome.not_sent.reason == "NOT_OFFERED"
