"""Events as they come in the wild: doubled, contradictory, out of order, too early, not understood."""

import asyncio
import base64
import itertools
import json
import logging
from collections.abc import Mapping
from typing import Any

import pytest
from sqlalchemy import text

from hub.jobs.model import JobState
from tests.abuse.hearing import ECHO, STRIPE, Listener, Peer
from tests.hub.jobs import new_job

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.parametrize("peer", [ECHO, STRIPE], ids=lambda p: p.name),
]

_NUMBERS = itertools.count(10_000)


async def refused(
    listener: Listener, peer: Peer, body: Any, headers: Mapping[str, str], **options: Any
) -> int:
    """The status of a delivery that leaves nothing behind and says nothing of why."""
    before = await listener.kept()
    response = await listener.post(peer.path, body, headers, **options)
    assert await listener.kept() == before
    assert response.body == b""
    return response.status


async def test_w00_an_honest_delivery_settles_its_job(listener: Listener, peer: Peer, number: int) -> None:
    job = await listener.waiting_job(peer, number)
    body = peer.event(job.job_id, f"evt_{number}")
    assert await listener.deliver(peer, body, f"evt_{number}") == 204
    assert await listener.state(job) is JobState.SUCCEEDED
    assert await listener.handled(f"evt_{number}") == "applied"
    assert job.job_id in listener.settled


async def test_w04_a_room_full_of_copies_at_once_are_one_event(
    listener: Listener, peer: Peer, number: int
) -> None:
    job = await listener.waiting_job(peer, number)
    body, before = peer.event(job.job_id, f"evt_{number}"), await listener.kept()
    copies = (listener.deliver(peer, body, f"evt_{number}") for _ in range(64))
    assert set(await asyncio.gather(*copies)) == {204}
    assert await listener.kept() == before + 1
    told = "SELECT count(*) FROM job_event WHERE job_id = CAST(:id AS uuid) AND state = :state"
    assert await listener.value(told, id=job.job_id, state=int(JobState.SUCCEEDED)) == 1
    proofs = "SELECT count(*) FROM outbox WHERE job_id = CAST(:id AS uuid)"
    assert await listener.value(proofs, id=job.job_id) == 1


async def test_w04_a_redelivery_is_taken_and_changes_nothing(
    listener: Listener, peer: Peer, number: int, caplog: pytest.LogCaptureFixture
) -> None:
    job = await listener.waiting_job(peer, number)
    body = peer.event(job.job_id, f"evt_{number}")
    assert [await listener.deliver(peer, body, f"evt_{number}", seconds=s) for s in (0, 5)] == [204, 204]
    assert not [r for r in caplog.records if r.levelno >= logging.ERROR]


async def test_w04_the_same_id_with_another_content_changes_nothing_and_alarms(
    listener: Listener, peer: Peer, number: int, caplog: pytest.LogCaptureFixture
) -> None:
    job, other = await listener.waiting_job(peer, number), await listener.waiting_job(peer, next(_NUMBERS))
    first = peer.event(job.job_id, f"evt_{number}", state="pending")
    assert await listener.deliver(peer, first, f"evt_{number}") == 204
    for body in (peer.event(job.job_id, f"evt_{number}"), peer.event(other.job_id, f"evt_{number}")):
        caplog.clear()
        assert await listener.deliver(peer, body, f"evt_{number}") == 204
        errors = [r for r in caplog.records if r.levelno >= logging.ERROR]
        assert [r.event for r in errors] == [f"evt_{number}"]  # type: ignore[attr-defined]
    assert await listener.state(job) is JobState.WAITING_CONFIRMATION
    assert await listener.state(other) is JobState.WAITING_CONFIRMATION


@pytest.mark.parametrize(
    "changes",
    [
        {"type": "payment.teleported"},
        {"type": "customer.subscription.trial_will_end"},
        {"data": {}},
        {"data": None},
        {"data": {"object": []}},
        {"created": "yesterday"},
        {"created": 10**18},
        {"created": 10**30},
        {"api_version": "2099-01-01", "data": {"object": {"renamed": True}}},
    ],
    ids=str,
)
async def test_w08_an_event_that_is_not_understood_is_kept_and_not_asked_for_again(
    listener: Listener, peer: Peer, number: int, changes: dict[str, object]
) -> None:
    job, before = await listener.waiting_job(peer, number), await listener.kept()
    body = json.dumps({**json.loads(peer.event(job.job_id, f"evt_{number}")), **changes}).encode()
    assert await listener.deliver(peer, body, f"evt_{number}") == 204
    assert await listener.kept() == before + 1
    if "created" not in changes or peer is ECHO:
        assert await listener.state(job) is JobState.WAITING_CONFIRMATION


async def test_w08_a_state_that_nobody_knows_is_not_taken_for_success(
    listener: Listener, peer: Peer, number: int
) -> None:
    job = await listener.waiting_job(peer, number)
    body = json.loads(peer.event(job.job_id, f"evt_{number}"))
    if peer is ECHO:
        body["data"]["state"] = "teleported"
    else:
        body["data"]["object"]["status"] = "teleported"
    assert await listener.deliver(peer, json.dumps(body).encode(), f"evt_{number}") == 204
    assert await listener.state(job) is JobState.WAITING_CONFIRMATION


async def test_w09_an_event_for_a_job_that_is_not_there_is_held_and_matched_later(
    listener: Listener, peer: Peer, number: int
) -> None:
    body = peer.event(new_job(number).job_id, f"evt_{number}")
    assert await listener.deliver(peer, body, f"evt_{number}") == 204
    assert await listener.handled(f"evt_{number}") == "held"
    job = await listener.waiting_job(peer, number)
    assert await listener.events.apply(job.job_id)
    assert await listener.state(job) is JobState.SUCCEEDED


