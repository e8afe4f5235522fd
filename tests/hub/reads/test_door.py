"""What a read passes before it is made, and what becomes of it: its own door, in the test's hands."""

import asyncio
from datetime import timedelta

import pytest

from hub.errors import (
    IntentRefused,
    JobError,
    LaneHeld,
    LogAway,
    QuotaExceeded,
    ReadDeclined,
    ReadImpossible,
    ReadsBusy,
    ReadTooLate,
    ReadUnanswered,
)
from hub.intake.backlog import Admission, AdmissionLimits, Quota
from hub.jobs.outcome import Declined, NotSent, NotSentCause, Outcome, Unknown, UnknownCause
from hub.jobs.spec import Limits
from hub.lanes.breaker import FAILURES_TO_OPEN, PROBES, BreakerState
from hub.lanes.ports import LogUnavailable
from hub.reads.model import Standing
from hub.reads.stating import MOST_UNPROVEN
from tests.hub.reads.bench import READ, Bench

DOWN = NotSent(NotSentCause.PROVIDER_DOWN, "NO_CONNECTION", "")
SILENT = Unknown("NO_REPLY", "", cause=UnknownCause.PROVIDER)
HELD = [
    (Standing(works=False), None),
    (Standing(breaker=BreakerState.OPEN, open_seconds=7.0), 7.0),
    (Standing(breaker=BreakerState.OPEN, open_seconds=float("inf")), 3600.0),
    (Standing(throttled_seconds=9.0), 9.0),
]


async def refused(bench: Bench, **asked: object) -> JobError:
    """Why a read was not answered."""
    with pytest.raises(JobError) as caught:
        await bench.read(**asked)  # type: ignore[arg-type]
    return caught.value


async def test_every_read_has_its_intent_before_and_its_evidence_after() -> None:
    bench = Bench(READ, DOWN, SILENT)
    await bench.read()
    await refused(bench)
    await refused(bench)
    assert [*(await bench.proven()).values()] == [["intent", "evidence"]] * 3


async def test_while_the_log_is_away_nothing_is_sent_and_the_caller_is_told_when_to_come_back() -> None:
    bench = Bench(READ)
    bench.log.down = True
    refusal = await refused(bench)
    assert isinstance(refusal, LogAway)
    assert refusal.retry_after
    assert not bench.spokes.sent
    bench.log.down = False
    assert (await bench.read()).result == b"paid"


async def test_evidence_that_the_log_could_not_take_is_taken_later_and_said_once() -> None:
    bench = Bench(READ, READ)
    bench.spokes.let.clear()
    reading = asyncio.create_task(bench.read())
    await bench.spokes.begun.wait()
    bench.log.down = True
    bench.spokes.let.set()
    first = (await reading).read_id
    assert isinstance(await refused(bench), LogAway)
    with pytest.raises(LogUnavailable):
        await bench.stating.flush()
    bench.log.down = False
    await bench.read()
    assert (await bench.proven())[f"{first}.1"] == ["intent", "evidence"]


async def test_nothing_is_read_while_too_much_evidence_waits() -> None:
    bench = Bench(READ)
    for _ in range(MOST_UNPROVEN):
        bench.stating.prove(b"evidence x")
    assert isinstance(await refused(bench), LogAway)
    assert not bench.spokes.sent


async def test_an_intent_that_the_log_refuses_is_never_sent() -> None:
    bench = Bench(READ)
    bench.log.refuses = True
    assert isinstance(await refused(bench), IntentRefused)
    assert not bench.spokes.sent


@pytest.mark.parametrize(("standing", "seconds"), HELD)
async def test_a_lane_that_is_held_back_lets_no_read_through_and_says_for_how_long(
    standing: Standing, seconds: float | None
) -> None:
    bench = Bench(READ)
    bench.stands(standing)
    refusal = await refused(bench)
    assert isinstance(refusal, LaneHeld)
    assert refusal.retry_after == timedelta(seconds=seconds or 1.0)
    assert not bench.log.entries
    if seconds == 7.0:
        bench.clock.move(7.0)
        assert (await bench.read()).result == b"paid"


async def test_a_half_open_breaker_lets_a_few_reads_through_at_once_and_none_of_them_is_a_trial() -> None:
    bench = Bench(*[READ] * 10)
    bench.stands(Standing(breaker=BreakerState.HALF_OPEN))
    bench.spokes.let.clear()
    reading = [asyncio.create_task(bench.read()) for _ in range(PROBES + 1)]
    await bench.spokes.begun.wait()
    bench.spokes.let.set()
    came = await asyncio.gather(*reading, return_exceptions=True)
    assert [type(c) for c in came].count(LaneHeld) == 1
    for _ in range(PROBES):
        await bench.read()
    bench.spokes.let.clear()
    again = [asyncio.create_task(bench.read()) for _ in range(PROBES + 1)]
    bench.spokes.begun.clear()
    await bench.spokes.begun.wait()
    bench.spokes.let.set()
    assert [type(c) for c in await asyncio.gather(*again, return_exceptions=True)].count(LaneHeld) == 1


