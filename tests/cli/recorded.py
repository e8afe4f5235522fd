"""Recorded answers of the operations service."""

from datetime import UTC, datetime, timedelta

from google.protobuf.timestamp_pb2 import Timestamp

from integration.jobs.v1 import job_pb2
from integration.operations.v1 import dead_letter_pb2 as letters
from integration.operations.v1 import lane_pb2 as lanes
from integration.operations.v1 import operations_service_pb2 as messages
from integration.operations.v1 import plan_pb2 as plans

JOB = "01970000-0000-7000-8000-00000000000a"
OTHER_JOB = "01970000-0000-7000-8000-00000000000b"
PLAN = "01970000-0000-7000-8000-0000000000ff"
LANE = "stripe/default"
CHARGE = "integration.payments.v1.PaymentsService/Charge"
ANA, LUIS = "spiffe://integration.local/operator/ana", "spiffe://integration.local/operator/luis"
CLI = "spiffe://integration.local/operator/cli"
DIGEST = "ab" * 32
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
WHY = ("--reason", "the provider is back", "--ticket", "OPS-241")


def at(moment: datetime) -> Timestamp:
    """A moment as the contract has it."""
    stamp = Timestamp()
    stamp.FromDatetime(moment)
    return stamp


def job(job_id: str = JOB) -> job_pb2.Job:
    """A job that waits for a person."""
    return job_pb2.Job(
        job_id=job_id,
        state=job_pb2.JOB_STATE_DEAD,
        operation=CHARGE,
        provider="stripe",
        account="default",
        tenant="acme",
        request_id="order-1001",
        attempt_count=5,
        reason="CONNECTION_REFUSED",
    )


def letter(job_id: str = JOB, **members: object) -> letters.DeadLetter:
    """A dead letter whose provider was down."""
    found = letters.DeadLetter(
        job=job(job_id),
        cause=letters.DEAD_LETTER_CAUSE_PROVIDER_DOWN,
        missing_proof=letters.MISSING_PROOF_NONE,
        proposal=letters.PROPOSAL_REPLAY,
        enter_time=at(NOON),
        alert_key="DeadLetters/stripe/default",
    )
    found.MergeFrom(letters.DeadLetter(**members))  # type: ignore[arg-type]
    return found


def attempt(number: int, outcome: str, reason: str = "", *, look_up: bool = False) -> letters.AttemptRecord:
    """One try."""
    return letters.AttemptRecord(
        attempt_id=f"{JOB}.{number}",
        look_up=look_up,
        outcome=outcome,
        reason=reason,
        claim_time=at(NOON),
        settle_time=at(NOON + timedelta(seconds=number)),
    )


def group(
    count: int, cause: letters.DeadLetterCause, reason: str, proposal: letters.Proposal
) -> messages.DeadLetterGroup:
    """Dead letters that have something in common."""
    return messages.DeadLetterGroup(lane=LANE, cause=cause, reason=reason, count=count, proposal=proposal)


def lane(mode: lanes.LaneMode = lanes.LANE_MODE_WORKING, **backlog: int) -> lanes.Lane:
    """A lane whose breaker has tripped."""
    return lanes.Lane(
        lane=LANE,
        mode=mode,
        mode_actor=ANA,
        mode_reason="provider down",
        breaker=lanes.Breaker(
            state=lanes.BREAKER_STATE_OPEN,
            open_until_time=at(NOON + timedelta(minutes=1)),
            change_time=at(NOON),
            reason="CONNECTION_REFUSED",
            trips=3,
        ),
        backlog=lanes.Backlog(**backlog),  # type: ignore[arg-type]
        dead_letters=1000,
        owner="0f3a9c2e77b1",
    )


def plan(state: plans.PlanState = plans.PLAN_STATE_PREVIEWED, **members: object) -> plans.Plan:
    """A replay of 998 charges that needs a second person."""
    made = plans.Plan(
        plan_id=PLAN,
        kind=plans.PLAN_KIND_REPLAY,
        state=state,
        filter=plans.PlanFilter(provider="stripe", cause="provider_down"),
        pace=plans.PlanPace(chunk_size=50, canary_size=1, rate_per_second=10, stop_error_percent=10),
        creator=ANA,
        reason="the provider is back",
        ticket="OPS-241",
        create_time=at(NOON),
        expire_time=at(NOON + timedelta(minutes=10)),
        needs_second_person=True,
        counts=plans.PlanCounts(total=998, pending=998),
        ineligible=[plans.Ineligible(cause="ALREADY_IN_A_PLAN", count=2)],
        digest=DIGEST,
    )
    made.MergeFrom(plans.Plan(**members))  # type: ignore[arg-type]
    return made
