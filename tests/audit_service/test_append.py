"""Appending: what is acknowledged stands and proves itself; what is refused spoils nothing else."""

import asyncio
import uuid

import grpc
import pytest

from integration.audit.v1 import audit_service_pb2 as pb
from mesh.errors import reason_of
from mesh.evidence import merkle, statement
from mesh.evidence.checkpoint import open_checkpoint
from mesh.evidence.dsse import open_envelope, seal
from mesh.evidence.keys import SigningKey
from mesh.evidence.parse import parse_statement
from mesh.evidence.receipt import verify_receipt
from tests.audit_service.rig import (
    HUB,
    OP,
    SPOKE,
    Callers,
    confirmation,
    evidence,
    intent,
    new_job,
    reasons,
)

KEYS_AT_START = 3
_T = "2026-01-02T00:00:00.000000000Z"


def _check_receipts(callers: Callers, envelopes: list[bytes], response: pb.AppendResponse) -> list[int]:
    checkpoint = open_checkpoint(response.checkpoint, callers.rig.vkey)
    for envelope, result in zip(envelopes, response.results, strict=True):
        verify_receipt(result.receipt, envelope=envelope, checkpoint=checkpoint)
    return [result.receipt.index for result in response.results]


async def test_every_statement_gets_a_receipt_that_leads_to_the_signed_checkpoint(callers: Callers) -> None:
    envelopes = [callers.sealed(intent(new_job())) for _ in range(20)]
    indexes = _check_receipts(callers, envelopes, await callers.append(*envelopes))
    assert indexes == list(range(KEYS_AT_START, KEYS_AT_START + 20))


async def test_the_first_entries_are_the_keys_and_the_services_own_is_entry_zero(callers: Callers) -> None:
    entries = [
        await callers.stub("operator").GetEntry(pb.GetEntryRequest(index=index))
        for index in range(KEYS_AT_START)
    ]
    assert [reply.entry.kind for reply in entries] == ["key.add"] * KEYS_AT_START
    added = parse_statement(open_envelope(entries[0].entry.envelope).payload)
    assert isinstance(added, statement.KeyAdd)
    assert added.holder == added.maker.id == "spiffe://integration.local/audit/audit"


async def test_the_same_bytes_again_get_the_same_index_and_a_path_to_the_new_checkpoint(
    callers: Callers,
) -> None:
    envelope = callers.sealed(intent(new_job()))
    (first,) = _check_receipts(callers, [envelope], await callers.append(envelope))
    for _ in range(6):  # so many that the first tiles are no longer in memory
        await callers.receipts(*[intent(new_job()) for _ in range(256)])
    again = await callers.append(envelope, envelope)
    assert _check_receipts(callers, [envelope, envelope], again) == [first, first]
    assert open_checkpoint(again.checkpoint, callers.rig.vkey).size == KEYS_AT_START + 1 + 6 * 256


async def test_the_same_id_with_other_bytes_is_a_conflict(callers: Callers) -> None:
    one = intent(new_job())
    await callers.receipts(one)
    other = intent(new_job(), id=one.id)
    assert reasons(await callers.append(callers.sealed(other))) == ["CONFLICT"]
    twins = [intent(new_job(), id=str(uuid.UUID(int=number))) for number in (7, 7)]
    assert reasons(await callers.append(*map(callers.sealed, twins))) == ["", "CONFLICT"]


async def test_an_attempt_has_one_intent_and_one_evidence(callers: Callers) -> None:
    job = new_job()
    (receipt,) = await callers.receipts(intent(job))
    assert reasons(await callers.append(callers.sealed(intent(job)))) == ["ALREADY_STATED"]
    await callers.receipts(evidence(job, receipt))
    other = evidence(job, receipt, res=statement.Result("declined", _T))
    assert reasons(await callers.append(callers.sealed(other))) == ["CONFLICT"]
    twins = [intent(job, 2), intent(job, 2)]
    assert reasons(await callers.append(*map(callers.sealed, twins))) == ["", "ALREADY_STATED"]


async def test_evidence_needs_its_own_intent_in_the_log_before_it(callers: Callers) -> None:
    job, other = new_job(), new_job()
    mine, theirs = await callers.receipts(intent(job), intent(other))
    wrong = [
        evidence(new_job(), mine),
        evidence(job, theirs),
        evidence(job, mine, intent=statement.IntentRef(mine.index, "00" * 32)),
        evidence(job, mine, purpose="look_up"),
        evidence(job, mine, op=statement.Operation("stripe", "other", OP.service, OP.method)),
        evidence(job, mine, tenant="another"),
    ]
    assert reasons(await callers.append(*map(callers.sealed, wrong))) == ["NO_INTENT"] * len(wrong)
    await callers.receipts(evidence(job, mine))


async def test_evidence_cannot_guess_the_receipt_of_an_intent_in_the_same_batch(callers: Callers) -> None:
    job = new_job()
    before = await callers.stub("hub").GetCheckpoint(pb.GetCheckpointRequest())
    size = open_checkpoint(before.checkpoint, callers.rig.vkey).size
    envelope = callers.sealed(intent(job))
    guess = pb.AppendResult().receipt
    guess.index, guess.leaf_hash = size, merkle.leaf_hash(envelope)
    response = await callers.append(envelope, callers.sealed(evidence(job, guess)))
    assert reasons(response) == ["", "NO_INTENT"]


