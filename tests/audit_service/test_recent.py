"""What the log has appended itself it knows, so that most batches cost one statement."""

from collections.abc import Collection

import pytest

from audit_service.log.entry import Entry
from audit_service.log.recent import Recent
from audit_service.log.rules import Standing
from audit_service.store.log_store import PostgresLogStore
from integration.audit.v1 import log_pb2
from mesh.evidence.statement import Statement
from tests.audit_service.rig import Callers, Rig, evidence, intent, new_job, reasons


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Collection[str]]:
    """What the store is asked for, each time."""
    asked: list[Collection[str]] = []
    ask = PostgresLogStore.standing

    async def standing(
        store: PostgresLogStore, ids: Collection[str], attempts: Collection[str]
    ) -> list[Standing]:
        asked.append(ids)
        return await ask(store, ids, attempts)

    monkeypatch.setattr(PostgresLogStore, "standing", standing)
    return asked


async def test_an_attempt_is_appended_without_asking_the_store(
    callers: Callers, asked: list[Collection[str]]
) -> None:
    await callers.attempt(job := new_job())
    await callers.attempt(job, 2)
    assert asked == []


async def test_what_was_appended_before_a_restart_is_known(rig: Rig, asked: list[Collection[str]]) -> None:
    job = new_job()
    async with rig.running() as callers:
        envelope = callers.sealed(intent(job))
        first = (await callers.append(envelope)).results[0].receipt
        asked.clear()
    async with rig.running() as callers:
        asked.clear()
        again = await callers.append(envelope, callers.sealed(intent(new_job())))
        assert again.results[0].receipt.index == first.index
        assert len(asked) == 1
        other = await callers.append(callers.sealed(intent(job)))
        assert reasons(other) == ["ALREADY_STATED"]
        await callers.receipts(evidence(job, first))
        assert await callers.findings() == []


def entry(statement: Statement) -> Entry:
    """A statement on its way into the log; nobody looks at its bytes."""
    return Entry(b"envelope", b"leaf", statement)


def test_the_oldest_are_forgotten_and_then_asked_for() -> None:
    recent = Recent(most=1)
    older, newer = new_job(), new_job()
    recent.add([entry(intent(older)), entry(intent(newer))], start=7)
    receipt = log_pb2.Receipt(index=8, leaf_hash=b"leaf")
    assert recent.standing([entry(evidence(older, receipt))]) is None
    found = recent.standing([entry(evidence(newer, receipt))])
    assert found is not None
    assert [(standing.index, standing.attempt) for standing in found] == [(8, f"{newer}.1")]
