"""A read is answered at once, proven like every call, and leaves nothing in the hub's database."""

from pathlib import Path

import grpc

from tests.hub.reads.desk import ReadingDesk
from tests.operations.office import until


async def test_a_read_answers_with_its_result_and_leaves_no_row_in_any_table(desk: ReadingDesk) -> None:
    await until(desk.rows, lambda rows: not rows.get("audit_outbox") and not rows.get("outbox"), 10)
    before = await desk.rows()
    response = await desk.read()
    assert (response.payment.payment_id, response.payment.amount.minor_units) == (desk.payment_id, 101)
    assert not response.HasField("job")
    assert not response.read.HasField("age")
    assert await desk.rows() == before


async def test_intent_and_evidence_of_a_read_stand_in_the_log_and_verify_offline(
    desk: ReadingDesk, tmp_path: Path
) -> None:
    read_id = (await desk.read()).read.read_id
    said = await until(lambda: desk.office.statements(read_id), lambda s: len(s) == 2, 10)
    assert [(s["kind"], s["purpose"]) for s in said] == [("intent", "read"), ("evidence", "read")]
    assert said[1]["res"]["outcome"] == "succeeded"
    assert await desk.office.is_proven(read_id, tmp_path / "read.zip")


async def test_a_payment_that_is_not_the_tenants_is_refused_and_the_provider_is_not_asked(
    desk: ReadingDesk,
) -> None:
    code, details = await desk.refusal("pay_404")
    assert (code, details.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "REFERENCE_NOT_YOURS")