async def test_who_may_say_what(callers: Callers) -> None:
    job = new_job()
    (receipt,) = await callers.receipts(intent(job))
    hub, spoke = callers.rig.hub, callers.rig.spoke
    by_hub, by_spoke = statement.Maker(HUB, "ab", 1), statement.Maker(SPOKE, "ab", 1)
    elsewhere = statement.Operation("smtp", "default", OP.service, OP.method)
    another_hub = statement.Maker("spiffe://integration.local/hub/another", "ab", 1)
    wrong = [
        seal(intent(job, 2, maker=another_hub).payload(), hub),
        seal(intent(job, 2, maker=by_spoke).payload(), spoke),
        seal(intent(job, 2).payload(), spoke),
        seal(evidence(job, receipt, maker=by_hub).payload(), hub),
        seal(evidence(job, receipt, op=elsewhere).payload(), spoke),
        seal(confirmation(job).payload(), hub),
        seal(statement.KeyAdd(_T, by_hub, hub.keyid, HUB, hub.public.to_base64()).payload(), hub),
    ]
    assert reasons(await callers.append(*wrong)) == ["NOT_ENTITLED"] * len(wrong)
    await callers.receipts(confirmation(job))
    unknown = evidence(job, receipt, maker=by_hub, res=statement.Result("unknown", _T))
    await callers.receipts(unknown)


async def test_a_signature_must_verify_with_a_known_key(callers: Callers) -> None:
    good = callers.sealed(intent(new_job()))
    stranger = seal(intent(new_job()).payload(), SigningKey.generate())
    other = callers.sealed(intent(new_job()))
    swapped = good[:-100] + other[-100:]
    assert reasons(await callers.append(stranger, swapped)) == ["BAD_SIGNATURE"] * 2


async def test_refusals_do_not_spoil_the_batch(callers: Callers) -> None:
    good = [callers.sealed(intent(new_job())) for _ in range(40)]
    bad = [b"{}", good[0] + b" ", seal(b'{"v":2}', callers.rig.hub), seal(b"{", callers.rig.hub)]
    mixed = [*good[:20], *bad, *good[20:]]
    response = await callers.append(*mixed)
    assert reasons(response) == [""] * 20 + ["MALFORMED"] * len(bad) + [""] * 20
    indexes = [result.receipt.index for result in response.results if result.HasField("receipt")]
    assert indexes == list(range(KEYS_AT_START, KEYS_AT_START + 40))


async def test_a_batch_of_refusals_answers_with_the_head_as_it_is(callers: Callers) -> None:
    response = await callers.append(b"{}")
    assert reasons(response) == ["MALFORMED"]
    assert open_checkpoint(response.checkpoint, callers.rig.vkey).size == KEYS_AT_START


async def test_each_answer_proves_that_it_continues_the_tree_the_caller_knows(callers: Callers) -> None:
    known = open_checkpoint((await callers.append(b"{}")).checkpoint, callers.rig.vkey)
    for count in (1, 2, 5, 255, 256, 1):
        envelopes = [callers.sealed(intent(new_job())) for _ in range(count)]
        response = await callers.append(*envelopes, last_size=known.size)
        head = open_checkpoint(response.checkpoint, callers.rig.vkey)
        merkle.verify_consistency(
            from_size=known.size,
            to_size=head.size,
            path=response.consistency,
            from_root=known.root,
            to_root=head.root,
        )
        known = head


async def test_a_caller_that_knows_a_larger_tree_is_refused_before_anything_is_written(
    callers: Callers,
) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await callers.append(callers.sealed(intent(new_job())), last_size=1_000)
    assert caught.value.code() is grpc.StatusCode.FAILED_PRECONDITION
    assert reason_of(caught.value) == "SIZE_BEYOND_LOG"
    reply = await callers.stub("hub").GetCheckpoint(pb.GetCheckpointRequest())
    assert open_checkpoint(reply.checkpoint, callers.rig.vkey).size == KEYS_AT_START


async def test_many_callers_at_once_share_batches_and_leave_no_gap(callers: Callers) -> None:
    envelopes = [callers.sealed(intent(new_job())) for _ in range(300)]
    responses = await asyncio.gather(*(callers.append(envelope) for envelope in envelopes))
    indexes = [
        index
        for envelope, response in zip(envelopes, responses, strict=True)
        for index in _check_receipts(callers, [envelope], response)
    ]
    assert sorted(indexes) == list(range(KEYS_AT_START, KEYS_AT_START + 300))
    checkpoints = {response.checkpoint for response in responses}
    assert len(checkpoints) < 150
    assert await callers.findings() == []


async def test_only_the_hub_appends(callers: Callers) -> None:
    for role in ("operator", "core"):
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await callers.stub(role).Append(pb.AppendRequest(envelopes=[b"{}"]))
        assert caught.value.code() is grpc.StatusCode.PERMISSION_DENIED
