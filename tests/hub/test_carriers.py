"""What plans do when something is in their way."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from hub.errors import JobError, StoreUnavailable, UnknownProvider
from hub.jobs.model import Job, JobState, NewJob, queued
from hub.jobs.ports import Accepted
from hub.lanes.ports import Statement
from hub.plans.carriers import Rollback
from hub.plans.model import Counts, Item, ItemState, Plan, PlanKind, PlanState, Why
from hub.plans.runner import PlanRunner
from tests.fakes import HandClock
from tests.hub.jobs import NOW, new_job
from tests.hub.test_plans import WHY, plan


class Actions:
    """Signs nothing."""

    def action(
        self, act: str, subject: str, why: Why, *, job: str = "", digest: str = "", detail: str = ""
    ) -> Statement:
        """A statement that says no more than its act."""
        return Statement(act, act.encode())


class Items:
    """The store of a plan's items, in memory; somebody stops the plan after `begins` of them."""

    def __init__(self, begins: int = 100) -> None:
        self.marked: list[ItemState] = []
        self._begins = begins

    async def goes_on(self, plan_id: str) -> bool:
        """Whether nobody has stopped the plan."""
        return len(self.marked) < self._begins

    async def undo_number(self, job: Job) -> int:
        """The first."""
        return 1

    async def mark(self, plan_id: str, number: int, state: ItemState, **_: object) -> None:
        """Notes what became of an item."""
        self.marked.append(state)


def rollback(items: Items, error: JobError | None = None) -> Rollback:
    """A rollback of jobs that have succeeded, whose inverse the hub takes or refuses."""

    async def read(job_id: str) -> Job:
        return succeeded(job_id)

    async def submit(job: NewJob) -> Accepted:
        if error is not None:
            raise error
        return Accepted(job.job_id, b"", None)

    return Rollback(
        items,  # type: ignore[arg-type]
        notary=Actions(),
        read=read,
        undo=lambda job, number, actor: new_job(2),
        submit=submit,
    )


def succeeded(job_id: str) -> Job:
    """A job that has succeeded."""
    return replace(queued(new_job(1), NOW), job_id=job_id, state=JobState.SUCCEEDED)


ITEMS = [Item(number, f"job-{number}", ItemState.PENDING, "", "", None, NOW) for number in range(3)]


async def test_an_item_that_cannot_be_submitted_now_is_neither_failed_nor_forgotten() -> None:
    items = Items()
    with pytest.raises(StoreUnavailable):
        await rollback(items, StoreUnavailable("away")).begin(plan(Counts(pending=3)), ITEMS, WHY)
    assert items.marked == []


async def test_an_item_that_can_never_be_submitted_has_failed() -> None:
    items = Items()
    await rollback(items, UnknownProvider("none")).begin(plan(Counts(pending=3)), ITEMS, WHY)
    assert items.marked == [ItemState.FAILED] * 3


async def test_a_plan_that_is_stopped_begins_no_further_item_of_its_group() -> None:
    items = Items(begins=1)
    await rollback(items).begin(plan(Counts(pending=3)), ITEMS, WHY)
    assert items.marked == [ItemState.STARTED]


class Plans:
    """Two plans at work, in memory; the carrier of the first is broken."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.stated = 0

    async def lapse(self) -> None:
        """Nothing lapses."""

    async def running(self) -> list[str]:
        """Oldest first."""
        return ["broken", "sound"]

    async def refresh(self) -> None:
        """Nothing has changed."""

    async def get(self, plan_id: str) -> Plan | None:
        """One plan."""
        return replace(plan(Counts(pending=3)), plan_id=plan_id)

    async def pending(self, plan_id: str, limit: int) -> list[Item]:
        """What has not begun."""
        return ITEMS[:limit]

    async def state_step(self, plan_id: str, statement: Statement) -> None:
        """Counts what the log is told."""
        self.stated += plan_id == "broken"

    async def end(self, plan_id: str, state: PlanState, note: str, statement: Statement) -> bool:
        """Ends nothing."""
        return False

    async def begin(self, plan: Plan, items: Sequence[Item], why: Why) -> None:
        """The carrier's part."""
        if plan.plan_id == "broken":
            raise RuntimeError("it does not fit")
        self.begun.append(plan.plan_id)


async def test_a_plan_in_trouble_holds_up_no_other() -> None:
    plans = Plans()
    runner = PlanRunner(
        plans, carriers={PlanKind.REPLAY: plans}, notary=Actions(), clock=HandClock(), actor="hub"
    )
    await runner.run_once()
    assert plans.begun == ["sound"]


async def test_a_plan_that_cannot_go_on_is_tried_less_and_less_often() -> None:
    plans, clock = Plans(), HandClock()
    runner = PlanRunner(plans, carriers={PlanKind.REPLAY: plans}, notary=Actions(), clock=clock, actor="hub")
    for _ in range(600):
        await runner.run_once()
        clock.move(1.0)
    assert plans.stated <= 15
    assert len(plans.begun) == 600