@pytest.mark.parametrize("reference", ["order-4711", "-" * 36, "", "0", "x" * 5000, "' OR 1=1 --", "\u202e"])
async def test_w09_a_reference_that_is_not_ours_is_kept_without_effect(
    listener: Listener, peer: Peer, number: int, reference: str
) -> None:
    body, before = peer.event(reference, f"evt_{number}"), await listener.kept()
    assert await listener.deliver(peer, body, f"evt_{number}") == 204
    assert await listener.kept() == before + 1


async def test_w09_a_provider_cannot_settle_anothers_job(listener: Listener, peer: Peer, number: int) -> None:
    job = await listener.waiting_job(STRIPE if peer is ECHO else ECHO, number)
    body = peer.event(job.job_id, f"evt_{number}")
    assert await listener.deliver(peer, body, f"evt_{number}") == 204
    assert await listener.state(job) is JobState.WAITING_CONFIRMATION
    assert await listener.handled(f"evt_{number}") == "held"


@pytest.mark.parametrize("what", ["amount", "currency", "taken", "reference"])
async def test_w11_an_event_that_contradicts_its_job_settles_nothing(
    listener: Listener, peer: Peer, number: int, what: str
) -> None:
    job = await listener.waiting_job(peer, number, reference="pay_1" if peer is ECHO else "pi_1")
    other = {
        "amount": {"amount": 1, "captured": 1, "amount_received": 1},
        "currency": {"currency": "jpy" if peer is STRIPE else "JPY"},
        "taken": {"captured": 1, "amount_received": 1},
        "reference": {"id": "somebody_elses"},
    }[what]
    honest = json.loads(peer.event(job.job_id, f"evt_{number}_b"))
    lie = json.loads(peer.event(job.job_id, f"evt_{number}_a"))
    peer.thing(lie).update(other)
    assert await listener.deliver(peer, json.dumps(lie).encode(), f"evt_{number}_a") == 204
    assert await listener.state(job) is JobState.WAITING_CONFIRMATION
    assert await listener.handled(f"evt_{number}_a") == "mismatch"
    alert = "SELECT ended_at IS NULL FROM alert WHERE alert_key = :key"
    assert await listener.value(alert, key=f"EventContradicts/{peer.name}/default/{job.job_id}")
    assert await listener.deliver(peer, json.dumps(honest).encode(), f"evt_{number}_b") == 204
    assert await listener.state(job) is JobState.SUCCEEDED


async def test_w11_an_event_of_another_operation_settles_nothing(
    listener: Listener, peer: Peer, number: int
) -> None:
    job = await listener.waiting_job(peer, number)
    body = json.loads(peer.event(job.job_id, f"evt_{number}"))
    if peer is ECHO:
        body["data"]["state"], body["type"] = "authorized", "payment.authorized"
    else:
        refund = {"id": "re_1", "object": "refund", "status": "succeeded", "amount": 1250, "currency": "eur"}
        refund |= {"payment_intent": "pi_1", "metadata": {"job_id": job.job_id}}
        body["data"]["object"], body["type"] = refund, "refund.updated"
    assert await listener.deliver(peer, json.dumps(body).encode(), f"evt_{number}") == 204
    assert await listener.state(job) is JobState.WAITING_CONFIRMATION
    assert await listener.handled(f"evt_{number}") == "mismatch"


async def test_w10_states_never_move_backwards(listener: Listener, peer: Peer, number: int) -> None:
    job = await listener.waiting_job(peer, number)
    for step, state in enumerate(("succeeded", "pending", "failed", "succeeded")):
        body = peer.event(job.job_id, f"evt_{number}_{step}", state=state)
        assert await listener.deliver(peer, body, f"evt_{number}_{step}") == 204
        assert await listener.state(job) is JobState.SUCCEEDED
    words = [await listener.handled(f"evt_{number}_{step}") for step in range(4)]
    assert words == ["applied", "late", "mismatch", "late"]


async def test_w10_an_older_state_first_is_only_noted(listener: Listener, peer: Peer, number: int) -> None:
    job = await listener.waiting_job(peer, number)
    await listener.deliver(
        peer, peer.event(job.job_id, f"evt_{number}_a", state="pending"), f"evt_{number}_a"
    )
    assert await listener.state(job) is JobState.WAITING_CONFIRMATION
    await listener.deliver(peer, peer.event(job.job_id, f"evt_{number}_b"), f"evt_{number}_b")
    assert await listener.state(job) is JobState.SUCCEEDED


async def test_w10_an_event_before_the_providers_own_reply_waits_for_it(
    listener: Listener, peer: Peer, number: int
) -> None:
    job = await listener.waiting_job(peer, number, claimed_term=1)
    assert await listener.deliver(peer, peer.event(job.job_id, f"evt_{number}"), f"evt_{number}") == 204
    assert await listener.handled(f"evt_{number}") == "held"
    async with listener.engine.begin() as connection:
        statement = "UPDATE job SET claimed_term = 0 WHERE job_id = CAST(:id AS uuid)"
        await connection.execute(text(statement), {"id": job.job_id})
    assert await listener.events.apply(job.job_id)
    assert await listener.state(job) is JobState.SUCCEEDED


async def test_w12_both_live_secrets_are_taken_and_a_revoked_one_is_not(
    listener: Listener, peer: Peer, number: int
) -> None:
    body = peer.event(new_job(number).job_id, f"evt_{number}")
    for secret in peer.secrets:
        assert await listener.deliver(peer, body, f"evt_{number}", secret=secret) == 204
    revoked = "whsec_" + base64.b64encode(b"revoked!" * 4).decode()
    assert await refused(listener, peer, body, peer.sign(body, f"evt_{number}", secret=revoked)) == 401