async def test_reads_that_fail_in_a_row_keep_this_replicas_reads_back_for_a_while() -> None:
    bench = Bench(*[SILENT] * FAILURES_TO_OPEN, READ)
    for _ in range(FAILURES_TO_OPEN):
        assert isinstance(await refused(bench), ReadUnanswered)
    assert isinstance(await refused(bench), LaneHeld)
    bench.clock.move(5.0)
    assert (await bench.read()).result == b"paid"


async def test_a_wait_that_the_provider_asks_of_a_read_is_kept() -> None:
    bench = Bench(NotSent(NotSentCause.THROTTLED, "TOO_MANY", "", timedelta(seconds=30)), READ)
    told = await refused(bench)
    assert (told.reason, told.retry_after) == ("READ_UNANSWERED", timedelta(seconds=30))
    bench.clock.move(29.0)
    assert isinstance(await refused(bench), LaneHeld)
    assert len(bench.spokes.sent) == 1
    bench.clock.move(2.0)
    assert (await bench.read()).result == b"paid"


async def test_no_more_reads_are_under_way_than_this_replicas_part_of_the_lane_allows() -> None:
    bench = Bench(*[READ] * 10)
    bench.spokes.limited = Limits(20, read_share=0.2)
    bench.stands(Standing(), replicas=2)
    bench.spokes.let.clear()
    reading = [asyncio.create_task(bench.read()) for _ in range(3)]
    await bench.spokes.begun.wait()
    bench.spokes.let.set()
    came = await asyncio.gather(*reading, return_exceptions=True)
    assert [type(c) for c in came].count(ReadsBusy) == 1
    await bench.read()


async def test_no_more_reads_a_second_are_made_than_this_replicas_part_of_the_lane_allows() -> None:
    bench = Bench(*[READ] * 10)
    bench.spokes.limited = Limits(100, 10.0, 10, read_share=0.2)
    await bench.read()
    refusal = await refused(bench)
    assert isinstance(refusal, ReadsBusy)
    assert refusal.retry_after == timedelta(seconds=0.5)
    bench.clock.move(0.5)
    await bench.read()


async def test_a_tenant_reads_no_oftener_than_its_quota_a_second_allows() -> None:
    bench = Bench(READ, READ)
    bench.admission = Admission(AdmissionLimits(default=Quota(per_second=1.0, burst=1)))
    bench.door._admission = bench.admission
    await bench.read()
    assert isinstance(await refused(bench), QuotaExceeded)
    assert len(bench.spokes.sent) == 1


@pytest.mark.parametrize(
    ("outcome", "kind", "code"),
    [
        (Declined("NOT_FOUND", "no such payment"), ReadDeclined, "NOT_FOUND"),
        (NotSent(NotSentCause.UNSUPPORTED, "NOT_OFFERED", ""), ReadImpossible, "NOT_OFFERED"),
        (NotSent(NotSentCause.MISCONFIGURED, "BAD_KEY", ""), ReadUnanswered, "BAD_KEY"),
        (DOWN, ReadUnanswered, "NO_CONNECTION"),
        (SILENT, ReadUnanswered, "NO_REPLY"),
    ],
)
async def test_the_caller_is_told_what_came_of_it_with_the_providers_code(
    outcome: Outcome, kind: type[JobError], code: str
) -> None:
    refusal = await refused(Bench(outcome))
    assert isinstance(refusal, kind)
    assert refusal.metadata == {"provider": "echo", "provider_code": code}
    assert bool(refusal.retry_after) == (kind is ReadUnanswered)


async def test_what_was_certainly_not_read_is_tried_again_with_an_intent_of_its_own() -> None:
    bench = Bench(DOWN, NotSent(NotSentCause.OVERLOADED, "FULL", ""), READ)
    answer = await bench.read(attempts=3)
    assert answer.result == b"paid"
    assert bench.spokes.sent == [f"{answer.read_id}.{n}" for n in (1, 2, 3)]
    assert [*(await bench.proven()).values()] == [["intent", "evidence"]] * 3


