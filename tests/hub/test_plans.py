"""How a plan goes on."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.jobs.letters import Cause
from hub.plans.model import (
    Await,
    Begin,
    Counts,
    Filter,
    Finish,
    Frozen,
    NewPlan,
    Pace,
    Plan,
    PlanKind,
    PlanState,
    Step,
    Stop,
    Why,
    next_step,
)
from hub.plans.planning import Matched, filter_text, ineligibility
from tests.hub.jobs import NOW, OPERATION

WHY = Why("spiffe://integration.local/operator/ana", "why", "OPS-1")
PACE = Pace(chunk_size=10, canary_size=2, rate_per_second=100, stop_error_percent=10)


def plan(counts: Counts, pace: Pace = PACE, forgiven: tuple[int, int] = (0, 0)) -> Plan:
    """A running plan."""
    return Plan(
        plan_id="p",
        kind=PlanKind.REPLAY,
        state=PlanState.RUNNING,
        filter="{}",
        pace=pace,
        why=WHY,
        created_at=NOW,
        expire_at=NOW,
        needs_second_person=False,
        approver="",
        approved_at=None,
        ineligible={},
        digest="",
        note="",
        counts=counts,
        forgiven=forgiven,
    )


@pytest.mark.parametrize(
    ("counts", "step"),
    [
        (Counts(pending=30), Begin(2)),
        (Counts(pending=28, started=2), Await()),
        (Counts(pending=28, started=1, succeeded=1), Await()),
        (Counts(pending=28, succeeded=2), Begin(10)),
        (Counts(pending=24, succeeded=2, started=4), Begin(6)),
        (Counts(pending=18, succeeded=2, started=10), Await()),
        (Counts(pending=18, succeeded=11, failed=1), Begin(10)),
        (Counts(started=1, succeeded=29), Await()),
        (Counts(pending=28, unconfirmed=2), Begin(10)),
        (Counts(pending=28, started=1, unconfirmed=1), Await()),
        (Counts(unconfirmed=1, succeeded=29), Finish()),
        (Counts(succeeded=25, skipped=5), Finish()),
        (Counts(), Finish()),
    ],
    ids=repr,
)
def test_a_plan_goes_chunk_by_chunk_behind_its_canary(counts: Counts, step: Step) -> None:
    assert next_step(plan(counts)) == step


def test_a_failed_canary_stops_the_plan_at_once() -> None:
    assert isinstance(next_step(plan(Counts(pending=28, succeeded=1, failed=1))), Stop)


def test_failures_up_to_the_given_share_do_not_stop_it() -> None:
    assert isinstance(next_step(plan(Counts(pending=10, succeeded=18, failed=2))), Begin)
    assert isinstance(next_step(plan(Counts(pending=10, succeeded=17, failed=3))), Stop)


def test_what_had_failed_before_it_was_resumed_stops_it_no_more() -> None:
    counts = Counts(pending=10, succeeded=1, failed=1)
    assert isinstance(next_step(plan(counts, forgiven=(2, 1))), Begin)
    assert isinstance(next_step(plan(replace(counts, failed=4, pending=9), forgiven=(2, 1))), Stop)


def test_a_few_early_failures_do_not_stop_a_long_plan() -> None:
    counts = Counts(pending=9_991, succeeded=8, failed=1)
    assert isinstance(next_step(plan(counts)), Begin)
    assert isinstance(next_step(plan(replace(counts, succeeded=7, failed=2))), Begin)
    assert isinstance(next_step(plan(replace(counts, succeeded=6, failed=3))), Stop)
    assert isinstance(next_step(plan(counts, replace(PACE, stop_min_results=5))), Stop)


def test_a_plan_whose_percentage_is_0_stops_at_its_first_failure() -> None:
    pace = replace(PACE, stop_error_percent=0)
    assert isinstance(next_step(plan(Counts(pending=10, succeeded=900), pace)), Begin)
    assert isinstance(next_step(plan(Counts(pending=9, succeeded=900, failed=1), pace)), Stop)


def test_no_step_begins_more_than_the_rate_of_a_second() -> None:
    slow = Pace(chunk_size=50, canary_size=50, rate_per_second=3)
    assert next_step(plan(Counts(pending=100), slow)) == Begin(3)


@given(
    st.integers(0, 300),
    st.builds(Pace, st.integers(1, 40), st.integers(1, 40), st.integers(1, 40), st.just(100)),
)
def test_every_plan_comes_to_its_end_and_never_overruns_its_canary_or_a_chunk(total: int, pace: Pace) -> None:
    counts, under_way = Counts(pending=total), 0
    for _ in range(3 * total + 3):
        step = next_step(plan(counts, pace))
        if isinstance(step, Finish):
            assert counts.succeeded == total
            return
        if isinstance(step, Begin):
            under_way += step.items
            assert under_way <= max(pace.chunk_size, pace.canary_size)
            counts = replace(counts, pending=counts.pending - step.items, started=counts.started + step.items)
        else:
            counts = replace(counts, succeeded=counts.succeeded + counts.started, started=0)
            under_way = 0
    raise AssertionError("the plan does not end")


class Known:
    """A catalogue in which nothing has an inverse and nothing can be looked up, unless it is said."""

    def __init__(self, *, inverse: bool = False, lookable: bool = False) -> None:
        self._inverse = inverse
        self._lookable = lookable

    def moves_money(self, operation: str) -> bool:
        """It does."""
        return True

    def has_inverse(self, operation: str) -> bool:
        """As it is said."""
        return self._inverse

    def can_look_up(self, provider: str, operation: str) -> bool:
        """As it is said."""
        return self._lookable


def matched(cause: Cause | None = None, reference: str = "ref", undone_by: str = "") -> Matched:
    """A job that a filter matches."""
    return Matched("job", OPERATION, "echo", "acme", reference, cause, undone_by)


@pytest.mark.parametrize(
    ("kind", "job", "catalogue", "why_not"),
    [
        (PlanKind.REPLAY, matched(Cause.PROVIDER_DOWN), Known(), ""),
        (PlanKind.REPLAY, matched(Cause.UNRESOLVED_DOUBT), Known(), "NEEDS_A_PERSON"),
        (PlanKind.REPLAY, matched(Cause.UNRESOLVED_DOUBT), Known(lookable=True), ""),
        (PlanKind.DISCARD, matched(Cause.UNRESOLVED_DOUBT), Known(lookable=True), "NEEDS_A_PERSON"),
        (PlanKind.DISCARD, matched(Cause.POISON), Known(), ""),
        (PlanKind.ROLLBACK, matched(), Known(), "NO_INVERSE"),
        (PlanKind.ROLLBACK, matched(reference=""), Known(inverse=True), "NO_REFERENCE"),
        (PlanKind.ROLLBACK, matched(undone_by="other"), Known(inverse=True), "UNDO_EXISTS"),
        (PlanKind.ROLLBACK, matched(), Known(inverse=True), ""),
    ],
)
def test_a_plan_leaves_out_what_it_must_not_touch(
    kind: PlanKind, job: Matched, catalogue: Known, why_not: str
) -> None:
    assert ineligibility(kind, job, catalogue) == why_not


def test_the_digest_depends_on_every_frozen_id_and_their_order() -> None:
    def digest(*subjects: str) -> str:
        items = [Frozen(s) for s in subjects]
        return NewPlan(
            "p", PlanKind.REPLAY, "{}", PACE, WHY, needs_second_person=False, ineligible={}, items=items
        ).digest

    assert len({digest("a", "b"), digest("b", "a"), digest("a"), digest()}) == 4


def test_a_filter_is_kept_as_what_is_set() -> None:
    assert (
        filter_text(Filter(provider="echo", cause=Cause.POISON)) == '{"provider": "echo", "cause": "poison"}'
    )
    assert Filter().is_empty
