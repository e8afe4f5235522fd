"""What is worth a person's look if it lasts, and for how long it may. Pure."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import timedelta

from hub.alerts.model import Alert

PATIENCE_SECONDS = 60.0
OLD_OUTBOX = timedelta(minutes=5)
PLAN_AT_A_HALT = timedelta(minutes=10)

SPOKE_AWAY = "SpokeAway"
LANE_UNOWNED = "LaneUnowned"
OUTBOX_OLD = "OutboxOld"
PLAN_WAITING = "PlanWaiting"
BACKLOG_FULL = "BacklogFull"
HERE = (SPOKE_AWAY, LANE_UNOWNED, OUTBOX_OLD, PLAN_WAITING)
"""What the replica that keeps house watches; each edge watches its own picture of the backlog."""


@dataclass(frozen=True, slots=True)
class LaneAtWork:
    """A lane with jobs that go on by themselves, or with statements for the log.

    `has_stranded`: some of its jobs are such that only an owner can let them go on.
    """

    lane: str
    term: int
    is_unowned: bool
    has_jobs: bool
    has_stranded: bool
    has_statements: bool

    @property
    def provider(self) -> str:
        """The spoke that would work on it."""
        return self.lane.split("/", 1)[0]


@dataclass(frozen=True, slots=True)
class Concern:
    """Something that is so, and for how many seconds it may be."""

    alert: Alert
    patience: float = 0.0


def of_lanes(lanes: Iterable[LaneAtWork], silent: Collection[str]) -> list[Concern]:
    """Lanes that nobody owns, and silent spokes that work waits for."""
    waiting = [lane for lane in lanes if lane.has_jobs]
    unowned = [_unowned(lane.lane) for lane in waiting if lane.is_unowned]
    return unowned + [_away(spoke) for spoke in sorted({lane.provider for lane in waiting} & set(silent))]


def of_outboxes(lanes: Iterable[str]) -> list[Concern]:
    """Lanes whose statements do not reach the log."""
    return [
        Concern(
            Alert(
                key=f"{OUTBOX_OLD}/{lane}",
                name=OUTBOX_OLD,
                severity="SEV2",
                labels=_labels(lane),
                summary=f"Statements of {lane} have not reached the audit log for minutes",
                runbook="docs/runbooks/outbox-old.md",
            )
        )
        for lane in lanes
    ]


def of_plans(plan_ids: Iterable[str]) -> list[Concern]:
    """Plans at work that do not go on; one that was just resumed has a while to."""
    return [
        Concern(
            Alert(
                key=f"{PLAN_WAITING}/{plan_id}",
                name=PLAN_WAITING,
                severity="SEV2",
                labels={"plan": plan_id},
                summary=f"Plan {plan_id} runs and does not go on",
                runbook="docs/runbooks/plan-waiting.md",
            ),
            PATIENCE_SECONDS,
        )
        for plan_id in plan_ids
    ]


def of_backlogs(full: Iterable[tuple[str, str]]) -> list[Concern]:
    """Lanes and tenants, each with which of the two it is, that hold as many jobs as they may."""
    return [
        Concern(
            Alert(
                key=f"{BACKLOG_FULL}/{kind}/{name}",
                name=BACKLOG_FULL,
                severity="SEV1",
                labels={kind: name},
                summary=f"The {kind} {name} holds as many unfinished jobs as it may: new ones are refused",
                runbook="docs/runbooks/backlog-full.md",
            ),
            PATIENCE_SECONDS,
        )
        for kind, name in full
    ]


def _unowned(lane: str) -> Concern:
    alert = Alert(
        key=f"{LANE_UNOWNED}/{lane}",
        name=LANE_UNOWNED,
        severity="SEV1",
        labels=_labels(lane),
        summary=f"No hub works on {lane}, and jobs wait in it",
        runbook="docs/runbooks/lane-unowned.md",
    )
    return Concern(alert, PATIENCE_SECONDS)


def _away(spoke: str) -> Concern:
    alert = Alert(
        key=f"{SPOKE_AWAY}/{spoke}",
        name=SPOKE_AWAY,
        severity="SEV1",
        labels={"provider": spoke},
        summary=f"The spoke {spoke} does not answer, and jobs wait for it",
        runbook="docs/runbooks/spoke-away.md",
    )
    return Concern(alert, PATIENCE_SECONDS)


def _labels(lane: str) -> dict[str, str]:
    provider, account = lane.split("/", 1)
    return {"provider": provider, "account": account}