async def test_what_may_have_been_read_and_what_is_refused_for_good_is_not_tried_again() -> None:
    for outcome in (SILENT, Declined("NO", ""), NotSent(NotSentCause.MISCONFIGURED, "BAD_KEY", "")):
        bench = Bench(outcome, READ)
        await refused(bench, attempts=3)
        assert len(bench.spokes.sent) == 1


async def test_a_wait_that_is_longer_than_the_callers_time_is_not_waited() -> None:
    bench = Bench(NotSent(NotSentCause.OVERLOADED, "FULL", "", timedelta(seconds=6)), READ)
    assert isinstance(await refused(bench, attempts=3, seconds=5), ReadUnanswered)
    assert len(bench.spokes.sent) == 1


async def test_when_the_callers_time_is_over_the_answer_still_gets_its_evidence() -> None:
    bench = Bench(READ, READ)
    bench.spokes.let.clear()
    assert isinstance(await refused(bench, seconds=0.05), ReadTooLate)
    bench.spokes.let.set()
    assert [*(await bench.proven()).values()] == [["intent", "evidence"]]
    await bench.read()


async def test_a_caller_that_goes_leaves_a_whole_read_behind_and_its_place_free() -> None:
    bench = Bench(READ, READ)
    bench.spokes.limited = Limits(5, read_share=0.2)
    bench.spokes.let.clear()
    reading = asyncio.create_task(bench.read())
    await bench.spokes.begun.wait()
    reading.cancel()
    await asyncio.wait([reading])
    assert isinstance(await refused(bench), ReadsBusy)
    bench.spokes.let.set()
    assert [*(await bench.proven()).values()] == [["intent", "evidence"]]
    await bench.read()


async def test_a_read_whose_time_is_over_once_its_intent_is_stated_is_not_sent() -> None:
    bench = Bench(READ)
    append = bench.log.append

    async def slow(envelopes, trace):  # type: ignore[no-untyped-def]
        bench.clock.move(6.0)
        return await append(envelopes, trace)

    bench.log.append = slow  # type: ignore[method-assign]
    assert isinstance(await refused(bench, seconds=5), ReadUnanswered)
    assert not bench.spokes.sent
    assert [*(await bench.proven()).values()] == [["intent", "evidence"]]


async def test_a_spoke_that_is_gone_leaves_no_answer_and_the_hub_says_so_in_the_log() -> None:
    bench = Bench()
    bench.spokes.cut = True
    refusal = await refused(bench)
    assert isinstance(refusal, ReadUnanswered)
    assert refusal.metadata["provider_code"] == "SPOKE_LOST"
    assert [*(await bench.proven()).values()] == [["intent", "evidence"]]


async def test_an_answer_that_the_spoke_has_not_signed_is_not_believed() -> None:
    bench = Bench(READ)
    bench.spokes.evidence = b""
    assert (await refused(bench)).metadata["provider_code"] == "UNSIGNED"
    assert [*(await bench.proven()).values()] == [["intent", "evidence"]]


async def test_one_read_that_cannot_be_stated_is_only_its_own_trouble() -> None:
    bench = Bench(READ)
    one, other = await asyncio.gather(bench.read(tenant="unspeakable"), bench.read(), return_exceptions=True)
    assert isinstance(one, ValueError)
    assert not isinstance(other, BaseException)


async def test_reads_that_come_together_share_one_append() -> None:
    bench = Bench(*[READ] * 5)
    calls = 0
    append = bench.log.append

    async def counted(envelopes, trace):  # type: ignore[no-untyped-def]
        nonlocal calls
        calls += 1
        return await append(envelopes, trace)

    bench.log.append = counted  # type: ignore[method-assign]
    await asyncio.gather(*(bench.read() for _ in range(5)))
    assert calls == 1


async def test_an_answer_is_given_again_for_as_long_as_the_manifest_says_and_says_its_age() -> None:
    bench = Bench(READ, READ)
    bench.caches(60)
    first = await bench.read()
    bench.clock.move(59)
    again = await bench.read()
    assert (again.read_id, again.result, again.age) == (first.read_id, b"paid", timedelta(seconds=59))
    assert (first.age, len(bench.spokes.sent)) == (None, 1)
    bench.clock.move(1)
    assert (await bench.read()).age is None


async def test_another_tenant_and_another_question_get_no_kept_answer() -> None:
    bench = Bench(READ, READ, READ)
    bench.caches(60)
    asked = [await bench.read(), await bench.read(tenant="beta"), await bench.read(payment_id="pay_2")]
    assert [answer.age for answer in asked] == [None] * 3


async def test_an_error_is_never_kept() -> None:
    bench = Bench(Declined("NOT_FOUND", ""), READ)
    bench.caches(60)
    await refused(bench)
    assert (await bench.read()).age is None
