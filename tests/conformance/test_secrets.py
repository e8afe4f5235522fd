"""No sensitive value in logs, spans, errors or evidence, whatever goes wrong."""

import json

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind

from mesh.clock import SystemClock
from mesh.evidence import dsse
from mesh.telemetry import Telemetry
from spokes.kit import registry
from spokes.kit.accounts_file import load_accounts
from spokes.kit.worker import Worker
from tests.conformance.bench import API_KEY, Bench
from tests.conformance.provider import Fault, scripted
from tests.spokes.harness import Work, account, operation, serving

FAULTS = [Fault.NONE, Fault.HTML, Fault.ERROR_500, Fault.UNAUTHORIZED_401, Fault.TRUNCATED, Fault.REFUSE]
TRACE = "0af7651916cd43dd8448eb211c80319c"


def script(operation, fault):
    specimen = registry.specimen(operation[0])
    return scripted(fault, specimen.replies[operation[1]], specimen.key_header)


def hidden(name):
    return [*registry.specimen(name).secrets, API_KEY]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda f: f.name.lower())
async def test_logs_and_evidence_hold_no_secret(effect, fault, tmp_path, caplog, capfd):
    name, rpc = effect
    async with script(effect, fault) as provider:
        provider.echo_back = " ".join(hidden(name)).encode()
        async with serving(name, account(provider.url), tmp_path) as spoke:
            work = Work(operation(name, rpc), registry.specimen(name).requests[rpc])
            (result,) = await spoke.hub.execute(work)
    evidence = dsse.open_envelope(result.evidence).payload.decode()
    outcome = result.outcome
    outcome.succeeded.ClearField("result")
    seen = evidence + caplog.text + "".join(capfd.readouterr()) + str(outcome)
    assert not [secret for secret in hidden(name) if secret in seen]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda f: f.name.lower())
async def test_spans_are_linked_and_hold_no_secret(effect, fault, tmp_path):
    name, rpc = effect
    exporter, traces = InMemorySpanExporter(), TracerProvider()
    traces.add_span_processor(SimpleSpanProcessor(exporter))
    manifest = registry.manifest(name)
    async with script(effect, fault) as provider:
        provider.echo_back = " ".join(hidden(name)).encode()
        file = tmp_path / "accounts.json"
        file.write_text(json.dumps(account(provider.url)))
        accounts = load_accounts(file, manifest)
        worker = Worker(
            manifest, registry.build(name), accounts, clock=SystemClock(), telemetry=Telemetry(traces)
        )
        await Bench(name, worker).ask(rpc)
        spans = exporter.get_finished_spans()
        await worker.close()
    client, internal = sorted(spans, key=lambda s: s.kind is SpanKind.INTERNAL)
    assert format(internal.context.trace_id, "032x") == TRACE
    assert client.kind is SpanKind.CLIENT
    assert client.parent.span_id == internal.context.span_id
    seen = "".join(span.to_json() for span in spans)
    assert not [secret for secret in hidden(name) if secret in seen]
