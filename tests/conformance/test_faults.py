"""Every fault gives the right outcome, and the provider acts at most once."""

import pytest

from integration.spoke.v1 import outcome_pb2
from spokes.kit import registry
from spokes.kit.envelope import Task
from tests.conformance.bench import API_KEY, KEY, bench
from tests.conformance.provider import Fault, scripted

DOWN = "PROVIDER_DOWN"
# Fault: the outcome of an operation with an effect, its reason or cause, and what the provider did.
EXPECTED = {
    Fault.REFUSE: ("not_sent", DOWN, 0),
    Fault.RESET_AT_ONCE: ("unknown", "REPLY_CUT", 0),
    Fault.RESET_IN_REQUEST: ("unknown", "REPLY_CUT", 0),
    Fault.RESET_AFTER_REQUEST: ("unknown", "REPLY_CUT", 1),
    Fault.SILENCE: ("unknown", "REPLY_TIMEOUT", 1),
    Fault.TRICKLE: ("unknown", "REPLY_TIMEOUT", 1),
    Fault.TRUNCATED: ("unknown", "REPLY_CUT", 1),
    Fault.HUGE: ("unknown", "REPLY_TOO_LARGE", 1),
    Fault.HTML: ("unknown", "REPLY_NOT_UNDERSTOOD", 1),
    Fault.NOT_AN_OBJECT: ("unknown", "REPLY_NOT_UNDERSTOOD", 1),
    Fault.REDIRECT: ("unknown", "UNEXPECTED_REPLY", 0),
    Fault.ERROR_500: ("unknown", "PROVIDER_ERROR", 1),
    Fault.BUSY_503: ("unknown", "PROVIDER_ERROR", 1),
    Fault.DOWN_503: ("not_sent", DOWN, 0),
    Fault.THROTTLED_429: ("not_sent", "THROTTLED", 0),
    Fault.UNAUTHORIZED_401: ("not_sent", "MISCONFIGURED", 0),
}


def script(operation, fault):
    specimen = registry.specimen(operation[0])
    return scripted(fault, specimen.replies[operation[1]], specimen.key_header)


def seconds(fault):
    return 0.3 if fault in (Fault.SILENCE, Fault.TRICKLE) else 5.0


def cause_of(outcome):
    return outcome_pb2.NotSentCause.Name(outcome.not_sent.cause).removeprefix("NOT_SENT_CAUSE_")


async def test_a_good_reply_is_the_answer(effect, tmp_path):
    async with script(effect, Fault.NONE) as provider, bench(effect[0], provider.url, tmp_path) as spoke:
        outcome = await spoke.ask(effect[1])
    assert outcome.WhichOneof("kind") in ("succeeded", "pending")
    assert outcome.progress == outcome_pb2.SEND_PROGRESS_REPLY_READ
    assert outcome.provider_reference
    assert len(provider.effects) == 1


@pytest.mark.parametrize("fault", EXPECTED, ids=lambda f: f.name.lower())
async def test_a_fault_of_an_operation_with_an_effect(effect, fault, tmp_path):
    kind, why, done = EXPECTED[fault]
    async with script(effect, fault) as provider, bench(effect[0], provider.url, tmp_path) as spoke:
        outcome = await spoke.ask(effect[1], seconds=seconds(fault))
    assert outcome.WhichOneof("kind") == kind
    assert (cause_of(outcome) if kind == "not_sent" else outcome.unknown.reason) == why
    assert len(provider.effects) == done
    assert len(provider.requests) <= 1
    left = outcome.progress >= outcome_pb2.SEND_PROGRESS_WRITING
    assert left == outcome.HasField("sent_time") == (fault is not Fault.REFUSE)


@pytest.mark.parametrize("fault", EXPECTED, ids=lambda f: f.name.lower())
async def test_a_fault_of_a_read_says_what_was_sent_and_is_sent_once(read, fault, tmp_path):
    kind, why, _ = EXPECTED[fault]
    async with script(read, fault) as provider, bench(read[0], provider.url, tmp_path) as spoke:
        outcome = await spoke.ask(read[1], seconds=seconds(fault))
    assert outcome.WhichOneof("kind") == kind
    assert (cause_of(outcome) if kind == "not_sent" else outcome.unknown.reason) == why
    assert not provider.effects
    assert len(provider.requests) <= 1
    left = outcome.progress >= outcome_pb2.SEND_PROGRESS_WRITING
    assert left == outcome.HasField("sent_time") == (fault is not Fault.REFUSE)


@pytest.mark.parametrize("fault", EXPECTED, ids=lambda f: f.name.lower())
async def test_a_look_up_that_cannot_ask_never_says_absent(effect, fault, tmp_path):
    async with script(effect, fault) as provider, bench(effect[0], provider.url, tmp_path) as spoke:
        outcome = await spoke.ask(effect[1], task=Task.LOOK_UP, seconds=seconds(fault))
    assert outcome.WhichOneof("kind") == "unknown"
    assert not provider.effects


@pytest.mark.parametrize("fault", [Fault.DOWN_503, Fault.THROTTLED_429], ids=lambda f: f.name.lower())
async def test_what_the_provider_asks_us_to_wait_is_passed_on(effect, fault, tmp_path):
    async with script(effect, fault) as provider, bench(effect[0], provider.url, tmp_path) as spoke:
        outcome = await spoke.ask(effect[1])
    assert outcome.not_sent.retry_after.seconds == {Fault.DOWN_503: 9, Fault.THROTTLED_429: 7}[fault]


async def test_the_same_key_twice_is_one_effect(effect, tmp_path):
    async with script(effect, Fault.NONE) as provider, bench(effect[0], provider.url, tmp_path) as spoke:
        await spoke.ask(effect[1])
        await spoke.ask(effect[1], number=2)
    header = provider.key_header.lower()
    assert [request.headers[header] for request in provider.requests] == [KEY, KEY]
    assert len(provider.effects) == 1


async def test_the_provider_learns_nothing_of_our_traces(effect, tmp_path):
    async with script(effect, Fault.NONE) as provider, bench(effect[0], provider.url, tmp_path) as spoke:
        await spoke.ask(effect[1])
    assert not {"traceparent", "tracestate", "baggage"} & set(provider.requests[0].headers)


@pytest.mark.parametrize("fault", [Fault.HTML, Fault.ERROR_500, Fault.UNAUTHORIZED_401, Fault.DOWN_503])
async def test_what_the_provider_echoes_goes_no_further(effect, fault, tmp_path, caplog):
    specimen = registry.specimen(effect[0])
    hidden = [s.encode() for s in (*specimen.secrets, API_KEY)]
    async with script(effect, fault) as provider, bench(effect[0], provider.url, tmp_path) as spoke:
        provider.echo_back = b" ".join(hidden)
        outcome = await spoke.ask(effect[1])
    seen = outcome.SerializeToString() + caplog.text.encode() + repr(vars(spoke.worker)).encode()
    assert not [secret for secret in hidden if secret in seen]
