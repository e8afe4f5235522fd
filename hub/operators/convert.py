"""Between the operations contract's messages and the hub's values."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from hub.alerts.model import AlertState, Told
from hub.jobs import letters
from hub.jobs.convert import is_uuid, job_without_result, text_from_proto
from hub.jobs.letters import Cause, missing_proof
from hub.jobs.model import Job, Purpose
from hub.jobs.spec import Limits
from hub.operators.model import AttemptView, LaneView, LetterGroup, LetterView, Proposal
from hub.plans.model import Filter, Item, Pace, Plan, Why
from integration.operations.v1 import alert_pb2, dead_letter_pb2, lane_pb2, operations_service_pb2, plan_pb2
from mesh.caller import current_caller
from mesh.errors import InvalidRequest, Violation


def lane_to_proto(view: LaneView, limits: Limits | None) -> lane_pb2.Lane:
    """A lane as operators see it."""
    message = lane_pb2.Lane(
        lane=view.lane,
        mode=lane_pb2.LaneMode.Name(int(view.mode)),
        mode_actor=view.mode_actor,
        mode_reason=view.mode_reason,
        owner=view.owner,
        term=view.term,
        breaker=lane_pb2.Breaker(
            state=lane_pb2.BreakerState.Name(int(view.breaker_state)),
            reason=view.breaker_reason,
            trips=view.breaker_trips,
        ),
        backlog=lane_pb2.Backlog(
            waiting=view.waiting,
            running=view.running,
            unconfirmed=view.unconfirmed,
            in_doubt=view.in_doubt,
        ),
        dead_letters=view.letters,
    )
    _stamp(message, "mode_time", view.mode_at)
    _stamp(message, "lease_until_time", view.lease_until)
    _stamp(message, "throttled_until_time", view.throttled_until)
    _stamp(message.breaker, "open_until_time", view.breaker_until)
    _stamp(message.breaker, "change_time", view.breaker_at)
    if view.oldest_seconds is not None:
        message.backlog.oldest_age.FromMilliseconds(int(view.oldest_seconds * 1000))
    if limits is not None:
        message.limits.max_concurrency = limits.concurrency
        message.limits.rate_per_second, message.limits.burst = limits.rate_per_second, limits.burst
    return message


def letter_to_proto(letter: LetterView, job: Job, attempts: list[AttemptView]) -> dead_letter_pb2.DeadLetter:
    """A dead letter; its job goes without the result."""
    message = dead_letter_pb2.DeadLetter(
        job=job_without_result(job),
        cause=dead_letter_pb2.DeadLetterCause.Name(int(letter.cause)),
        missing_proof=dead_letter_pb2.MissingProof.Name(int(missing_proof(letter.cause, job.state))),
        proposal=dead_letter_pb2.Proposal.Name(int(letters.proposal(letter.cause))),
        left_by=letter.left_by,
        alert_key=letter.alert_key,
        attempts=[_attempt(a) for a in attempts],
    )
    _stamp(message, "enter_time", letter.entered_at)
    _stamp(message, "leave_time", letter.left_at)
    return message


def proposal_to_proto(proposal: Proposal) -> dead_letter_pb2.ResolutionProposal:
    """What one person says of a job, for another one to confirm."""
    message = dead_letter_pb2.ResolutionProposal(
        actor=proposal.actor, reason=proposal.reason, ticket=proposal.ticket
    )
    _stamp(message, "create_time", proposal.created_at)
    _stamp(message, "expire_time", proposal.expire_at)
    return message


def group_to_proto(group: LetterGroup) -> operations_service_pb2.DeadLetterGroup:
    """Open dead letters that have something in common."""
    return operations_service_pb2.DeadLetterGroup(
        lane=group.lane,
        cause=dead_letter_pb2.DeadLetterCause.Name(int(group.cause)),
        reason=group.reason,
        count=group.count,
        proposal=dead_letter_pb2.Proposal.Name(int(letters.proposal(group.cause))),
    )


def plan_to_proto(plan: Plan) -> plan_pb2.Plan:
    """A plan as it stands."""
    counts = plan.counts
    message = plan_pb2.Plan(
        plan_id=plan.plan_id,
        kind=plan_pb2.PlanKind.Name(int(plan.kind)),
        state=plan_pb2.PlanState.Name(int(plan.state)),
        filter=_filter_to_proto(plan.filter),
        pace=plan_pb2.PlanPace(
            chunk_size=plan.pace.chunk_size,
            canary_size=plan.pace.canary_size,
            rate_per_second=plan.pace.rate_per_second,
            stop_error_percent=plan.pace.stop_error_percent,
            stop_min_results=plan.pace.stop_min_results,
            stop_at_first_failure=not plan.pace.stop_error_percent,
        ),
        creator=plan.why.actor,
        reason=plan.why.reason,
        ticket=plan.why.ticket,
        needs_second_person=plan.needs_second_person,
        approver=plan.approver,
        counts=plan_pb2.PlanCounts(
            total=counts.total,
            pending=counts.pending,
            started=counts.started,
            succeeded=counts.succeeded,
            failed=counts.failed,
            skipped=counts.skipped,
            unconfirmed=counts.unconfirmed,
        ),
        ineligible=[plan_pb2.Ineligible(cause=c, count=n) for c, n in sorted(plan.ineligible.items())],
        digest=plan.digest,
        note=plan.note,
    )
    message.pace.confirm_within.FromTimedelta(plan.pace.confirm_within)
    _stamp(message, "create_time", plan.created_at)
    _stamp(message, "expire_time", plan.expire_at)
    _stamp(message, "approve_time", plan.approved_at)
    return message


def item_to_proto(item: Item) -> plan_pb2.PlanItem:
    """An item of a plan."""
    message = plan_pb2.PlanItem(
        number=item.number,
        subject=item.subject,
        state=plan_pb2.PlanItemState.Name(int(item.state)),
        detail=item.detail,
        job_id=item.job_id,
    )
    _stamp(message, "update_time", item.updated_at)
    return message


def alert_to_proto(state: AlertState, told: Mapping[str, Told]) -> alert_pb2.Alert:
    """An alert as it stands, with what each sink has taken of it."""
    alert = state.alert
    message = alert_pb2.Alert(
        alert_key=alert.key,
        name=alert.name,
        severity=alert.severity,
        labels=dict(alert.labels),
        summary=alert.summary,
        runbook=alert.runbook,
    )
    _stamp(message, "start_time", state.started_at)
    _stamp(message, "end_time", state.ended_at)
    for sink, taken in sorted(told.items()):
        delivery = message.deliveries.add(sink=sink, current=taken.change >= state.change)
        if taken.change:
            delivery.deliver_time.FromDatetime(taken.at)
    return message


def filter_from_proto(message: plan_pb2.PlanFilter) -> Filter:
    """The filter; raises InvalidRequest for a cause that there is not, and for what is no job's id."""
    return Filter(
        provider=message.provider,
        account=message.account,
        tenant=message.tenant,
        operation=message.operation,
        cause=_cause(message.cause),
        reason=message.reason,
        start=_moment(message, "start_time"),
        end=_moment(message, "end_time"),
        job_ids=_job_ids(message.job_ids),
    )


def pace_from_proto(message: plan_pb2.PlanPace) -> Pace:
    """The pace, with the contract's values where nothing is said."""
    usual = Pace()
    percent = message.stop_error_percent or usual.stop_error_percent
    confirms = message.HasField("confirm_within")
    return Pace(
        chunk_size=message.chunk_size or usual.chunk_size,
        canary_size=message.canary_size or usual.canary_size,
        rate_per_second=message.rate_per_second or usual.rate_per_second,
        stop_error_percent=0 if message.stop_at_first_failure else percent,
        stop_min_results=message.stop_min_results or usual.stop_min_results,
        confirm_within=message.confirm_within.ToTimedelta() if confirms else usual.confirm_within,
    )


def why_from_proto(message: operations_service_pb2.Justification) -> Why:
    """Why the current caller does it."""
    reason, ticket = (text_from_proto(message, field, under="why.") for field in ("reason", "ticket"))
    return Why(str(current_caller()), reason, ticket)


def _filter_to_proto(text: str) -> plan_pb2.PlanFilter:
    members: dict[str, Any] = json.loads(text)
    message = plan_pb2.PlanFilter()
    for name in ("start", "end"):
        if moment := members.pop(name, None):
            _stamp(message, f"{name}_time", datetime.fromisoformat(moment))
    message.job_ids.extend(members.pop("job_ids", []))
    for name, value in members.items():
        setattr(message, name, value)
    return message


def _cause(name: str) -> Cause | None:
    if not name:
        return None
    known = {c.name.lower(): c for c in Cause}
    if name not in known:
        raise InvalidRequest([Violation("filter.cause", f"must be one of {', '.join(sorted(known))}")])
    return known[name]


def _job_ids(job_ids: Sequence[str]) -> tuple[str, ...]:
    wrong = [number for number, job_id in enumerate(job_ids) if not is_uuid(job_id)]
    if wrong:
        raise InvalidRequest([Violation(f"filter.job_ids[{n}]", "is not the id of a job") for n in wrong])
    return tuple(job_ids)


def _attempt(view: AttemptView) -> dead_letter_pb2.AttemptRecord:
    message = dead_letter_pb2.AttemptRecord(
        attempt_id=view.attempt_id,
        look_up=view.purpose is Purpose.LOOK_UP,
        cancel=view.purpose is Purpose.CANCEL,
        outcome=view.outcome,
        reason=view.reason,
    )
    _stamp(message, "claim_time", view.claimed_at)
    _stamp(message, "settle_time", view.settled_at)
    return message


def _moment(message: Message, field: str) -> datetime | None:
    stamp: Timestamp = getattr(message, field)
    return stamp.ToDatetime(tzinfo=UTC) if message.HasField(field) else None


def _stamp(message: Message, field: str, moment: datetime | None) -> None:
    if moment is not None:
        getattr(message, field).FromDatetime(moment)
